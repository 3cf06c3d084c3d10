"""What looks like a secret, so that no record carries it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from repro.model.canonical import Json
from repro.model.marking import BARE, UNKEYED, Marker
from repro.model.secretwords import is_secret_name as is_secret_name

# The patterns of this module are text: compiling them takes 6 ms, which only a process that
# records a run need spend; `re` keeps what it compiled.

# Shapes of well-known keys; source: the public rule files of gitleaks and detect-secrets.
_KEY_SHAPE = r"""(?x)(?<![A-Za-z0-9_-])(?:
    (?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])
    | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_\w{22,} | glpat-[\w-]{20,}
    | hf_[A-Za-z0-9]{30,} | sk-[A-Za-z0-9_-]{20,} | [rs]k_live_[A-Za-z0-9]{20,}
    | xox[abeoprs]-[A-Za-z0-9-]{10,} | AIza[\w-]{35} | npm_[A-Za-z0-9]{36}
    | gsk_[A-Za-z0-9]{40,} | r8_[A-Za-z0-9]{37,} | nvapi-[\w-]{60,} | dapi[0-9a-f]{32}
    | GOCSPX-[\w-]{28} | ya29\.[\w-]{30,} | hvs\.[\w-]{24,} | dckr_pat_[\w-]{27,}
    | gl(?:ptt|dt|rt|soat)-[\w-]{20,} | SK[0-9a-f]{32}(?![0-9A-Za-z]) | whsec_[A-Za-z0-9+/]{20,}
    | pypi-[\w-]{50,} | SG\.[\w-]{20,}\.[\w-]{20,} | dop_v1_[0-9a-f]{64} | wandb_v1_\w{30,}
    | eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+ )"""
_PRIVATE_KEY = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
# What the rules need to find anything: a long word with digits, a URL, the name of a secret.
_WORTH_A_SCAN = (
    r"(?i)(?=[\w-]{16})[A-Z_-]{0,40}\d|://|-----BEGIN|hooks\.slack|api_org_|[?&;]sig=|\d:AA|Q~|passw|pwd|passphrase|secret|token|credential"
    r"|bearer|[_-](?:pass|pat|key)|apikey|accesskey|accountkey|privatekey|authorization|machine "
)
_HEADER = r"(?i)\b((?:proxy-)?authorization|x-api-key|api-key|cookie)(\s*:\s*)(.+)"
_BEARER = r"(?i)\b(bearer\s+)([\w.~+/=-]{8,})"

_URL = r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}://)([^\s/?#\"'<>]*)@"
_QUERY = r"([?&;])([^=&;#\s?]{1,80})=([^&;#\s\"']*)"
_QUERY_NAMES = {
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-credential",
    "x-goog-signature",
    "key",
}

# Inside one word that is a line of shell: NAME=value, --name value.
_INNER = r"""(?x)(?<![\w.-]) (?P<dash>--?)? (?P<name>[A-Za-z_][\w.-]{0,80})
    (?P<between> (?(dash) (?: = | \s{1,9}(?!-) ) | = ) )"""
_INNER_VALUE = r"""(?x) "[^"]*" | '[^']*' | ["']?[^\s;&|"']+ """
# `${API_KEY}` of a shell, `${envvar:API_KEY}` of a sweep
_REFERENCE = r"\$\{(?:envvar:)?[A-Za-z_][\w.-]*\}"
_ASSIGNMENT = r"(?s)([-+]*[A-Za-z_][\w.@/-]*)=(.+)\Z"

_SENSITIVE_FILE = r"""(?xs)
    \.env .* | .* \.env
    | .* \.(?: pem|key|p12|pfx|jks|keystore|kdbx?|ovpn|ppk|keychain|keychain-db )
    | id_(?: rsa|dsa|ecdsa|ed25519 ) .*
    | [._]netrc (?: \.gpg )?
    | \.(?: pgpass|my\.cnf|pypirc|npmrc|dockercfg|git-credentials|htpasswd )
    | credentials.*\.json | client_secret.*\.json | service[-_]?account.*\.json
    | tokens? (?: [-_.].* )? \.json | kaggle\.json | kubeconfig (?: [-_.].* )?
    | secrets?\.(?: toml|yaml|yml|json )
    | .* \.tfstate .* | cookies\.sqlite | key[34]\.db | logins\.json | login\ data
    """
_HARMLESS_FILE = (
    r"(?s)\.env[._-](?:example|sample|template|dist|defaults?)"
    r"|.*[._-](?:example|sample|template)\.env|.*\.pub"
)
_SENSITIVE_PLACE = (
    r"(?:^|/)(?:\.(?:aws|ssh|gnupg|kube)/|\.docker/config\.json\Z|\.config/gcloud/"
    r"|\.dvc/config\.local\Z|wandb/settings\Z)"
)

ALLOWED_VARIABLES = (
    "PYTHONHASHSEED",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_VISIBLE_DEVICES",
    "CUDA_LAUNCH_BLOCKING",
    "CUBLAS_WORKSPACE_CONFIG",
    "NCCL_*",
    "TORCH_CUDNN_V8_API_ENABLED",
    "TORCH_ALLOW_TF32*",
    "NVIDIA_TF32_OVERRIDE",
    "TF_DETERMINISTIC_OPS",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "JAX_ENABLE_X64",
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "SLURM_JOB_ID",
    "SLURM_NTASKS",
    "SLURM_PROCID",
    "SLURM_JOB_PARTITION",
    "CONDA_DEFAULT_ENV",
    "LANG",
    "LC_ALL",
    "TZ",
)
_ALLOWED_PREFIXES = tuple(name[:-1] for name in ALLOWED_VARIABLES if name.endswith("*"))

_SHELLS = {"sh", "bash", "zsh", "dash", "ksh", "fish"}
LOGIN_PROGRAMS = {"wandb", "hf", "huggingface-cli", "comet", "neptune", "clearml", "swanlab"}


def redact_url(url: str, marker: Marker = UNKEYED) -> str:
    """Take user names, passwords and signatures out of the URLs in a text.

    The bare user name of an ssh URL, such as `git`, stays.
    """
    if "://" not in url:
        return url
    bare = re.sub(_URL, lambda match: _redact_userinfo(match, marker), url)
    return (
        re.sub(_QUERY, lambda match: _redact_parameter(match, marker), bare)
        if "?" in bare
        else bare
    )


def _redact_userinfo(match: re.Match[str], marker: Marker) -> str:
    scheme, user = match.groups()
    if scheme.lower() in {"ssh://", "git+ssh://", "sftp://"} and ":" not in user:
        return match.group()
    return f"{scheme}{marker.mark(user)}@"


def _redact_parameter(match: re.Match[str], marker: Marker) -> str:
    mark, name, value = match.groups()
    is_secret = name.lower() in _QUERY_NAMES or is_secret_name(name)
    return f"{mark}{name}={marker.mark(value)}" if is_secret else match.group()


def redact_text(text: str, marker: Marker = UNKEYED) -> str:
    """Take credentials in URLs, headers, keys of known shapes and named passwords out of a text.

    All that a push would stop at (`secretscan.find_secrets`): a record that held it would be
    kept back for good.
    """

    def mark(match: re.Match[str]) -> str:
        return marker.mark(match.group())

    text = re.sub(_KEY_SHAPE, mark, redact_url(text, marker))
    if "-----BEGIN" in text:
        text = re.sub(_PRIVATE_KEY, mark, text)
    text = re.sub(_HEADER, lambda match: match[1] + match[2] + marker.mark(match[3]), text)
    text = re.sub(_BEARER, lambda match: match[1] + marker.mark(match[2]), text)
    if re.search(_WORTH_A_SCAN, text) is None:
        return text
    # Here, for the rules take 5 ms, and use this module.
    from repro.model.scrub import scrub_text  # noqa: PLC0415

    return scrub_text(text, marker)


def redact_argv(argv: Sequence[str], marker: Marker = UNKEYED) -> tuple[str, ...]:
    """Give a command with the values of its secret options and variables replaced.

    As many words come back: `--api-key K`, `--api-key=K`, `API_KEY=K`, `wandb login K`, URLs
    with passwords, well-known keys anywhere, and the same inside a line of shell.
    """
    return tuple(_redacted_words(argv, marker))


@dataclass(frozen=True, slots=True)
class _Noting(Marker):
    """Notes what it is asked to mark."""

    seen: list[str] = field(default_factory=list)

    def mark(self, secret: str) -> str:
        self.seen.append(secret)
        return BARE


def list_secrets(argv: Sequence[str]) -> list[str]:
    """Give what `redact_argv` takes out of a command, passwords of URLs without their users."""
    noting = _Noting()
    redact_argv(argv, noting)
    return [secret.partition(":")[2] or secret for secret in noting.seen]


def _redacted_words(argv: Sequence[str], marker: Marker) -> Iterator[str]:
    is_value = is_login = False
    before: set[str] = set()
    for word in argv:
        is_option = word.startswith("-") and len(word) > 1
        if (is_value or is_login) and not is_option:
            yield _mark_value(word, marker)
            is_value = is_login = False
            continue
        is_value = is_option and "=" not in word and is_secret_name(word)
        is_login = is_login or (word == "login" and not before.isdisjoint(LOGIN_PROGRAMS))
        is_shell = "-c" in before and not before.isdisjoint(_SHELLS)
        before.add(word.rpartition("/")[2])
        yield _redact_shell(word, marker) if is_shell else _redact_word(word, marker)


def _mark_value(value: str, marker: Marker) -> str:
    """What stands for the value of a secret; the name of a variable gives nothing away."""
    return value if re.fullmatch(_REFERENCE, value) else marker.mark(value)


def _redact_word(word: str, marker: Marker) -> str:
    match = re.match(_ASSIGNMENT, word)
    if match and is_secret_name(match[1]):
        return f"{match[1]}={_mark_value(match[2], marker)}"
    if " " in word or "\n" in word:
        return _redact_shell(word, marker)
    return redact_text(word, marker)


def _redact_shell(text: str, marker: Marker) -> str:
    return redact_text(_redact_inner(text, marker), marker)


def _redact_inner(text: str, marker: Marker) -> str:
    parts: list[str] = []
    done = 0
    inner, values = re.compile(_INNER), re.compile(_INNER_VALUE)
    while match := inner.search(text, done):
        # The value of a harmless name is searched too: it may be quoted shell itself.
        parts.append(text[done : match.end("name")])
        done = match.end("name")
        value = is_secret_name(match["name"]) and values.match(text, match.end())
        if value:
            bare = value[0].strip("\"'")
            is_reference = re.fullmatch(_REFERENCE, bare) is not None
            parts.append(match["between"] + (value[0] if is_reference else marker.mark(bare)))
            done = value.end()
    return "".join([*parts, text[done:]])


def redact_config(config: Mapping[str, Json], marker: Marker = UNKEYED) -> dict[str, Json]:
    """Give a config with secret values replaced, by name and by what they look like.

    Under a secret name go text, integers and the lists of them; of a mapping all text in it.
    True, false, null and fractions are no secrets.
    """
    return {
        key: _redact_named(value, marker) if is_secret_name(key) else redact_value(value, marker)
        for key, value in config.items()
    }


def _redact_named(value: Json, marker: Marker) -> Json:
    if isinstance(value, Mapping):
        return {
            key: item if isinstance(item, int) else _redact_named(item, marker)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_redact_named(item, marker) for item in value]
    if value is None or value == "" or isinstance(value, (bool, float)):
        return value
    return marker.mark(str(value))


def redact_value(value: Json, marker: Marker = UNKEYED) -> Json:
    """Give a value with what looks like a secret in it replaced."""
    if isinstance(value, str):
        return redact_text(value, marker)
    if isinstance(value, Mapping):
        return redact_config(value, marker)
    if isinstance(value, list):
        return [redact_value(item, marker) for item in value]
    return value


def is_secret_file(path: str) -> bool:
    """Whether a file of this path, with `/`, holds keys or passwords going by its name."""
    plain = path.lower()
    name = plain.rpartition("/")[2]
    if re.search(_SENSITIVE_PLACE, plain):
        return True
    return (
        re.fullmatch(_SENSITIVE_FILE, name) is not None
        and re.fullmatch(_HARMLESS_FILE, name) is None
    )


def allowed_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that bear on results and are known to hold no secret, sorted by name.

    Of all others not even the name is told.
    """
    return {
        name: redact_text(environ[name])
        for name in sorted(environ)
        if name in ALLOWED_VARIABLES or name.startswith(_ALLOWED_PREFIXES)
    }
