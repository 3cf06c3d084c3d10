"""The map of the pages: every address with what answers it."""

from starlette.routing import Route

from repro.web.pages import (
    artifacts,
    compare,
    completion,
    coordinates,
    curation,
    curves,
    diff,
    files,
    live,
    run,
    runs,
    static,
    sweeps,
    trash,
)
from repro.web.pages.live import followed

ROUTES = [
    Route("/", followed(runs.show_runs)),
    # One run, and two
    Route("/runs/{id}", followed(run.show_run)),
    Route("/runs/{id}/output", run.give_output),
    Route("/runs/{id}/patch", run.give_patch),
    Route("/runs/{id}/files", files.show_code),
    Route("/runs/{id}/files/{path:rest}", files.show_code),
    Route("/runs/{id}/artifacts", artifacts.list_artifacts),
    Route("/runs/{id}/artifacts/{n}", artifacts.show_artifact),
    Route("/runs/{id}/artifacts/{n}/raw", artifacts.give_artifact),
    Route("/runs/{id}/media/{file}", artifacts.give_picture),
    Route("/runs/{name:rest}", run.show_named),  # a name may have slashes
    Route("/diff", diff.show_diff),
    Route("/diff/patch", diff.give_patch),
    Route("/compare", followed(compare.show_compare)),
    Route("/sweeps", followed(sweeps.show_sweeps)),
    Route("/sweeps/{sweep}", followed(sweeps.show_sweep)),
    Route("/trash", followed(trash.show_trash)),
    # What pages ask for
    Route("/api/sweeps/{sweep}", sweeps.give_history),
    Route("/api/curves", curves.give_curves),
    Route("/api/curves.svg", curves.give_chart),
    Route("/api/coordinates", coordinates.give_coordinates),
    Route("/api/complete", completion.give_words),
    Route("/live", live.follow),
    Route("/static/{name}", static.give_file),
    Route("/vendor/plotly.js", static.give_plotly),
    Route("/favicon.ico", static.give_icon),
    # What people say of runs: the only requests that change anything
    Route("/curate/tags", curation.change_tags, methods=["POST"]),
    Route("/curate/note", curation.change_note, methods=["POST"]),
    Route("/curate/name", curation.change_name, methods=["POST"]),
    Route("/curate/trash", curation.throw_away, methods=["POST"]),
    Route("/curate/restore", curation.bring_back, methods=["POST"]),
]
