"""A client on bare sockets: what is on the wire, and how the connection ends."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.sandbox.conftest import Client

CERTIFICATES = "4hse.certificate.index"
INDEX = "/4hse/v2/certificate/index"
EMPLOYEES = "/ditio/core/api/v5/integration/employees"
UPSERT = "/ditio/core/api/v4/integration/certificates"
ROW = {
    "employeeNumber": "1042",
    "certificateType": "Byggekort",
    "issuedDateTime": "2026-01-15T00:00:00Z",
    "validUntilDateTime": "2028-01-15T00:00:00Z",
    "certificateNumber": "c-1",
    "notes": None,
}
OTHER = ROW | {"certificateType": "Brannvern"}


@dataclass
class Seen:
    """What came back on a socket.

    Attributes:
        status: The status; None where not even that came.
        headers: Header values by lower-cased name.
        body: What came of the body.
        ended: `whole` (as long as Content-Length says), `closed` before that, or `reset`.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: str = "whole"

    @property
    def value(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Raw:
    """A client on bare sockets, and the sandbox it speaks to."""

    client: Client

    def switch_on(self, endpoint: str, kind: str, **values: Any) -> None:
        """Switch a fault on."""
        self.client.control("POST", "/faults", json={"endpoint": endpoint, "kind": kind, **values})

    def ask(self, method: str, path: str, value: Any = None) -> Seen:
        """Send one request and read until the answer or the connection ends."""
        vendor = self.client.ditio if path.startswith("/ditio") else self.client.fourhse
        body = b"" if value is None else json.dumps(value).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        head += ["Content-Type: application/json", f"Authorization: {vendor.headers['Authorization']}"]
        with socket.create_connection(("127.0.0.1", self.client.server.port), timeout=10) as sock:
            sock.sendall("\r\n".join([*head, "", ""]).encode() + body)
            return _received(sock)

    def index(self, path: str = INDEX, **asked: Any) -> Seen:
        """Ask for a page of the certificates."""
        return self.ask("POST", path, {"per-page": 5} | asked)

    @property
    def saved(self) -> set[str]:
        """The types that Ditio holds."""
        return {key[1] for key in self.client.server.world.upserts}


def _received(sock: socket.socket) -> Seen:
    data, ended = b"", "closed"
    while True:
        try:
            part = sock.recv(65_536)
        except ConnectionResetError:
            ended = "reset"
            break
        data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not part or (length and len(body) >= int(length[1])) or (b"\r\n\r\n" in data and b" 204 " in head):
            ended = "whole" if part else "closed"
            break
    head, _, body = data.partition(b"\r\n\r\n")
    if not data:
        return Seen(ended=ended)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Seen(int(first.split()[1]), headers, body, ended)
