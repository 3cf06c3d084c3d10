"""Keys and passwords that open nothing, made when a test runs.

None of them is written out: a host that stops pushes of keys would stop ours.
"""

import base64
import json
import random
import string

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"


def make_secret(kind: str, seed: int = 0) -> str:
    """A key of a kind in `KINDS`, always the same for a seed."""
    rng = random.Random(f"{kind} {seed}")
    return KINDS[kind](rng)


def _of(rng: random.Random, letters: str, count: int) -> str:
    """Random letters, with digits among them wherever there are any."""
    while True:
        word = "".join(rng.choices(letters, k=count))
        if sum(letter.isdigit() for letter in word) >= 2 or not any(map(str.isdigit, letters)):
            return word


def _jwt(rng: random.Random) -> str:
    parts = [json.dumps({"alg": "HS256"}), json.dumps({"sub": _of(rng, _ALNUM, 12)})]
    texts = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, _of(rng, _ALNUM, 43)])


def _pem(rng: random.Random) -> str:
    lines = [_of(rng, _ALNUM + "+/", 64) for _ in range(6)]
    kind = rng.choice(["RSA ", "EC ", "OPENSSH ", ""])
    name = f"{kind}PRIVATE" + " KEY"
    return "\n".join([f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"])


KINDS = {
    "aws id": lambda rng: "AK" + "IA" + _of(rng, string.ascii_uppercase + "234567", 16),
    "aws secret": lambda rng: _of(rng, _ALNUM + "+/", 40),
    "github": lambda rng: "gh" + "p_" + _of(rng, _ALNUM, 36),
    "github fine": lambda rng: "github" + "_pat_" + _of(rng, _ALNUM, 82),
    "gitlab": lambda rng: "gl" + "pat-" + _of(rng, _ALNUM, 20),
    "hugging face": lambda rng: "h" + "f_" + _of(rng, _ALNUM, 34),
    "openai": lambda rng: "s" + "k-proj-" + _of(rng, _ALNUM, 48),
    "anthropic": lambda rng: "s" + "k-ant-api03-" + _of(rng, _ALNUM + "_-", 93),
    "groq": lambda rng: "gs" + "k_" + _of(rng, _ALNUM, 52),
    "replicate": lambda rng: "r" + "8_" + _of(rng, _ALNUM, 37),
    "slack": lambda rng: "xo" + "xb-" + _of(rng, string.digits, 12) + "-" + _of(rng, _ALNUM, 24),
    "stripe": lambda rng: "sk" + "_live_" + _of(rng, _ALNUM, 24),
    "twilio": lambda rng: "S" + "K" + _of(rng, _HEX, 32),
    "sendgrid": lambda rng: "S" + "G." + _of(rng, _ALNUM, 22) + "." + _of(rng, _ALNUM, 43),
    "npm": lambda rng: "np" + "m_" + _of(rng, _ALNUM, 36),
    "pypi": lambda rng: "py" + "pi-" + _of(rng, _ALNUM + "_-", 90),
    "wandb": lambda rng: _of(rng, _HEX, 40),
    "comet": lambda rng: _of(rng, _ALNUM, 25),
    "neptune": lambda rng: "eyJhcGlf" + "YWRkcmVzcyI6" + _of(rng, _ALNUM, 80),
    "databricks": lambda rng: "da" + "pi" + _of(rng, _HEX, 32),
    "google": lambda rng: "AI" + "za" + _of(rng, _ALNUM, 35),
    "xai": lambda rng: "xa" + "i-" + _of(rng, _ALNUM, 80),
    "kaggle": lambda rng: "KG" + "AT_" + _of(rng, _HEX, 32),
    "grafana": lambda rng: "gl" + "sa_" + _of(rng, _ALNUM, 32) + "_" + _of(rng, _HEX, 8),
    "slack webhook": lambda rng: (
        "hooks.slack.com"
        + "/services/T"
        + _of(rng, _ALNUM, 9)
        + "/B"
        + _of(rng, _ALNUM, 9)
        + "/"
        + _of(rng, _ALNUM, 24)
    ),
    "azure": lambda rng: _of(rng, _ALNUM + "+/", 86) + "==",
    "jwt": _jwt,
    "pem": _pem,
    "password": lambda rng: _of(rng, _ALNUM + "!#+-_", 14),
}

# Those that tell by themselves what they are.
SHAPED = sorted(set(KINDS) - {"aws secret", "wandb", "comet", "azure", "password"})
