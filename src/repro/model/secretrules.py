"""The shapes of keys that services give out.

Source: the formats that the services themselves publish for secret scanning, such as GitHub's
"About authentication", Slack's "Token types" and Google's "API keys".
"""

from typing import NamedTuple

RULES = 2  # goes up with every rule that finds more: what was clean by older rules is read again


class Shape(NamedTuple):
    """Keys of one service.

    Attributes:
        rule: What the key is, for people.
        starts: What every one of them begins with; most are written nowhere else.
        rest: Pattern of what follows.
        mixed: Whether words that begin alike are told apart by digits in them.
    """

    rule: str
    starts: tuple[bytes, ...]
    rest: bytes
    mixed: bool = False


SHAPES = (
    Shape("AWS access key", (b"AKIA", b"ASIA"), rb"[0-9A-Z]{16}(?![0-9A-Za-z])"),
    Shape(
        "GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"[A-Za-z0-9]{36,255}", True
    ),
    Shape("GitHub token", (b"github_pat_",), rb"\w{22,255}", True),
    Shape(
        "GitLab token",
        (b"glpat-", b"glptt-", b"gldt-", b"glrt-", b"glcbt-", b"glft-", b"glsoat-", b"glagent-"),
        rb"[\w-]{20,255}",
        True,
    ),
    Shape("Hugging Face token", (b"hf_",), rb"[A-Za-z0-9]{30,64}(?!\w)"),
    Shape("Hugging Face token", (b"api_org_",), rb"[A-Za-z]{34}(?!\w)"),
    # OpenAI, Anthropic, OpenRouter and those that took after them.
    Shape("key of a model provider", (b"sk-",), rb"(?!ssh-|ecdsa-)[A-Za-z0-9_-]{20,255}", True),
    Shape("Groq key", (b"gsk_",), rb"[A-Za-z0-9]{40,}", True),
    Shape("Replicate token", (b"r8_",), rb"[A-Za-z0-9]{37,40}(?!\w)", True),
    Shape("xAI key", (b"xai-",), rb"[A-Za-z0-9]{60,}", True),
    Shape("Perplexity key", (b"pplx-",), rb"[A-Za-z0-9]{40,}", True),
    Shape("Together key", (b"tgp_v1_",), rb"[\w-]{40,}", True),
    Shape("NVIDIA key", (b"nvapi-",), rb"[\w-]{60,}", True),
    Shape("Weights & Biases key", (b"wandb_v1_",), rb"\w{30,}", True),
    Shape("Neptune token", (b"eyJhcGlfYWRkcmVzcyI6", b"eyJhcGlfdXJsIjoi"), rb"[\w+/=-]{40,}"),
    Shape("Kaggle token", (b"KGAT_",), rb"[0-9a-f]{32}"),
    Shape("Databricks token", (b"dapi",), rb"[0-9a-f]{32}(?![0-9a-f])"),
    Shape("Prefect key", (b"pnu_", b"pnb_"), rb"[A-Za-z0-9]{36}(?!\w)", True),
    Shape(
        "Slack token",
        (b"xoxb-", b"xoxa-", b"xoxp-", b"xoxr-", b"xoxs-", b"xoxe-", b"xoxo-", b"xapp-"),
        rb"[A-Za-z0-9-]{20,255}",
        True,
    ),
    Shape("Slack webhook", (b"hooks.slack.com/services/",), rb"T\w{6,}/B\w{6,}/\w{16,}"),
    Shape("Discord webhook", (b"discord.com/api/webhooks/",), rb"\d{15,}/[\w-]{50,}"),
    Shape("Stripe key", (b"sk_live_", b"rk_live_", b"whsec_"), rb"[A-Za-z0-9+/]{20,}=*", True),
    Shape("Twilio key", (b"SK",), rb"[0-9a-f]{32}(?![0-9A-Za-z])"),
    Shape("SendGrid key", (b"SG.",), rb"[\w-]{20,24}\.[\w-]{39,50}"),
    Shape("Mailgun key", (b"key-",), rb"[0-9a-f]{32}(?![0-9A-Za-z])", True),
    Shape("Google API key", (b"AIza",), rb"[\w-]{35}(?![\w-])"),
    Shape("Google OAuth secret", (b"GOCSPX-",), rb"[\w-]{28}(?![\w-])"),
    Shape("Google OAuth token", (b"ya29.",), rb"[\w-]{30,}"),
    Shape("npm token", (b"npm_",), rb"[A-Za-z0-9]{36}(?!\w)", True),
    Shape("PyPI token", (b"pypi-",), rb"[\w-]{50,}", True),
    Shape("RubyGems key", (b"rubygems_",), rb"[0-9a-f]{48}"),
    Shape("Docker token", (b"dckr_pat_", b"dckr_oat_"), rb"[\w-]{27,}", True),
    Shape("DigitalOcean token", (b"dop_v1_", b"doo_v1_", b"dor_v1_"), rb"[0-9a-f]{64}"),
    Shape("Vault token", (b"hvs.", b"hvb."), rb"[\w-]{24,}", True),
    Shape("Doppler token", (b"dp.pt.", b"dp.st."), rb"[A-Za-z0-9._-]{40,}", True),
    Shape("Grafana token", (b"glsa_",), rb"[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    Shape("Pulumi token", (b"pul-",), rb"[0-9a-f]{40}"),
    Shape("Terraform token", (b".atlasv1.",), rb"[\w-]{60,}", True),
    Shape("Shopify token", (b"shpat_", b"shpss_", b"shpca_"), rb"[0-9a-fA-F]{32}"),
    Shape("Notion token", (b"ntn_",), rb"[A-Za-z0-9]{40,}", True),
    Shape("Linear key", (b"lin_api_",), rb"[A-Za-z0-9]{40}", True),
    Shape("New Relic key", (b"NRAK-",), rb"[A-Z0-9]{27}", True),
    Shape("Postman key", (b"PMAK-",), rb"[0-9a-f]{24}-[0-9a-f]{34}"),
    Shape("Supabase token", (b"sbp_",), rb"[0-9a-f]{40}"),
    Shape("Tailscale key", (b"tskey-",), rb"[A-Za-z0-9]+-[A-Za-z0-9-]{20,}", True),
    Shape("Mapbox token", (b"sk.eyJ",), rb"[\w-]{20,}\.[\w-]{20,}"),
    Shape("age key", (b"AGE-SECRET-KEY-1",), rb"[0-9A-Z]{58}"),
    Shape("JSON web token", (b"eyJ",), rb"[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}"),
)
