"""What a hostile vendor may put into a field, and a server that says it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from certrecon.api.endpoint import DitioEndpoint, FourHseEndpoint, PasswordGrant
from tests.contract.pipeline import Pipeline
from tests.contract.world_server import CLIENT, IDS, USER, WorldServer
from tests.oracle.world import Row

TEN_MB = 10_000_000
TEXTS: dict[str, str] = {
    "SQL": "'); DROP TABLE reconciliation.run; --",
    "SQL in a COPY": "\\N\t\\.\n\\x00",
    "an array literal": '{"a",NULL,}"\\',
    "a script": "<script>alert(1)</script>",
    "a picture": '"><img src=x onerror=alert(1)>',
    "the end of everything": "]]></style></script></textarea>--><svg/onload=alert(1)>",
    "an attribute": '" onmouseover="alert(1)',
    "a link": "javascript:alert(1)//",
    "a template": "{{ 7*7 }}{% raw %}${7*7}#{7*7}%s%n%(name)s{0}",
    "a formula": '=HYPERLINK("http://evil.example","x")',
    "a formula by plus": "+cmd|' /C calc'!A0",
    "a formula by minus": "-2+3",
    "a formula by at": "@SUM(1+1)",
    "a formula after a tab": "\t=1+1",
    "a formula after a line": "\r\n=2+2",
    "a formula in full width": "＝1+1",
    "a second CSV cell": '",=1+1,"',
    "terminal codes": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "one-byte terminal codes": "\x9b2J\x84\x07\x08",
    "NUL": "a\x00b",
    "every control character": "".join(map(chr, range(32))) + "\x7f",
    "writing from right to left": "\u202egnp.exe\u2066\u200f",
    "invisible characters": "\u200b\u200d\ufeff\u00ad\u2060",
    "lines": "a\nb\r\nc\u2028d\u2029e\x85f",
    "a header": "x\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "half a character": "\ud800",
    "both halves, turned round": "\udc00\ud800",
    "no character": "\uffff\ufffe\U0010ffff",
    "marks without end": "a" + "\u0301" * 5_000,
    "a path": "../../../../etc/passwd\\..\\..",
    "blanks": " \u00a0\u3000 ",
    "nothing": "",
    "10 MB": "x" * TEN_MB,
    "10 MB of tags": "<b>" * (TEN_MB // 3),
}  # fmt: skip

RAW = {
    "a number too large": "1e400",
    "a small number too large": "-1e400",
    "not a number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "a leading zero": "01042",
    "a hexadecimal number": "0x10",
    "nested lists": "[" * 3_000 + "]" * 3_000,
    "nested objects": '{"a":' * 3_000 + "1" + "}" * 3_000,
}
"""What Python does not write as JSON; a vendor may."""
VALUES: dict[str, Any] = {
    "true": True,
    "false": False,
    "zero": 0,
    "minus one": -1,
    "a fraction": 1.5,
    "10**400": 10**400,
    "2**63": 2**63,
    "a list": ["Kari"],
    "an empty list": [],
    "an object": {"name": "<script>alert(1)</script>"},
    "an empty object": {},
    "nested thirty deep": eval("[" * 30 + "]" * 30),  # noqa: S307 - brackets alone
    "null": None,
}


def raw(name: str) -> str:
    """Return a mark in whose place the server writes the literal of that name."""
    return f"@raw {name}@"


ROWS = {"null": "null", "a number": "1", "a text": '"x"', "a list": "[]", "rows inside a row": "[{}]", "true": "true"}
"""What may stand where a row belongs."""


def no_object(name: str) -> Row:
    """Return a row in whose place the server writes the value of that name."""
    return {**dict.fromkeys(IDS.values(), "odd"), "mark": f"@row {name}@"}


_MARK = re.compile(r'"@raw ([a-z ]+)@"')
_ROW_MARK = re.compile(r'\{[^{}]*"@row ([a-z ]+)@"\}')


class HostileServer(WorldServer):
    """Both vendors, who write literals where the world holds marks."""

    def _page(self, asked: Row, rows: list[Row], key: str) -> web.Response:
        return _written(super()._page(asked, rows, key))

    async def _employees(self, request: web.Request) -> web.Response:
        return _written(await super()._employees(request))


def _written(answer: web.Response) -> web.Response:
    assert answer.text is not None
    rows = _ROW_MARK.sub(lambda mark: ROWS[mark.group(1)], answer.text)
    answer.text = _MARK.sub(lambda mark: RAW[mark.group(1)], rows)
    return answer


def hostile_pipeline(server: WorldServer, warehouse: Engine, folder: Path, settings: dict[str, Any]) -> Pipeline:
    """Return the pipeline between a hostile vendor and a warehouse."""
    grant = PasswordGrant(f"{server.url}/hse/token", USER["client_id"], USER["username"], USER["password"])
    fourhse = FourHseEndpoint(f"{server.url}/hse", grant)
    ditio = DitioEndpoint(
        f"{server.url}/ditio/core", f"{server.url}/ditio/token", CLIENT["client_id"], CLIENT["client_secret"]
    )
    return Pipeline(warehouse, fourhse, ditio, folder, settings)
