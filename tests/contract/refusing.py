"""A sandbox that refuses single ids, as 4HSE does with what its user may not see or its database cannot look for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote

from certrecon_sandbox.faults.exchange import Exchange, json_answer
from certrecon_sandbox.faults.fault import Fault
from certrecon_sandbox.faults.refusals import vendor_refusal
from certrecon_sandbox.faults.switchboard import Switched
from tests.contract.sandbox_nights import Nights


@dataclass(frozen=True)
class RefusedId(Fault):
    """An answer of its own for one id, in a path or in a filter; every other request goes on.

    Attributes:
        row_id: The id.
        status: What is answered; 200 = a row with another id.
    """

    kind: ClassVar[str] = "refused_id"
    only: ClassVar[tuple[str, ...]] = ("4hse.*",)
    row_id: str
    status: int

    async def play(self, exchange: Exchange) -> None:
        """Refuse the id, or go on."""
        in_path = unquote(exchange.scope["path"]).rpartition("/")[2] == self.row_id
        if not in_path and f'"{self.row_id}"'.encode() not in await exchange.request_body():
            await exchange.go_on()
        elif self.status == 200:
            await exchange.reply(json_answer(200, {"certificate_id": "another one", "person_id": "another one"}))
        else:
            await exchange.reply(vendor_refusal(exchange.endpoint, self.status, "No."))


def refuse(nights: Nights, row_id: str, status: int, endpoint: str = "4hse.*") -> None:
    """Let 4HSE refuse an id from now on."""
    nights.server.sandbox.faults.add(Switched(endpoint, RefusedId(row_id, status)))
