"""Only who has the token, on this machine, from our own pages, is let in."""

import pytest
from starlette.routing import Route
from tests.support.projects import make_run, open_here
from tests.support.web import ORIGIN, OWN, PORT, TOKEN

from repro.core.query import resolve_run
from repro.web.guard import POLICY
from repro.web.routes import ROUTES

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        f"127.0.0.1.evil.example:{PORT}",
        "127.0.0.1:7374",
        "127.0.0.1",
        f"0.0.0.0:{PORT}",
        f"2130706433:{PORT}",
        f"[::ffff:127.0.0.1]:{PORT}",
        f"evil.example@127.0.0.1:{PORT}",
    ],
)
def test_a_foreign_host_is_refused_even_with_the_token(repository, browse, host):
    answer = browse(repository).get("/", headers={"host": host})

    assert answer.status_code == 403
    assert "ssh -L 7373:127.0.0.1:7373" in answer.text


@pytest.mark.parametrize("host", [f"localhost:{PORT}", f"LocalHost:{PORT}", f"[::1]:{PORT}"])
def test_the_names_of_this_machine_are_good(repository, browse, host):
    assert browse(repository).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    ],
)
def test_pages_of_others_may_neither_read_nor_change(repository, browse, headers):
    client = browse(repository)
    run = make_run(open_here(repository))
    wish = {"runs": [run.id], "add": ["theirs"]}

    assert client.get("/", headers=headers).status_code == 403
    assert client.get("/live", headers=headers).status_code == 403
    sent = {**OWN, **headers}
    assert client.post("/curate/tags", json=wish, headers=sent).status_code == 403
    assert resolve_run(open_here(repository), run.id).run.tags == ()


def test_a_change_must_say_that_it_comes_from_our_pages_and_be_json(repository, browse):
    client = browse(repository)
    assert client.post("/curate/tags", json={}).status_code == 403
    form = client.post("/curate/tags", data={"runs": "x"}, headers=OWN)
    assert form.status_code == 415
    text = client.post("/curate/tags", content="{}", headers={**OWN, "content-type": "text/plain"})
    assert text.status_code == 415
    long = client.post("/curate/tags", content=b" " * (2 << 20), headers={**OWN, **JSON})
    assert long.status_code == 413
    assert client.put("/curate/tags", json={}, headers=OWN).status_code == 405


def test_without_the_token_nothing_is_shown(repository, browse):
    make_run(open_here(repository), name="secret-plan")
    stranger = browse(repository, token=None)

    for path in ("/", "/live", "/static/base.css", "/nothing"):
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert "secret-plan" not in answer.text
    for path in ("/?token=wrong", f"/?token={TOKEN[:-1]}", "/?token=", "/?token=%FF"):
        assert stranger.get(path).status_code == 401
    assert browse(repository, token="wrong").get("/").status_code == 401
    sent = stranger.post("/curate/trash", json={"runs": []}, headers=OWN)
    assert sent.status_code == 401


def test_a_thousand_wrong_tokens_do_not_lock_the_owner_out(repository, browse):
    stranger = browse(repository, token=None)

    assert {stranger.get(f"/?token={n}").status_code for n in range(1000)} == {401}
    assert browse(repository).get("/").status_code == 200


def test_the_token_moves_from_the_address_into_a_cookie_that_scripts_cannot_read(
    repository, browse
):
    client = browse(repository, token=None)
    answer = client.get(f"/?q=lr+%3C+1&token={TOKEN}", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/?q=lr+%3C+1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "others",
    [
        '{"theirs": [1, 2]}; ',
        "username-127-0-0-1-8888=2|1:0|10:1764000000|x:y; ",
        "bad[name=1; =; ;; @@; ",
        f"repro-{PORT}=garbage; ",
    ],
)
def test_cookies_of_other_servers_of_this_machine_do_not_lock_the_owner_out(
    repository, browse, others
):
    client = browse(repository, token=None)
    own = f"repro-{PORT}={TOKEN}"
    for cookies in (others + own, f"{own}; {others}"):
        assert client.get("/", headers={"cookie": cookies}).status_code == 200
    assert client.get("/", headers={"cookie": f"{others}x={own}"}).status_code == 401


def test_a_link_from_another_site_is_not_a_redirect_which_would_lose_the_cookie(repository, browse):
    foreign = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    answer = browse(repository, token=None).get(f"/?token={TOKEN}", headers=foreign)

    assert (answer.status_code, answer.headers["refresh"]) == (200, "0; url=/")


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "//evil.example/%2e%2e"])
def test_the_token_never_leads_to_another_site(repository, browse, path):
    client = browse(repository, token=None)
    answer = client.get(f"{ORIGIN}{path}?token={TOKEN}&next=//evil.example", follow_redirects=False)

    assert not answer.headers["location"].startswith(("//", "/\\", "http"))


def test_whoever_lacks_the_token_can_give_it_and_keeps_the_view(repository, browse):
    answer = browse(repository, token=None).get("/?q=%22%3E%3Cscript%3E&sort=lr")

    assert answer.status_code == 401
    assert '<input type="hidden" name="sort" value="lr">' in answer.text
    assert "<script>" not in answer.text


def test_every_answer_has_strict_headers(repository, browse):
    client = browse(repository)
    answers = [client.get(path) for path in ("/", "/nothing", "/static/page.js")]
    answers.append(browse(repository, token=None).get("/"))

    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
    assert "'unsafe-inline'" not in POLICY
    assert "'unsafe-eval'" not in POLICY
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY


def test_only_a_post_changes_anything():
    changing = {route.path for route in ROUTES if "POST" in (route.methods or ())}

    assert all(isinstance(route, Route) for route in ROUTES)
    assert changing == {route.path for route in ROUTES if route.path.startswith("/curate/")}
    assert all(
        (route.methods or set()) <= {"GET", "HEAD"} or route.path in changing for route in ROUTES
    )


@pytest.mark.parametrize(
    "name",
    [
        "../guard.py",
        "..%2fguard.py",
        "%2e%2e%2fguard.py",
        "%252e%252e%252fguard.py",
        "..%5cguard.py",
        "..;/guard.py",
        "base.css%00",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "file:%2f%2f%2fetc%2fpasswd",
    ],
)
def test_no_path_leads_out_of_the_static_files(repository, browse, name):
    answer = browse(repository).get(f"/static/{name}")

    assert answer.status_code == 404
    assert "root:" not in answer.text
    assert "compare_digest" not in answer.text
