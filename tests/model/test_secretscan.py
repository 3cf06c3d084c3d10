import base64
import gzip
import sysconfig
from pathlib import Path

import pytest
from tests.support.secrets import KINDS, make_secret

from repro.model.marking import Marker
from repro.model.secretscan import Found, find_in_names, find_secrets

MARKER = Marker(b"key of a test")


def scan(text: str | bytes, path: str = "train.py") -> list[Found]:
    data = text.encode() if isinstance(text, str) else text
    return list(find_secrets(data, path, MARKER))


def finds(secret: str, text: str, path: str = "train.py") -> bool:
    """Whether something was found in the line in which the secret begins."""
    line = text[: text.index(secret.partition("\n")[0])].count("\n") + 1
    return any(found.line == line for found in scan(text, path))


NAMES = {
    "aws secret": "aws_secret_access_key",
    "wandb": "WANDB_API_KEY",
    "comet": "COMET_API_KEY",
    "azure": "storage_account_key",
    "password": "db_password",
}
FILES = {
    "train.py": 'import os\n\n{name} = "{secret}"\n',
    "run.sh": "#!/bin/sh\nexport {upper}={secret}\npython train.py\n",
    "config.yaml": "lr: 0.1\n{name}: {secret}\n",
    "a.ipynb": '{{"source": ["x = 1\\n",\n "os.environ[\\"{upper}\\"] = \\"{secret}\\"\\n"]}}\n',
}


def seeded_corpus() -> list[tuple[str, str, str, str]]:
    """A hundred files with one secret each: kind, secret, path, content."""
    corpus = []
    for seed, (path, layout) in enumerate(FILES.items()):
        for kind in KINDS:
            name, secret = NAMES.get(kind, "api_token"), make_secret(kind, seed)
            text = layout.format(name=name, upper=name.upper(), secret=secret)
            corpus.append((kind, secret, path, text))
    return corpus


def test_at_least_95_of_100_seeded_secrets_are_found():
    corpus = seeded_corpus()
    missed = [(kind, path) for kind, secret, path, text in corpus if not finds(secret, text, path)]
    assert len(corpus) > 100
    assert len(missed) <= 5, missed


@pytest.mark.parametrize(
    "kind", sorted(set(KINDS) - {"aws secret", "wandb", "comet", "azure", "password"})
)
def test_a_key_with_a_shape_is_found_in_a_sentence(kind):
    secret = make_secret(kind, 7)
    assert finds(secret, f"I used {secret} for it.\n", "notes.md")


@pytest.mark.parametrize(
    "before", ["\\n", "\x1b[32m", "\\u001b[31m", "%3D", '"', "=", "(", ":", "/"]
)
def test_a_key_behind_an_escape_is_found(before):
    secret = make_secret("hugging face")
    assert scan(f'{{"text": "token: {before}{secret}"}}') != []


def test_the_secret_half_of_an_aws_key_is_found_beside_the_other():
    identity, secret = make_secret("aws id"), make_secret("aws secret")
    found = scan(f"[default]\nx = {identity}\ny = {secret}\n", "aws.txt")
    assert [(one.rule, one.line) for one in found] == [("AWS access key", 2), ("AWS secret key", 3)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:{}@db.lab.org/runs",
        "https://ada:{}@git.lab.org/x.git",
        "mongodb+srv://app:{}@cluster0.x.mongodb.net",
    ],
)
def test_a_password_in_a_url_is_found(url):
    secret = make_secret("password").replace("#", "x")
    assert [one.rule for one in scan(f"url: {url.format(secret)}\n")] == ["password in a URL"]


def test_a_token_in_the_place_of_a_user_is_found():
    assert scan(f"git+https://{make_secret('comet')}@git.lab.org/x.git") != []


def test_a_netrc_line_is_found_in_any_file():
    text = f"machine api.wandb.ai login user password {make_secret('wandb')}\n"
    assert [one.line for one in scan("# hosts\n" + text, "notes.txt")] == [2]


def test_a_header_with_a_token_is_found():
    assert scan(f'curl -H "Authorization: Bearer {make_secret("comet")}" x') != []
    assert scan('headers = {"Authorization": f"Bearer {token}"}') == []


def test_a_token_in_a_text_of_powershell_is_found():
    assert scan(f"token {make_secret('github')}\r\n".encode("utf-16"), "out.txt") != []


def test_a_key_in_a_binary_file_is_found_by_its_shape_only():
    binary = b"\x80\x04\0\0" + bytes(range(256))
    assert scan(binary + b" " + make_secret("github").encode() + b" ", "model.pkl") != []
    assert scan(binary + b'password = "hunter2horse9"', "model.pkl") == []


@pytest.mark.parametrize(
    "text",
    [
        'api_key = os.environ["API_KEY"]',
        'api_key = os.environ.get("API_KEY", "")',
        'token = "xxxxxxxxxxxxxxxxxxxxxxxx"',
        'token = "<your key here>"',
        "api_key: <your-api-key-1234567>",
        'API_KEY = "YOUR_API_KEY_12345"',
        'password = "changeme123"',
        'password = "correct horse battery staple"',
        'aws_access_key_id = "AKIA' + 'IOSFODNN7EXAMPLE"',
        "OPENAI_API_KEY=${OPENAI_API_KEY_2024}",
        "hf_token = hf_" + "x" * 34,
        'tokenizer = "bert-base-uncased-2024"',
        'pad_token = "<|endoftext|>"',
        'secret = getpass("your secret 12 ")',
        "url = https://user:password@host/x",
        "url = f'https://{user}:{password1}@host2/x'",
        'next_token = "a8ca07e4-61ec-4399-99f4-19853801bcd5"',
        'password_file = "/run/secrets/db2/password1"',
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:',
        "class sk-learn-contrib-estimator-doc-link-wrapper",
        'max_tokens = 12345678901234567890',
        '<redacted:0a1b2c3d>',
        'api_key = "<redacted:0a1b2c3d>"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["train.py", "config.yaml"])
def test_a_placeholder_or_a_look_up_is_no_secret(text, path):
    assert scan(text, path) == []


def test_equal_secrets_have_one_fingerprint_in_a_clone_and_another_elsewhere():
    text = make_secret("github").encode()
    here = {one.fingerprint for one in scan(text + b"\n" + text)}
    there = {one.fingerprint for one in find_secrets(text, "a", Marker(b"another key"))}
    assert len(here) == 1
    assert here.isdisjoint(there)


def test_what_is_found_never_shows_the_secret():
    secret = make_secret("github")
    assert secret not in repr(scan(f"token = '{secret}'"))


def test_what_is_encoded_compressed_or_in_pieces_is_not_found():
    secret = make_secret("github").encode()
    for hidden in (
        base64.b64encode(secret),
        gzip.compress(secret),
        secret[:10] + b"\n" + secret[10:],
    ):
        assert scan(hidden) == []


def test_a_file_of_the_standard_library_in_a_thousand_is_suspected_at_most():
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = [*folder.glob("*.py"), *folder.glob("[a-su-z]*/*.py")]  # not tests, not packages
    files = [path for path in files if "site-packages" not in path.parts]
    suspected = [path for path in files if find_secrets(path.read_bytes(), str(path), MARKER)]
    assert len(files) > 400
    assert len(suspected) <= len(files) / 1000


def test_a_line_without_an_end_is_no_trap():
    for piece in (
        b'"token": ',
        b"secret=",
        b"://",
        b"-----BEGIN ",
        b"A" * 30 + b" ",
        b"password: ",
        b"dp.pt." + b"a" * 40,
    ):
        assert scan(piece * ((256 << 10) // len(piece)), "a.json") == []
    assert len(scan(b"eyJhcGlfdXJsIjoi========" * (10 << 10))) <= 100


def test_a_key_in_text_of_two_bytes_a_letter_is_found():
    secret = make_secret("github")
    assert [one.line for one in scan(f'KEY = "{secret}"'.encode("utf-16-le"))] == [1]
    program = b"MZ" + bytes(range(256)) + f"x = 1\nkey={secret}".encode("utf-16-le")
    assert [one.rule for one in scan(program, "a.exe")] == ["GitHub token"]


def test_the_name_of_a_kind_of_ssh_key_is_no_secret():
    assert scan("sk-ssh-ed25519-cert-v01@openssh.com sk-ecdsa-sha2-nistp256-cert-v01 ") == []


def test_a_key_in_the_name_of_a_file_is_found():
    secret = make_secret("github")
    paths = ["a.py", "b\n.py", f"runs/{secret}/a.txt", "\udcff.txt"]
    found = find_in_names(paths, MARKER)
    assert {path: one.rule for path, one in found.items()} == {paths[2]: "GitHub token in the name"}
