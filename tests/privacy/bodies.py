"""Every form in which a vendor, or a proxy before it, can put a canary into an answer that is no success."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from tests.privacy.planted import PHONE
from tests.privacy.vendors import Echo, basic


@dataclass(frozen=True)
class Shape:
    """One form of answer.

    Attributes:
        name: What it is.
        answer: Makes it; None breaks the connection off.
    """

    name: str
    answer: Callable[[Echo], web.StreamResponse | None]


def _json(status: int, body: Any, **headers: str) -> web.Response:
    return web.json_response(body, status=status, headers=headers)


def _row(echo: Echo) -> dict[str, Any]:
    """Return a row of medical data such as a careless error may carry."""
    return {
        "certificate_id": "c1",
        "name": echo.medical("name in a row"),
        "note": echo.medical("note in a row"),
        "data": {"result": [echo.medical("data in a row")]},
        "email": echo.person("e-mail in a row"),
        "birthDate": echo.birth_date(),
        "phone": PHONE,
    }


def _said(echo: Echo) -> str:
    """Return a message with every secret in it, and medical data where a careful message has a value."""
    medical = echo.medical("quoted value")
    return (
        f"Invalid value '{medical}' for note. You sent {echo.headers} to {echo.address} with {echo.body}; "
        + " ".join(echo.secrets)
        + f" and the row {json.dumps(_row(echo))}. Contact {echo.person('message')}. data: {echo.medical('named value')}"
    )


def _yii(status: int) -> Callable[[Echo], web.Response]:
    def answer(echo: Echo) -> web.Response:
        body = {
            "name": "Bad Request",
            "message": _said(echo),
            "code": 0,
            "status": status,
            "type": echo.medical("type"),
            "file": echo.medical("file"),
            "stack-trace": [echo.medical("stack trace"), *echo.secrets],
            "previous": _row(echo),
            "data": _row(echo),
        }
        return _json(status, body)

    return answer


def _ditio_message(echo: Echo) -> str:
    """Return a message of Ditio, which knows nothing medical: the row and the secrets that were sent."""
    return f"Refused {echo.body} for {echo.person('message')}: {echo.headers} {' '.join(echo.secrets)} {echo.address}"


def _ditio(echo: Echo) -> dict[str, Any]:
    return {"category": "UserInvalidInputError", "code": "V", "field": "Phone", "message": _ditio_message(echo)}


def _page(echo: Echo, *, escape: Callable[[str], str]) -> str:
    lines = "".join(f"<li><tt>{escape(line)}</tt>" for line in [echo.headers, echo.address, echo.body, *echo.secrets])
    row = escape(json.dumps(_row(echo)))
    return f"<html><head><title>502 Bad Gateway</title></head><body><h1>Proxy error</h1><ul>{lines}</ul>{row}</body>"


def _html(status: int, escape: Callable[[str], str] = str) -> Callable[[Echo], web.Response]:
    def answer(echo: Echo) -> web.Response:
        return web.Response(status=status, text=_page(echo, escape=escape), content_type="text/html")

    return answer


def _entities(text: str) -> str:
    return "".join(f"&#{ord(one)};" for one in text)


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _php(text: str) -> str:
    return json.dumps(text)[1:-1].replace("/", "\\/").replace("+", "\\u002B").replace("&", "\\u0026")


def _base64(text: str) -> str:
    return " ".join(base64.b64encode((before + text).encode()).decode() for before in ("", "a", "ab", "user:"))


def _hexadecimal(text: str) -> str:
    return text.encode().hex()


def _unusual(echo: Echo) -> web.Response:
    body = {"status": "error", "rows": [_row(echo)], "request": {"headers": echo.headers, "body": echo.body}}
    return _json(500, body)


def _redirect(echo: Echo) -> web.Response:
    place = f"https://login.example/{quote(echo.medical('path'))}?access-token={quote(echo.secrets[-1])}#{quote(echo.address)}"
    return web.Response(status=302, text=_page(echo, escape=str), headers={"Location": place})


def _redirect_to_a_secret(echo: Echo) -> web.Response:
    host, user = quote(echo.secrets[-1], safe=""), quote(echo.secrets[0], safe="")
    return web.Response(status=307, headers={"Location": f"https://{user}:{user}@{host}.example/{host}"})


def _headers(status: int) -> Callable[[Echo], web.Response]:
    def answer(echo: Echo) -> web.Response:
        medical, token = echo.medical("header"), echo.secrets[-1]
        names = ("WWW-Authenticate", "X-Pagination-Total-Count", "X-Pagination-Page-Count", "Retry-After", "Set-Cookie",
                 "X-Rate-Limit-Reset", "Server", "Link", "ETag", "X-Debug", "Content-Language")  # fmt: skip
        headers = dict.fromkeys(names, f"{medical} {token}")
        headers["X-Certrecon-Sandbox"] = "1"
        return web.Response(
            status=status, headers=headers, text="[]", content_type=f"application/{token[:8].strip('/')}"
        )

    return answer


def _cut(status: int) -> Callable[[Echo], web.Response]:
    def answer(echo: Echo) -> web.Response:
        return web.Response(status=status, body=json.dumps([_row(echo), echo.secrets]).encode()[:-9])

    return answer


def _not_gzip(echo: Echo) -> web.Response:
    return web.Response(status=200, body=json.dumps(_row(echo)).encode(), headers={"Content-Encoding": "gzip"})


def _gzip(echo: Echo) -> web.Response:
    body = gzip.compress(_page(echo, escape=str).encode())
    return web.Response(status=502, body=body, headers={"Content-Encoding": "gzip"})


def _utf16(echo: Echo) -> web.Response:
    return web.Response(status=500, body=_page(echo, escape=str).encode("utf-16"))


def _short(echo: Echo) -> web.Response:
    """Return less than was promised: the connection ends in the middle of a row."""
    body = json.dumps([_row(echo)]).encode()[:-20]
    response = web.Response(status=200, body=body)
    response.headers["Content-Length"] = str(len(body))
    return response


def _plain(echo: Echo) -> web.Response:
    return web.Response(
        status=500, text=f"It failed for {json.dumps(_row(echo))} {' '.join(echo.secrets)} {echo.headers}"
    )


SHARED = (
    Shape("HTML with 502", _html(502)),
    Shape("HTML with 200", _html(200)),
    Shape("HTML, escaped", _html(403, html.escape)),
    Shape("HTML, numeric entities", _html(403, _entities)),
    Shape("percent-escaped", _html(403, _percent)),
    Shape("escaped as PHP and .NET do", _html(403, _php)),
    Shape("base64", _html(403, _base64)),
    Shape("hexadecimal", _html(403, _hexadecimal)),
    Shape("Basic header", lambda echo: web.Response(status=403, text=basic("user", echo.secrets[0]))),
    Shape("plain text", _plain),
    Shape("JSON of no known form", _unusual),
    Shape("rows with 500", lambda echo: _json(500, [_row(echo)])),
    Shape("rows, cut, with 500", _cut(500)),
    Shape("rows, cut, with 200", _cut(200)),
    Shape("a row with 200", lambda echo: _json(200, _row(echo))),
    Shape("JSON text", lambda echo: _json(403, _said(echo))),
    Shape("OAuth", lambda echo: _json(400, {"error": "invalid_grant", "error_description": _said(echo), "x": _row(echo)})),
    Shape("redirect", _redirect),
    Shape("redirect to a secret", _redirect_to_a_secret),
    Shape("headers with 401", _headers(401)),
    Shape("headers with 200", _headers(200)),
    Shape("headers with 429", _headers(429)),
    Shape("gzip that is none", _not_gzip),
    Shape("gzip", _gzip),
    Shape("UTF-16", _utf16),
    Shape("ends in a row", _short),
    Shape("connection broken off", lambda _echo: None),
)  # fmt: skip
FOURHSE_SHAPES = (
    Shape("Yii 400", _yii(400)),
    Shape("Yii 401", _yii(401)),
    Shape("Yii 403", _yii(403)),
    Shape("Yii 404", _yii(404)),
    Shape("Yii 500", _yii(500)),
    Shape("Yii 422", lambda echo: _json(422, [{"field": "note", "message": _said(echo), "value": echo.medical("value")}])),
)  # fmt: skip
DITIO_SHAPES = (
    Shape("v5 validation", lambda echo: _json(400, {"message": "Validation failed", "errors": [_ditio(echo)]})),
    Shape("simple", lambda echo: _json(400, {"error": "ArgumentIsNull", "message": _ditio_message(echo)})),
    Shape("older 5xx", lambda echo: _json(500, {"error": {"message": _ditio_message(echo)}})),
    Shape("ASP.NET", lambda echo: _json(400, {"title": "Errors", "errors": {"[0].Number": [_ditio_message(echo)]}})),
    Shape("ASP.NET exception", lambda echo: _json(500, {"Message": "An error", "ExceptionMessage": _ditio_message(echo)})),
    Shape("text", lambda echo: web.Response(status=400, text=f"Ansatt finnes ikke: {_ditio_message(echo)}")),
    Shape("forbidden", lambda echo: _json(403, {"error": _ditio_message(echo), "message": _ditio_message(echo)})),
    Shape("not found", lambda echo: _json(404, {"message": _ditio_message(echo)})),
)  # fmt: skip
