"""What people say of a run: tags, a note, another name.

Of a sealed one the run commit stays; a new one on top of it says what changed, and every such step
moves the ref forward (FORMAT.md section "Amending"). Of one in progress it lies in the live folder.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from repro.core.amend import amend_run
from repro.core.project import Project
from repro.core.words import say_of_live
from repro.errors import InvalidInputError
from repro.model.curation import count_words
from repro.model.run import Record, Run
from repro.model.secrets import redact_text
from repro.model.text import escape
from repro.store.clonekey import read_marker

_LONGEST = 255  # characters of a name or a tag
_MOST_TAGS = 1_000  # those taken off included, which are kept in mind for merging


def tag_run(project: Project, record: Record, tags: Sequence[str]) -> Run:
    """Add tags to a run; those that it has stay where they are.

    Raises:
        InvalidInputError: A tag is empty, too long, or has control characters; the run would have
            had more than 1,000, those that were taken off included.
        UsageError: The run is in progress in another clone.
    """
    for tag in tags:
        check_label("tag", tag)
    tags = [_without_secrets(project, tag) for tag in tags]

    def with_tags(run: Run) -> Run:
        added = [tag for tag in dict.fromkeys(tags) if tag not in run.tags]
        if added and count_words(run) + len(added) > _MOST_TAGS:
            raise InvalidInputError(
                f"run `{run.id}` would have had more than {_MOST_TAGS:,} tags",
                hint=f"`repro note {run.id} TEXT` takes long text",
            )
        return replace(run, tags=(*run.tags, *added))

    return _amend(project, record, with_tags)


def untag_run(project: Project, record: Record, tags: Sequence[str]) -> Run:
    """Take tags off a run.

    Raises:
        InvalidInputError: It does not have one of them; nothing was changed.
        UsageError: The run is in progress in another clone.
    """

    def without(run: Run) -> Run:
        absent = [tag for tag in tags if tag not in run.tags]
        if absent:
            raise InvalidInputError(
                f"run `{run.id}` has no tag `{escape(absent[0])}`",
                hint=f"`repro show {run.id}` lists its tags",
            )
        return replace(run, tags=tuple(tag for tag in run.tags if tag not in tags))

    return _amend(project, record, without)


def set_note(project: Project, record: Record, note: str) -> Run:
    """Give a run another note; an empty one takes it away.

    Raises:
        UsageError: The run is in progress in another clone.
    """
    bare = _without_secrets(project, note)
    return _amend(project, record, lambda run: replace(run, note=bare or None))


def rename_run(project: Project, record: Record, name: str) -> Run:
    """Give a run another name; names need not be unique, the newest run wins.

    Raises:
        InvalidInputError: The name is empty, too long, or has control characters.
        UsageError: The run is in progress in another clone.
    """
    check_label("name", name)
    bare = _without_secrets(project, name)
    return _amend(project, record, lambda run: replace(run, name=bare))


def check_label(what: str, text: str) -> None:
    """Refuse a name or a tag that no table could show.

    Args:
        what: `name` or `tag`, for the message.

    Raises:
        InvalidInputError: It is empty, longer than 255 characters, or has control characters.
    """
    shown = escape(text[:80])
    if not text.strip():
        raise InvalidInputError(f"a {what} cannot be empty", hint=f"give the {what} some text")
    if len(text) > _LONGEST:
        raise InvalidInputError(
            f"the {what} `{shown}…` is longer than {_LONGEST} characters",
            hint="`repro note RUN TEXT` takes long text",
        )
    if escape(text) != text:
        raise InvalidInputError(
            f"the {what} `{shown}` has control characters", hint="use printable text only"
        )


def _without_secrets(project: Project, text: str) -> str:
    return redact_text(text, read_marker(project.repository.private))


def _amend(project: Project, record: Record, change: Callable[[Run], Run]) -> Run:
    if not record.commit:
        said = say_of_live(project, record.run.id, change)
        if said is not None:
            return said
    return amend_run(project, record.run.id, change)
