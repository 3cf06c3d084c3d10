"""Names that say that their value is a secret."""

import re

# The patterns are text: see `repro.model.secrets`.
# Names. Source of the list: the reviews of what trackers leaked (argv, config)
# and the file names that secret scanners look for.
_SENSITIVE_NAME = (
    r"pass(?:wd|word|phrase|code)|pwd|(?:^|_)pass(?:_|$)|(?:user|key|db|my|sql|smtp|ssh|http|proxy|root)pass"
    r"|secret|token|auth|bearer|credential|cookie|session|webhook|(?:^|_)(?:dsn|jwt)(?:_|$)"
    r"|(?:api|access|private|signing|encryption|account|storage|license|subscription|ssh)_?keys?(?:_|$)"
    r"|conn(?:ection)?_?str|(?:github|gitlab|gh)_?pat(?:_|$)"
)
# Names of this field that only look like it; taken out of a name before the question above.
_HARMLESS = r"""(?x)
    tokeni[sz]\w*? (?=_|$)
    | (?<! api_) (?<! auth_) (?<! access_) (?<! bearer_) (?<! refresh_) (?<! secret_) (?<! hub_)
      (?<! hf_) (?<! api) (?<! auth) (?<! access) tokens
    | (?: ^|_) (?: pad|eos|bos|sos|eot|mask|unk|sep|cls|special|image|audio|video|stop|start|end
        |begin|prefix|suffix|soft|prompt|per|next|new|last|first|max|min|num|n|avg|mean|total|additional
        |extra|patch|register|class|latent|query|decoder_start|think|tool|bad|each|vision|text )
        _?token
    | (?: ^|_) token_? (?: dim|ids?|types?|counts?|len|lengths?|limit|budget|embeddings?|embed|embd
        |drop|dropout|level|size|mixer|mixing|merge|merging|pruning|prune|mask|masking|weights?|loss
        |acc|accuracy|rate|pos|positions?|shift|num|per|classification|vocab|norm|labels?|strategy
        |threshold|penalty|pool|pooling|grid|window|idx|index|keep|reduction|noise|temperature
        |choice|routing|ratio|usage|overlap|stride ) (?= _|$|\d)
    | author (?! i[sz])
    | secretar(?: y|ies) | cookie_?cutter
    | (?: ^|_) (?: n|num|one|two|single|multi|first|second|third|forward|backward|low|high|band|by
        |all ) _?pass (?= _|$)
    | (?: ^|_) pass_? (?: through|thru|rate|at|k|filter|count|gradient|grad|ids?|idx|index|number
        |band|criteria|threshold|\d+ ) (?= _|$)
    | (?: ^|_) (?: n|num|per|max|min|train|test|val|eval|cross) _?session
    | session_? (?: s|length|len|name|count|number|num|idx|index|dir|path|timeout|gap|duration|size
        |config|type|day|date ) (?= _|$)
    | sessions
    """
_CAMEL = r"(?<=[a-z0-9])(?=[A-Z])"
_NOT_WORD = r"[^a-z0-9]+"


def is_secret_name(name: str) -> bool:
    """Whether a config key, option or variable of this name holds a secret.

    `api_key`, `--hub-token`, `db.password`, `dbPassword` do; `max_tokens`, `tokenizer`, `author`,
    `forward_pass` do not.
    """
    plain = re.sub(_NOT_WORD, "_", re.sub(_CAMEL, "_", name).lower()).strip("_")
    if re.search(_SENSITIVE_NAME, plain) is None:
        return False
    return re.search(_SENSITIVE_NAME, re.sub(_HARMLESS, "_", plain).strip("_")) is not None
