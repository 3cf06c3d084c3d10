"""What people say of runs, from the page: tags, notes, names, the trash."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from repro.atomic import storage_errors
from repro.core.curate import rename_run, set_note, tag_run, untag_run
from repro.core.project import Project
from repro.core.query import resolve_run
from repro.core.trash import find_removed, remove_runs, restore_run
from repro.errors import InvalidInputError, ReproError
from repro.model.ids import is_id
from repro.web.naming import project_of

_MOST = 1_000  # runs of one request

_Change = Callable[[Project, str, Mapping[str, Any]], None]


async def change_tags(request: Request) -> Response:
    """`{"runs": [ID…], "add": [TAG…], "remove": [TAG…]}`; a tag that a run lacks is no error."""
    return await _answer(request, _change_tags)


async def change_note(request: Request) -> Response:
    """`{"runs": [ID…], "note": TEXT}`; an empty one takes it away."""
    return await _answer(request, _change_note)


async def change_name(request: Request) -> Response:
    """`{"runs": [ID…], "name": TEXT}`."""
    return await _answer(request, _change_name)


async def throw_away(request: Request) -> Response:
    """`{"runs": [ID…]}`: to the trash, from which `restore` brings them back."""
    return await _answer(request, _throw_away)


async def bring_back(request: Request) -> Response:
    """`{"runs": [ID…]}`: from the trash."""
    return await _answer(request, _bring_back)


async def _answer(request: Request, change: _Change) -> Response:
    """Change each run by itself: one that cannot be changed keeps no other from it."""
    wish = await _read(request)
    done, problems = await run_in_threadpool(_change_all, project_of(request), wish, change)
    return JSONResponse({"done": done, "problems": problems}, status_code=200 if done else 409)


async def _read(request: Request) -> Mapping[str, Any]:
    try:
        wish = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("this is no JSON") from error
    runs = wish.get("runs") if isinstance(wish, dict) else None
    if not isinstance(runs, list) or not all(isinstance(one, str) and is_id(one) for one in runs):
        raise InvalidInputError("`runs` is a list of whole ids of runs")
    if not 0 < len(runs) <= _MOST:
        raise InvalidInputError(f"between 1 and {_MOST:,} runs are changed at a time")
    return {**wish, "runs": list(dict.fromkeys(runs))}


def _change_all(
    project: Project, wish: Mapping[str, Any], change: _Change
) -> tuple[list[str], list[dict[str, str | None]]]:
    done, problems = [], []
    for run_id in wish["runs"]:
        try:
            with storage_errors("it"):
                change(project, run_id, wish)
        except ReproError as error:
            problems.append({"run": run_id, "message": error.message, "hint": error.hint})
        else:
            done.append(run_id)
    return done, problems


def _change_tags(project: Project, run_id: str, wish: Mapping[str, Any]) -> None:
    added, removed = _texts(wish, "add"), _texts(wish, "remove")
    run = resolve_run(project, run_id)
    if added:
        tag_run(project, run, added)
    present = [tag for tag in removed if tag in run.run.tags]
    if present:
        untag_run(project, resolve_run(project, run_id), present)


def _change_note(project: Project, run_id: str, wish: Mapping[str, Any]) -> None:
    set_note(project, resolve_run(project, run_id), _text(wish, "note"))


def _change_name(project: Project, run_id: str, wish: Mapping[str, Any]) -> None:
    rename_run(project, resolve_run(project, run_id), _text(wish, "name"))


def _throw_away(project: Project, run_id: str, _wish: Mapping[str, Any]) -> None:
    remove_runs(project, [run_id])


def _bring_back(project: Project, run_id: str, _wish: Mapping[str, Any]) -> None:
    restore_run(project, find_removed(project, run_id))


def _text(wish: Mapping[str, Any], key: str) -> str:
    text = wish.get(key)
    if not isinstance(text, str):
        raise InvalidInputError(f"`{key}` is a text")
    return text


def _texts(wish: Mapping[str, Any], key: str) -> list[str]:
    texts = wish.get(key, [])
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise InvalidInputError(f"`{key}` is a list of texts")
    return texts
