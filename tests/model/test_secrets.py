"""No record carries a secret by its name, its shape or its place."""

import time

import pytest

from repro.model.marking import BARE as REDACTED
from repro.model.secrets import (
    allowed_variables,
    is_secret_file,
    is_secret_name,
    list_secrets,
    redact_argv,
    redact_config,
    redact_text,
    redact_url,
)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "passwd",
        "passphrase",
        "pass",
        "db.password",
        "dbPassword",
        "user_pass",
        "secret",
        "client_secret",
        "token",
        "hf_token",
        "hub_token",
        "auth_token",
        "access_token",
        "access_tokens",
        "api_tokens",
        "apiToken",
        "github_token",
        "use_auth_token",
        "api_key",
        "api-key",
        "apikey",
        "--api-key",
        "apiKey",
        "API_KEYS",
        "OPENAI_API_KEY",
        "access_key",
        "AWS_SECRET_ACCESS_KEY",
        "private_key",
        "ssh_key",
        "auth",
        "authorization",
        "x_auth",
        "oauth",
        "credential",
        "credentials",
        "cookie",
        "session",
        "session_id",
        "dsn",
        "DATABASE_DSN",
        "conn_str",
        "connection_str",
        "connection-str",
        "jwt",
        "bearer",
        "webhook",
        "github_pat",
        "pwd",
    ],
)
def test_a_secret_is_known_by_its_name(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "lr",
        "tokenizer",
        "tokenizer_name",
        "tokenization",
        "tokenizerFast",
        "max_tokens",
        "num_tokens",
        "n_tokens",
        "tokens",
        "max_new_tokens",
        "maxTokens",
        "token_dim",
        "token_count",
        "tokens_per_batch",
        "pad_token",
        "pad_token_id",
        "eos_token_id",
        "cls_token",
        "mask_token",
        "image_tokens",
        "token_type_ids",
        "token_embedding",
        "token-dropout",
        "special_tokens",
        "author",
        "authors",
        "author_id",
        "n_pass",
        "forward_pass",
        "num_passes",
        "bypass",
        "passthrough",
        "pass_rate",
        "lowpass",
        "passes",
        "compass",
        "passenger",
        "secretary",
        "key",
        "keys",
        "key_dim",
        "query_key",
        "monkey",
        "keyboard",
        "public_key",
        "num_sessions",
        "session_length",
        "n_session",
        "sessions",
        "batch_size",
        "session_name",
        "path",
        "patience",
        "compat",
    ],
)
def test_names_of_this_field_are_no_secrets(name):
    assert not is_secret_name(name)


TOKEN = "hf_" + "a" * 34
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("argv", "redacted"),
    [
        (["--api-key", "x", "--lr", "1"], ["--api-key", REDACTED, "--lr", "1"]),
        (["--hub_token=x"], [f"--hub_token={REDACTED}"]),
        (["WANDB_API_KEY=x", "python"], [f"WANDB_API_KEY={REDACTED}", "python"]),
        (["+db.password=x", "lr=1"], [f"+db.password={REDACTED}", "lr=1"]),
        (["--token", "--lr", "1"], ["--token", "--lr", "1"]),
        (
            ["--max-tokens", "5", "--tokenizer", "bert"],
            ["--max-tokens", "5", "--tokenizer", "bert"],
        ),
        (["wandb", "login", SHA], ["wandb", "login", REDACTED]),
        (["/bin/wandb", "login", "--relogin", "k"], ["/bin/wandb", "login", "--relogin", REDACTED]),
        (["--commit", SHA], ["--commit", SHA]),
        (["--x", TOKEN], ["--x", REDACTED]),
        (["https://u:p@h/x.git"], [f"https://{REDACTED}@h/x.git"]),
        (["-H", "Authorization: Basic abc"], ["-H", f"Authorization: {REDACTED}"]),
        (
            ["sh", "-c", "API_KEY=a python t.py --password 'b c' --lr 3"],
            ["sh", "-c", f"API_KEY={REDACTED} python t.py --password {REDACTED} --lr 3"],
        ),
        (
            ["sh", "-c", "bash -c 'X=1 T_TOKEN=\"a b\" x --token zzz'"],
            ["sh", "-c", f"bash -c 'X=1 T_TOKEN={REDACTED} x --token {REDACTED}'"],
        ),
        (["python", "train.py", "-", "", "--"], ["python", "train.py", "-", "", "--"]),
    ],
)
def test_a_command_keeps_its_words_and_loses_its_secrets(argv, redacted):
    assert redact_argv(argv) == tuple(redacted)


def test_the_name_of_a_variable_is_no_secret():
    argv = (
        "env", "API_KEY=${API_KEY}", "bash", "-c", "x --password '${envvar:PW}' --token=${T} && y",
        "--api-key", "${envvar:KEY}",
    )  # fmt: skip

    assert redact_argv(argv) == argv
    assert list_secrets(argv) == []
    assert redact_argv(["--api-key", "${KEY}abc"]) == ("--api-key", "<redacted>")


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("https://user:tok@host/x.git", f"https://{REDACTED}@host/x.git"),
        ("https://tok@host/x", f"https://{REDACTED}@host/x"),
        ("git+https://tok@host/x", f"git+https://{REDACTED}@host/x"),
        ("postgres://u:p@ss@host/db", f"postgres://{REDACTED}@host/db"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:p@host/x", f"ssh://{REDACTED}@host/x"),
        ("git@host:x", "git@host:x"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("https://h/x?a=1&access_token=t&b=2", f"https://h/x?a=1&access_token={REDACTED}&b=2"),
        ("https://h/x?X-Amz-Signature=t#f", f"https://h/x?X-Amz-Signature={REDACTED}#f"),
        (
            "pip install https://a:b@c and http://d@e",
            f"pip install https://{REDACTED}@c and http://{REDACTED}@e",
        ),
    ],
)
def test_urls_lose_their_credentials(url, redacted):
    assert redact_url(url) == redacted


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 20,
        "glpat-" + "a" * 20,
        TOKEN,
        "sk-proj-" + "a1" * 20,
        "xoxb-" + "1" * 12,
        "AIza" + "a" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_keys_of_known_shape_are_found_in_any_text(secret):
    assert redact_text(f"note: {secret}") == f"note: {REDACTED}"


def test_config_loses_values_under_secret_names_and_keeps_the_rest():
    config = {
        "lr": 0.1,
        "db": {"password": "x", "user": "u", "url": "http://a:b@h"},
        "credentials": {"id": "x", "port": 3, "on": True, "more": [{"a": "y"}]},
        "api_keys": ["a", 1],
        "password": 1234,
        "use_auth_token": True,
        "auth": None,
        "secret": "",
        "token_rate": 0.5,
        "max_tokens": 5,
        "list": [{"token": "x"}, "plain"],
    }

    assert redact_config(config) == {
        "lr": 0.1,
        "db": {"password": REDACTED, "user": "u", "url": f"http://{REDACTED}@h"},
        "credentials": {"id": REDACTED, "port": 3, "on": True, "more": [{"a": REDACTED}]},
        "api_keys": [REDACTED, REDACTED],
        "password": REDACTED,
        "use_auth_token": True,
        "auth": None,
        "secret": "",
        "token_rate": 0.5,
        "max_tokens": 5,
        "list": [{"token": REDACTED}, "plain"],
    }


def test_redacting_twice_changes_nothing():
    config = redact_config(
        {"password": "x", "url": "https://a:b@h/?token=x", "n": "Bearer abcdefghij"}
    )
    argv = redact_argv(["--token", "x", "A_KEY=1", "https://a:b@h", "sh -c 'API_KEY=1 x'"])

    assert redact_config(config) == config
    assert redact_argv(argv) == argv


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.local",
        "sub/.env",
        ".envrc",
        "prod.env",
        "id_rsa",
        ".ssh/config",
        "home/.ssh/known",
        "id_ed25519",
        "server.pem",
        "x.key",
        "cert.p12",
        ".netrc",
        "_netrc",
        ".pypirc",
        ".npmrc",
        ".git-credentials",
        ".aws/credentials",
        ".aws/config",
        "a/.kube/config",
        ".docker/config.json",
        ".config/gcloud/x.db",
        "credentials.json",
        "credentials-prod.json",
        "client_secret_1.json",
        "service-account.json",
        "service_account_x.json",
        "token.json",
        "token_cache.json",
        "secrets.toml",
        "secrets.yaml",
        ".streamlit/secrets.toml",
        "kaggle.json",
        "x.tfstate",
        "x.tfstate.backup",
        ".dvc/config.local",
        "wandb/settings",
        "vault.kdbx",
        "kubeconfig",
        "ID_RSA",
        "Server.PEM",
        "logins.json",
    ],
)
def test_files_that_hold_secrets_are_known_by_name(path):
    assert is_secret_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "train.py",
        ".env.example",
        ".env.sample",
        ".env.template",
        ".env-dist",
        "environment.yml",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokens.py",
        "keys.py",
        "keyboard.json",
        "id_rsa.pub",
        "aws/config",
        "ssh/x",
        "secrets.py",
        "secrets_test.yaml",
        "wandb/settings.py",
        "docker/config.json",
        "env",
        "envs/x",
        "data/keynote.txt",
    ],
)
def test_ordinary_files_are_not(path):
    assert not is_secret_file(path)


def test_only_allowed_variables_are_told_and_even_those_scrubbed():
    environ = {
        "TZ": "UTC",
        "AWS_SECRET_ACCESS_KEY": "x",
        "HOME": "/home/ada",
        "NCCL_DEBUG": "INFO",
        "NCCL_X": "http://a:b@h",
        "SLURM_JOB_ID": "1",
        "SLURM_JWT": "x",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
        "RANKING": "1",
    }

    assert list(allowed_variables(environ).items()) == [
        ("NCCL_DEBUG", "INFO"),
        ("NCCL_X", f"http://{REDACTED}@h"),
        ("SLURM_JOB_ID", "1"),
        ("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1"),
        ("TZ", "UTC"),
    ]


@pytest.mark.parametrize(
    "piece", ["a", "a.", "--a ", "http://", "?a=", "eyJ", "token_", "-----BEGIN ", "'", 'a="']
)
def test_hostile_text_takes_linear_time(piece):
    text = piece * (200_000 // len(piece))
    start = time.process_time()

    redact_argv([text, f"{text} "])
    is_secret_name(text)
    is_secret_file(text)

    assert time.process_time() - start < 4
