"""Requests that no client library makes: bodies without an end, and bodies that come drop by drop."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

PIECE = 2**16


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: The answer's status.
        sent: How many bytes of the body the server let through before it answered.
        seconds: How long it took.
    """

    status: int
    sent: int
    seconds: float


def pieces(total: int, *, chunked: bool) -> Iterable[bytes]:
    """A body of so many bytes; with chunks it has no end."""
    piece = b" " * PIECE
    for _ in range(total // PIECE):
        yield b"%x\r\n%s\r\n" % (PIECE, piece) if chunked else piece


def drops(count: int, pause: float) -> Iterable[bytes]:
    """A body that comes a byte at a time."""
    for _ in range(count):
        time.sleep(pause)
        yield b" "


def post(port: int, path: str, headers: dict[str, str], body: Iterable[bytes], patience: float = 0) -> Answer:
    """Send a body until it ends or an answer comes, and return the answer.

    Args:
        port: Of the server.
        path: Where to.
        headers: What is sent before the body.
        body: Its pieces.
        patience: How long to wait for an answer before the first piece, in seconds.
    """
    began, sent = time.monotonic(), 0
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(head.encode() + b"\r\n")
        select.select([connection], [], [], patience)
        for piece in body:
            if select.select([connection], [], [], 0)[0]:
                break
            connection.sendall(piece)
            sent += len(piece)
        answer = connection.recv(65536)
    return Answer(int(answer.split(b" ", 2)[1]), sent, time.monotonic() - began)
