"""Who may ask what of the server, decided before any page is reached.

A page of any other site can send requests to a server on loopback, and so can every user of the
machine. So a request must name our own host (DNS rebinding), must not come from a foreign origin,
and must have the token. Only a POST changes anything, and only one from our own pages.
"""

from collections.abc import Iterator
from hmac import compare_digest
from html import escape
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from repro.web.site import Site

# Of the style elements that plotly's script makes: one it fills by its own rules afterwards.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_EMPTY_STYLE}",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_READING = ("GET", "HEAD")
_MOST_BODY = 1 << 20  # bytes of a request


class Guard:
    """The application behind it gets only what may be asked; every answer gets strict headers."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refuse(scope, Headers(scope=scope)) or self._let_in(scope)
        await (answer or self._app)(scope, receive, send_guarded)

    def _refuse(self, scope: Scope, headers: Headers) -> Response | None:
        """What no token makes good."""
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return _plain(400, "a request names one host")
        if hosts[0].lower() not in self._site.hosts:
            port = self._site.port
            return _plain(
                403,
                f"this is 127.0.0.1:{port}, and answers by no other name.\n"
                f"Through a tunnel take the same port: ssh -L {port}:127.0.0.1:{port} HOST",
            )
        origins = headers.getlist("origin")
        if any(origin not in self._site.origins for origin in origins):
            return _plain(403, "a page of another site may not ask")
        is_reading = scope["method"] in _READING
        is_foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        is_link = is_reading and headers.get("sec-fetch-mode") == "navigate"
        if is_foreign and not is_link:
            return _plain(403, "a page of another site may not ask")
        if not is_reading:
            return self._refuse_change(scope, headers, has_origin=bool(origins))
        return None

    def _refuse_change(
        self, scope: Scope, headers: Headers, *, has_origin: bool
    ) -> Response | None:
        if scope["method"] != "POST":
            return _plain(405, "nothing here is asked that way", Allow="GET, HEAD, POST")
        if not has_origin:
            return _plain(403, "only our own pages may change anything")
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _plain(415, "a change is sent as application/json")
        length = headers.get("content-length", "")
        if not length.isascii() or not length.isdecimal() or int(length) > _MOST_BODY:
            return _plain(413, f"a change has at most {_MOST_BODY:,} bytes, and says how many")
        if self._site.is_read_only:
            return _plain(403, "this server was started with --read-only")
        return None

    def _let_in(self, scope: Scope) -> Response | None:
        """None for who has the token; a token in the address moves into a cookie."""
        headers = Headers(scope=scope)
        if any(map(self._is_token, _cookies(headers, self._cookie_name))):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() in ("token", "bearer") and self._is_token(given):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if scope["method"] == "GET" and any(k == "token" and self._is_token(v) for k, v in query):
            return self._move_token(scope, headers, [one for one in query if one[0] != "token"])
        return _login(scope, query)

    def _move_token(self, scope: Scope, headers: Headers, query: list[tuple[str, str]]) -> Response:
        # Never `//host`, which would be the address of another site.
        path = "/" + scope["path"].lstrip("/\\")
        target = quote(path, safe="/") + (f"?{urlencode(query)}" if query else "")
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            answer = Response(status_code=303, headers={"Location": target})
        else:
            # A strict cookie is not sent along a redirect that another site began.
            answer = PlainTextResponse("…", headers={"Refresh": f"0; url={target}"})
        answer.set_cookie(self._cookie_name, self._site.token, httponly=True, samesite="strict")
        return answer

    @property
    def _cookie_name(self) -> str:
        return f"repro-{self._site.port}"  # a cookie is sent to every port of its host

    def _is_token(self, given: str) -> bool:
        return compare_digest(given.encode(), self._site.token.encode())


def _cookies(headers: Headers, name: str) -> Iterator[str]:
    """The values of each cookie of that name.

    Servers on other ports of this machine set cookies, too, of any form, and of our name for a
    part of our paths: none of these keeps ours from being found.
    """
    for header in headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.partition("=")
            if key.strip() == name:
                yield value.strip()


def _plain(status: int, text: str, **headers: str) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=status, headers=headers)


def _login(scope: Scope, query: list[tuple[str, str]]) -> Response:
    """Ask for the token, as whoever opens a link that was sent to them lacks it."""
    if scope["method"] != "GET" or not _wants_html(scope):
        return _plain(401, "the token is missing: open the address that `repro ui` printed")
    kept = "".join(
        f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">'
        for key, value in query
        if key != "token"
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>repro: token</title>'
        '<meta name="viewport" content="width=device-width">'
        "<main><h1>Who is there?</h1><p>Open the address that <code>repro ui</code> printed, or"
        f' give its token.</p><form method="get">{kept}<label>Token <input name="token"'
        ' type="password" autocomplete="off" required autofocus></label> <button>Open</button>'
        "</form></main></html>",
        status_code=401,
    )


def _wants_html(scope: Scope) -> bool:
    return "text/html" in Headers(scope=scope).get("accept", "")
