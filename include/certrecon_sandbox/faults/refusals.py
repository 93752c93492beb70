"""Answers that come instead of the vendor's: the vendor has not seen the request."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from typing import ClassVar

from certrecon_sandbox.ditio.errors import DitioError, render
from certrecon_sandbox.faults.exchange import Answer, Exchange, json_answer
from certrecon_sandbox.faults.fault import Fault, choice

_PAGE = """<!DOCTYPE html>
<html><head><title>{title}</title></head>
<body><h1>{title}</h1><p>The gateway could not show this page. Ask your network's administrator.</p></body></html>
"""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def vendor_refusal(endpoint: str, status: int, message: str) -> Answer:
    """Return an error in the words of the endpoint's vendor: Yii's for 4HSE, the simple one for Ditio."""
    if endpoint.endswith(".token"):
        return json_answer(status, {"error": "refused", "error_description": message})
    if endpoint.startswith("ditio."):
        return json_answer(status, {"error": _phrase(status).replace(" ", ""), "message": message})
    return json_answer(status, {"name": _phrase(status), "message": message, "code": 0, "status": status})


@dataclass(frozen=True)
class Status(Fault):
    """An error with `status`, in the form of the endpoint's vendor.

    `echo: credentials` repeats the request's Authorization header, query and form in the message, as careless
    servers do.
    """

    kind: ClassVar[str] = "status"
    status: int = 503
    message: str = "The server does not feel well."
    echo: str = choice("nothing", "credentials")

    async def play(self, exchange: Exchange) -> None:
        """Refuse."""
        message = self.message
        if self.echo == "credentials":
            headers = dict(exchange.scope["headers"])
            sent = headers.get(b"authorization", b"") + b" " + exchange.scope["query_string"]
            form = await exchange.request_body() if exchange.endpoint.endswith(".token") else b""
            message += " You sent: " + (sent + b" " + form).decode("latin-1")
        await exchange.reply(vendor_refusal(exchange.endpoint, self.status, message))


@dataclass(frozen=True)
class RateLimited(Fault):
    """429 that asks to wait: `Retry-After` in seconds or as an HTTP date, only `X-Rate-Limit-Reset`, or nothing."""

    kind: ClassVar[str] = "rate_limited"
    style: str = choice("seconds", "date", "reset", "nothing")
    wait: int = 1

    async def play(self, exchange: Exchange) -> None:
        """Refuse for a while."""
        answer = vendor_refusal(exchange.endpoint, 429, "Rate limit exceeded.")
        if self.style == "seconds":
            answer.set_header("retry-after", str(self.wait))
        elif self.style == "date":
            # A date has whole seconds: one more, so that the wait is never shorter than asked for.
            until = dt.datetime.fromtimestamp(int(time.time()) + self.wait + 1, dt.UTC)
            answer.set_header("retry-after", format_datetime(until, usegmt=True))
        elif self.style == "reset":
            for name, value in (("limit", "60"), ("remaining", "0"), ("reset", str(self.wait))):
                answer.set_header(f"x-rate-limit-{name}", value)
        await exchange.reply(answer)


@dataclass(frozen=True)
class Html(Fault):
    """A proxy's page with `status`; the vendor has not seen the request."""

    kind: ClassVar[str] = "html"
    status: int = 502

    async def play(self, exchange: Exchange) -> None:
        """Answer for the proxy."""
        title = "Sign in to the network" if self.status < 300 else f"{self.status} {_phrase(self.status)}"
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await exchange.reply(Answer(self.status, headers, _PAGE.format(title=title).encode()))


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirect to another address."""

    kind: ClassVar[str] = "redirect"
    to: str = "https://elsewhere.invalid/"
    status: int = 302

    async def play(self, exchange: Exchange) -> None:
        """Send the client away."""
        await exchange.reply(Answer(self.status, [(b"location", self.to.encode("ascii", "ignore"))]))


@dataclass(frozen=True)
class TokenEnds(Fault):
    """Every token of the vendor ends before the request is looked at, so that the vendor itself answers 401."""

    kind: ClassVar[str] = "token_ends"

    async def play(self, exchange: Exchange) -> None:
        """End the tokens, then go on."""
        sandbox = exchange.sandbox
        store = sandbox.ditio_tokens if exchange.endpoint.startswith("ditio.") else sandbox.fourhse_tokens
        store.expire_all()
        await exchange.go_on()


@dataclass(frozen=True)
class DitioRefusal(Fault):
    """One of Ditio's five error bodies with `status`; with `employee`, only where the request names that number.

    Without `employee` the first element of the array is said to be at fault.
    """

    kind: ClassVar[str] = "ditio_error"
    only: ClassVar[tuple[str, ...]] = ("ditio.*",)
    shape: str = choice("simple", "v5", "older", "aspnet", "text")
    status: int = 400
    message: str = "The certificate is not accepted."
    employee: str = ""

    async def play(self, exchange: Exchange) -> None:
        """Refuse, or go on where the employee is not named."""
        index = 0
        if self.employee:
            rows = await exchange.request_value()
            numbers = [row.get("employeeNumber") for row in rows] if isinstance(rows, list) else []
            if self.employee not in numbers:
                await exchange.go_on()
                return
            index = numbers.index(self.employee)
        error = DitioError(self.status, "ArgumentInvalid", self.message, "employeeNumber", index)
        shown = render(error, self.shape)
        await exchange.reply(Answer(self.status, list(shown.raw_headers), bytes(shown.body)))


@dataclass(frozen=True)
class PartlySaved(Fault):
    """400 for a later element after the first `share` of the array was saved (certificates upsert)."""

    kind: ClassVar[str] = "partly_saved"
    only: ClassVar[tuple[str, ...]] = ("ditio.certificates",)
    share: float = 0.5
    shape: str = choice("simple", "v5", "older", "aspnet", "text")

    async def play(self, exchange: Exchange) -> None:
        """Save a part, then refuse."""
        rows = await exchange.request_value()
        if not isinstance(rows, list) or not rows:
            await exchange.go_on()
            return
        saved = int(len(rows) * self.share)
        exchange.set_request(rows[:saved])
        await exchange.answer()
        error = DitioError(400, "ArgumentInvalid", "The certificate could not be saved.", "employeeNumber", saved)
        shown = render(error, self.shape)
        await exchange.reply(Answer(400, list(shown.raw_headers), bytes(shown.body)))
