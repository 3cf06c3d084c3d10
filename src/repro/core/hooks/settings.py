"""Whether the settings that a commit holds can be read: `repro.yaml`, the params files it names."""

from repro.core.project import Project
from repro.errors import InvalidInputError
from repro.model.finding import Finding
from repro.store.paramsfile import parse_config_file
from repro.store.settings import FILE, Settings, parse_settings, read_input
from repro.store.staged import read_staged


def read_staged_settings(project: Project) -> Settings | None:
    """The settings that the commit holds; None where it has no `repro.yaml`.

    Raises:
        InvalidInputError: They are wrong; file, line and key are named.
    """
    data = read_staged(project.repository.git, FILE)
    return None if data is None else parse_settings(data, project.repository.root)


def find_invalid_settings(project: Project) -> tuple[Finding, ...]:
    """Name what is wrong in `repro.yaml` or a params file of the commit, with its place.

    A params file that git does not track is read where it lies.

    Args:
        project: With the settings that the commit holds, where they can be read.
    """
    if project.settings == Settings():  # there are none, or they are wrong
        try:
            read_staged_settings(project)
        except InvalidInputError as error:
            return (Finding(error.message, error.hint),)
    found = []
    for name in project.settings.config:
        try:
            _check(project, name)
        except InvalidInputError as error:
            found.append(Finding(error.message, error.hint))
    return tuple(found)


def _check(project: Project, name: str) -> None:
    data = read_staged(project.repository.git, name)
    if data is None:
        data = read_input(project.repository.root, name)
    if data is None:
        raise InvalidInputError(
            f"there is no params file `{name}`, which `{FILE}` names",
            hint=f"add it, or take it out of `config:` in `{FILE}`",
        )
    parse_config_file(data, name)
