"""Both vendors as one server that does nothing but hand out prepared answers, after a given latency.

    python -m benchmarks.vendor_server FOLDER MILLISECONDS

FOLDER holds what `benchmarks.vendor_pages` wrote. The port is printed once it listens. Every request is let
in whatever its credentials; a view of a certificate is always a 404, a POST of certificates always a 201.
`POST /show/NAME` changes the set that is shown, `GET /asked` tells how many requests there were, by kind.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import msgspec
import uvloop

from benchmarks.vendor_pages import answer

SHOWN_FIRST = "base"
END_OF_HEAD = b"\r\n\r\n"
NOT_FOUND = answer(b'{"name":"Not Found","message":"not found","code":0,"status":404}', status="404 Not Found")
TOKEN = answer(b'{"access_token":"benchmark","expires_in":36000,"token_type":"Bearer"}')
SAVED = answer(b"", [("X-Certrecon-Sandbox", 1)], "201 Created")
DONE = answer(b"{}")


class Asked(msgspec.Struct):
    """What the body of an index request asks for."""

    filter: dict[str, str] = {}
    page: int = 1


class AnswerSet:
    """The answers of one world."""

    def __init__(self, folder: Path) -> None:
        """Open a set that `benchmarks.vendor_pages` wrote."""
        with (folder / "answers.bin").open("rb") as file:
            self._bytes = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.places = json.loads((folder / "places.json").read_text(encoding="utf-8"))

    def index(self, entity: str, body: bytes) -> memoryview:
        """Return one page; a page past the end is the last one again, as in Yii."""
        asked = msgspec.json.decode(body, type=Asked)
        pages = self.places[entity][next(iter(asked.filter.values()), "")]
        return self._at(pages[min(max(asked.page, 1), len(pages)) - 1])

    def employees(self) -> memoryview:
        """Return all employees."""
        return self._at(self.places["employees"])

    def _at(self, place: list[int]) -> memoryview:
        return self._bytes[place[0] : place[0] + place[1]]


class VendorServer:
    """What all connections share."""

    def __init__(self, folder: Path, latency: float) -> None:
        """Open every set of the folder."""
        self.latency = latency
        self.asked: Counter[str] = Counter()
        self._sets = {one.name: AnswerSet(one) for one in folder.iterdir() if (one / "places.json").exists()}
        self._shown = self._sets[SHOWN_FIRST]

    def answer(self, path: str, body: bytes) -> tuple[str, bytes | memoryview]:
        """Return what kind of request it was, and the whole answer."""
        path = path.partition("?")[0]
        if path.endswith("/index"):
            return "index", self._shown.index(path.split("/")[-2], body)
        if "/view/" in path:
            return "view", NOT_FOUND
        if path.endswith("/integration/certificates"):
            return "certificates", SAVED
        if path.endswith("/integration/employees"):
            return "employees", self._shown.employees()
        if path.endswith("/token"):
            return "token", TOKEN
        return self._control(path)

    def _control(self, path: str) -> tuple[str, bytes]:
        if path.startswith("/show/"):
            self._shown = self._sets[path.removeprefix("/show/")]
            return "control", DONE
        if path == "/asked":
            return "control", answer(json.dumps(self.asked).encode())
        return "unknown", NOT_FOUND


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, each answered after the latency."""

    def __init__(self, server: VendorServer) -> None:
        """Take what all connections share."""
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's own class

    def data_received(self, data: bytes) -> None:
        """Take bytes, and answer every request that is whole."""
        self._buffer += data
        while (head_end := self._buffer.find(END_OF_HEAD)) >= 0:
            head = bytes(self._buffer[:head_end])
            start = head_end + len(END_OF_HEAD)
            length = _content_length(head)
            if len(self._buffer) < start + length:
                return
            body = bytes(self._buffer[start : start + length])
            del self._buffer[: start + length]
            self._answer(head.split(b" ", 2)[1].decode(), body)

    def _answer(self, path: str, body: bytes) -> None:
        kind, whole = self._server.answer(path, body)
        self._server.asked[kind] += 1
        if self._server.latency and kind != "control":
            asyncio.get_running_loop().call_later(self._server.latency, self._write, whole)
        else:
            self._write(whole)

    def _write(self, whole: bytes | memoryview) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(whole)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def serve(folder: Path, latency: float) -> None:
    """Serve until the process is asked to end."""
    shared = VendorServer(folder, latency)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(shared), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs.

    Attributes:
        url: Its address.
        pid: Its process.
    """

    url: str
    pid: int

    def show(self, name: str) -> None:
        """Let it show another set."""
        with urlopen(Request(f"{self.url}/show/{name}", method="POST"), timeout=10) as done:  # noqa: S310 - loopback
            done.read()

    def asked(self) -> dict[str, int]:
        """Return how many requests it has answered, by kind."""
        with urlopen(f"{self.url}/asked", timeout=10) as done:  # noqa: S310 - loopback
            counts: dict[str, int] = json.loads(done.read())
        return counts


@contextmanager
def vendor_server(folder: Path, milliseconds: float = 0) -> Iterator[Serving]:
    """Run the server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.vendor_server", str(folder), str(milliseconds)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                message = "the server of prepared answers did not start"
                raise RuntimeError(message)
            yield Serving(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000))
