"""What `init()` was asked for, W&B's words among it."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from repro.errors import InvalidInputError, UsageError
from repro.model.canonical import Json
from repro.sdk.mappings import plain_mapping
from repro.sdk.notices import warn

# Words of W&B's init() that name a thing repro keeps as a tag.
_AS_TAGS = {"group": "group", "job_type": "job-type"}
# Words without a meaning here; these with the values that ask for what happens anyway.
_IGNORED: dict[str, tuple[object, ...]] = {
    "allow_val_change": (True, False),
    "anonymous": (),
    "config_exclude_keys": (),
    "config_include_keys": (),
    "dir": (),
    "entity": (),
    "force": (False,),
    "fork_from": (),
    "magic": (False,),
    "monitor_gym": (False,),
    "project": (),
    "reinit": (True, "finish_previous", "default"),
    "resume_from": (),
    "save_code": (True,),
    "settings": (),
}
_TENSORBOARD = ("sync_tensorboard", "tensorboard")
_KERNEL = re.compile(
    r"(?:^|[/\\])(?:ipykernel|colab_kernel)_launcher(?:\.py)?\Z|ipykernel/__main__\.py\Z"
)
_MODES = ("online", "offline", "shared", "disabled")
_RESUME_WORDS = ("allow", "must", "never", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A run as asked for.

    Attributes:
        resume: Text that names the run to continue.
        must_resume: Whether it is an error that there is no such run.
        given_id: What W&B's `id` calls the run; a tag of one that is new.
        follows_tensorboard: Whether scalars given to TensorBoard are metrics.
        varied: Params that win over the config, by dotted keys.
    """

    config: Mapping[str, Json]
    name: str | None
    tags: tuple[str, ...]
    note: str | None
    resume: str | None
    must_resume: bool
    given_id: str | None = None
    follows_tensorboard: bool = False
    varied: Mapping[str, Json] = field(default_factory=dict)


def is_disabled(mode: str | None, environ: Mapping[str, str]) -> bool:
    """Whether `mode`, else `REPRO_MODE`, switches recording off.

    Raises:
        ValueError: It is no mode.
    """
    chosen = mode or environ.get("REPRO_MODE") or "online"
    if chosen not in _MODES:
        raise ValueError(f"a mode is one of {', '.join(_MODES)}, not {chosen!r}")
    return chosen == "disabled"


def is_strict(environ: Mapping[str, str]) -> bool:
    """Whether `REPRO_STRICT=1` asks that trouble with storage raises instead of warning."""
    return environ.get("REPRO_STRICT", "") not in ("", "0")


def command_of(argv: Sequence[str]) -> tuple[str, ...]:
    """The command line of this process; of a notebook's kernel without its own arguments.

    They name a connection file that is another one each time: as a config they would set every
    execution apart from every other.
    """
    for position, word in enumerate(argv):
        if _KERNEL.search(word):
            return tuple(argv[: position + 1])
    return tuple(argv)


def read_wish(
    *,
    config: object,
    name: str | None,
    tags: Iterable[str] | None,
    note: str | None,
    resume: str | bool | None,
    id: str | None,
    others: Mapping[str, object],
) -> Wish:
    """Put the arguments of `init()` in order; one warning lists those without a meaning here.

    Raises:
        TypeError: `init()` has no such argument, or one has a wrong type.
    """
    for word, value in others.items():
        if word not in _IGNORED and word not in _AS_TAGS and word not in _TENSORBOARD:
            raise TypeError(f"init() got an unexpected keyword argument {word!r}")
        if word in _AS_TAGS and value is not None and not isinstance(value, str):
            raise TypeError(f"{word} must be text, not {type(value).__qualname__}")
    for word, text in {"name": name, "note": note, "id": id}.items():
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{word} must be text, not {type(text).__qualname__}")
    if isinstance(tags, str):
        raise TypeError("tags are several texts, such as ['v2']")
    ignored = [
        word
        for word, value in others.items()
        if word in _IGNORED and value is not None and value not in _IGNORED[word]
    ]
    is_word = isinstance(resume, bool) or resume in _RESUME_WORDS
    target = id if is_word and resume not in (False, "never") else None if is_word else resume
    if resume == "must" and id is None:
        raise UsageError("resume='must' needs `id`", hint="`init(resume=ID)` continues run ID")
    if ignored:
        warn(f"init() has no use for {', '.join(sorted(ignored))}")
    kept = [
        f"{_AS_TAGS[word]}:{value}" for word, value in others.items() if word in _AS_TAGS and value
    ]
    return Wish(
        config=plain_mapping(_read_config(config), what="config"),
        name=name,
        tags=tuple(dict.fromkeys([*map(str, tags or ()), *kept])),
        note=note,
        resume=str(target) if target else None,
        must_resume=not is_word or resume == "must",
        given_id=id,
        follows_tensorboard=any(others.get(word) for word in _TENSORBOARD),
    )


def _read_config(config: object) -> object:
    """What a YAML file says, where `config` is the path of one."""
    if not isinstance(config, (str, os.PathLike)):
        return config
    from repro.store.yamlfile import load_yaml  # noqa: PLC0415  # most configs are mappings

    try:
        data = Path(config).read_bytes()
    except OSError as error:
        raise InvalidInputError(
            f"the config `{config}` cannot be read: {error.strerror}"
        ) from error
    return load_yaml(data, name=str(config))


def tag_of_id(given: str) -> str:
    """The tag by which a run is found again that was started with W&B's `id`."""
    return f"id:{given}"
