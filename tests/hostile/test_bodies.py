"""Bodies without end, small ones that grow, floods of headers, and answers that never finish."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from certrecon.api.ditio import Attempt
from certrecon.api.outcomes import Reaction
from certrecon.api.wire import MAX_ERROR_BODY, Answer, Expect, Fault, FaultKind, Request, Timeouts, Wire
from certrecon.errors import CertreconError, CredentialsError, ResponseFormatError, VendorUnavailableError
from tests.hostile.clients import IMPATIENT, POST, READS, assert_fit_to_show, outcome_of, said, token_from
from tests.hostile.raw_server import Say, answer, raw_server, repeating, saying

MIB = 2**20
LIMIT = MIB
ALLOWED = 12 * MIB
"""Most memory that a body which is refused at 1 MiB may take meanwhile: buffers of the connection included."""
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
JSON = b"Content-Type: application/json\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _bomb(kind: str, mib: int) -> bytes:
    """Return so many MiB of blanks, compressed."""
    window = {"gzip": 31, "deflate": 15, "raw deflate": -15}[kind]
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join(packer.compress(b" " * MIB) for _ in range(mib)) + packer.flush()


def _members(mib: int) -> bytes:
    """Return a gzip file of many members, each of which grows a little."""
    return gzip.compress(b"[" + b" " * 4_000, 9) * (mib * MIB // 4_000)


ENDLESS: dict[str, Say] = {
    "chunks without end": repeating(CHUNKED + b"\r\n", _chunk(b"[" * 65_536)),
    "few bytes a chunk": repeating(CHUNKED + b"\r\n", _chunk(b"1" * 32) * 1_024),
    "until the connection closes": repeating(b"HTTP/1.1 200 OK\r\n\r\n[", b"1," * 65_536),
    "a length of an exabyte": repeating(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\n", b" " * 65_536
    ),
    "gzip": saying(answer(_bomb("gzip", 256), "Content-Encoding: gzip")),
    "deflate": saying(answer(_bomb("deflate", 256), "Content-Encoding: deflate")),
    "raw deflate": saying(answer(_bomb("raw deflate", 256), "Content-Encoding: deflate")),
    "gzip in chunks": saying(CHUNKED + b"Content-Encoding: gzip\r\n\r\n", _chunk(_bomb("gzip", 256)), b"0\r\n\r\n"),
    "gzip of many members": saying(answer(_members(8), "Content-Encoding: gzip")),
}


async def _sent(say: Say, *, expect: Expect, max_body: int = LIMIT) -> Answer | Fault:
    async with raw_server(say) as server, Wire(connections=1, timeouts=Timeouts(5.0, 5.0)) as wire:
        tracemalloc.reset_peak()
        return await wire.send(Request("GET", server.url, expect=expect, max_body=max_body), total=20.0)


def _traced(main: Callable[[], Awaitable[Any]]) -> tuple[Any, int]:
    """Return a result, and the most memory that was allocated on the way to it."""
    tracemalloc.start()
    try:
        found = asyncio.run(main())  # type: ignore[arg-type]
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ENDLESS)
def test_a_body_over_the_limit_is_refused_in_little_memory(name: str) -> None:
    before = len(_bomb("gzip", 256))
    result, peak = _traced(lambda: _sent(ENDLESS[name], expect=Expect.JSON))
    assert isinstance(result, Fault), result
    assert result.kind in {FaultKind.TOO_LARGE, FaultKind.BROKEN}
    assert peak < ALLOWED + before, f"{peak:,} bytes"
    assert_fit_to_show(result.text)


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("status", [b"HTTP/1.1 200", b"HTTP/1.1 500"], ids=["success", "error"])
def test_where_the_body_may_be_cut_it_is_cut(name: str, status: bytes) -> None:
    async def main() -> Answer | Fault:
        return await _sent(_with_status(ENDLESS[name], status), expect=Expect.ANYTHING)

    result, peak = _traced(main)
    assert peak < ALLOWED, f"{peak:,} bytes"
    if isinstance(result, Answer):
        assert len(result.body) <= (LIMIT if status.endswith(b"200") else MAX_ERROR_BODY)
    else:
        assert result.kind is FaultKind.BROKEN


def _with_status(say: Say, status: bytes) -> Say:
    """Return what writes the same answer under another status."""

    class Renamed:
        def __init__(self, writer: asyncio.StreamWriter) -> None:
            self._writer = writer
            self.drain = writer.drain

        def write(self, data: bytes) -> None:
            self._writer.write(data.replace(b"HTTP/1.1 200", status, 1) if data.startswith(b"HTTP") else data)

    return lambda writer: say(Renamed(writer))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Flood:
    """An answer that cannot be taken, and the words of its message."""

    say: Say
    words: str


FLOODS = {
    "10,000 headers": Flood(saying(answer(b"[]", *(f"X-{n}: 1" for n in range(10_000)))), "broke the connection off"),
    "headers without end": Flood(repeating(b"HTTP/1.1 200 OK\r\n", b"X-Flood: " + b"a" * 4_000 + b"\r\n"), "broke the connection off"),
    "one header of 1 MB": Flood(saying(answer(b"[]", "X-Long: " + "a" * 1_000_000)), "broke the connection off"),
    "a status line of 1 MB": Flood(saying(answer(b"[]", status="200 " + "a" * 1_000_000)), "broke the connection off"),
    "100 Continue without end": Flood(repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.001), "gave no answer in time"),
    "103 Early Hints without end": Flood(repeating(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", pause=0.001), "gave no answer in time"),
    "a byte at a time": Flood(repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n[", b" ", pause=0.05), "gave no answer in time"),
    "a header byte at a time": Flood(repeating(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", pause=0.05), "gave no answer in time"),
    "a chunk of one byte at a time": Flood(repeating(CHUNKED + b"\r\n", _chunk(b" "), pause=0.05), "gave no answer in time"),
    "a chunk size without end": Flood(repeating(CHUNKED + b"\r\n", b"0" * 4_096), "gave no answer in time"),
    "a chunk of a negative size": Flood(saying(CHUNKED + b"\r\n-1\r\n[]\r\n0\r\n\r\n"), "broke the connection off"),
    "two lengths": Flood(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n[]"), "broke the connection off"),
    "a length and chunks": Flood(saying(CHUNKED + b"Content-Length: 2\r\n\r\n" + _chunk(b"[]") + b"0\r\n\r\n"), "broke the connection off"),
    "no HTTP": Flood(saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "broke the connection off"),
    "nothing": Flood(saying(), "broke the connection off"),
    "half a body": Flood(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"), "broke the connection off"),
    "gzip that is none": Flood(saying(answer(b"[]", "Content-Encoding: gzip")), "broke the connection off"),
    "half a gzip": Flood(saying(answer(gzip.compress(b"[1]" * 99)[:-12], "Content-Encoding: gzip")), ""),
    "brotli, which was not asked for": Flood(saying(answer(b"\x0b\x01\x80[]\x03", "Content-Encoding: br")), ""),
    "zstd, which was not asked for": Flood(saying(answer(b"(\xb5/\xfd \x02\x11\x00\x00[]", "Content-Encoding: zstd")), ""),
    "an encoding of its own": Flood(saying(answer(b"\x00\x01", "Content-Encoding: \x7fevil")), ""),
    "a protocol switch": Flood(saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), ""),
    "status 999": Flood(saying(answer(b"\x1b[2Jboo", status="999 \x1b[31mred")), ""),
    "status 000": Flood(saying(answer(b"[]", status="000 none")), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_what_is_no_answer_ends_in_one_of_our_errors_in_time(name: str) -> None:
    flood = FLOODS[name]

    async def main() -> list[CertreconError | Attempt]:
        async with raw_server(flood.say) as server:
            calls = (READS["index"], READS["employees"], POST)
            return await asyncio.gather(*(outcome_of(call(server.url)) for call in calls))

    started = time.monotonic()
    for outcome in asyncio.run(main()):
        if isinstance(outcome, Attempt) and outcome.reaction is Reaction.ACCEPT:
            assert not flood.words, "a POST that was taken needs no body"
            continue
        assert flood.words in said(outcome)
        assert_fit_to_show(said(outcome))
        if isinstance(outcome, CertreconError) and flood.words:
            assert isinstance(outcome, VendorUnavailableError)
    assert time.monotonic() - started < IMPATIENT.total + 2.0, "each call has its second, and no more"


@pytest.mark.parametrize("name", ["chunks without end", "gzip", "until the connection closes"])
@pytest.mark.parametrize("call", ["index", "view", "projects"])
def test_a_page_without_end_ends_the_call_at_once(name: str, call: str) -> None:
    async def main() -> tuple[CertreconError | Attempt, int]:
        async with raw_server(ENDLESS[name]) as server:
            outcome = await outcome_of(READS[call](server.url))
            return outcome, len([head for head in server.heads if "/token" not in head])

    outcome, asked = asyncio.run(main())
    assert isinstance(outcome, ResponseFormatError | VendorUnavailableError)
    if isinstance(outcome, ResponseFormatError):
        assert ("sent more than 67,108,864 bytes" in str(outcome), asked) == (True, 1)


def test_a_token_without_end_ends_the_call() -> None:
    async def main() -> CertreconError | Attempt:
        async with raw_server(saying(answer(b"[]")), token=ENDLESS["chunks without end"]) as server:
            return await outcome_of(token_from(server.url, server.url))

    outcome = asyncio.run(main())
    assert isinstance(outcome, CredentialsError)
    assert "sent more than 1,048,576 bytes" in str(outcome)
