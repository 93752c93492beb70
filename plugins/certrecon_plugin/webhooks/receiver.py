"""What a webhook does to the warehouse: its address is looked up, and its hint is stored."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from certrecon.warehouse.addresses import answering_addresses, token_digest
from certrecon.warehouse.hints import Hint, add_hints
from certrecon_plugin.webhooks.together import Together

if TYPE_CHECKING:
    from certrecon.words import ChangeEvent
    from certrecon_plugin.pages.warehouse import Warehouse
    from certrecon_plugin.webhooks.announcing import Announcer


class Receiver:
    """Looks up addresses and stores hints, many in one transaction."""

    def __init__(self, warehouse: Warehouse, announcer: Announcer) -> None:
        """Take the warehouse, and who is to be woken once hints are stored."""
        self._warehouse = warehouse
        self._announcer = announcer
        # Threads of its own: Airflow's pages may keep those of the event loop busy. One for each kind of round.
        self._pool = ThreadPoolExecutor(2, "certrecon-webhooks")
        self._events: Together[str, ChangeEvent | None] = Together(self._look_up, self._pool)
        self._hints: Together[Hint, None] = Together(self._store, self._pool)

    async def event_of(self, token: str) -> ChangeEvent | None:
        """Return the event of the address with this token; nothing where there is none that answers.

        Raises:
            CertreconError: The warehouse is not available.
        """
        return await self._events.do(token_digest(token))

    async def take(self, hint: Hint) -> None:
        """Store a hint; it is committed when this returns.

        Raises:
            CertreconError: It is not stored, since the warehouse is not available.
        """
        await self._hints.do(hint)

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False)

    def _look_up(self, digests: Sequence[str]) -> list[ChangeEvent | None]:
        with self._warehouse.reading() as conn:
            found = answering_addresses(conn, frozenset(digests))
        return [_event(found, digest) for digest in digests]

    def _store(self, hints: Sequence[Hint]) -> list[None]:
        with self._warehouse.writing() as conn:
            add_hints(conn, hints)
        self._announcer.wake()
        return [None] * len(hints)


def _event(found: Sequence[tuple[str, ChangeEvent]], digest: str) -> ChangeEvent | None:
    return next((event for kept, event in found if hmac.compare_digest(kept, digest)), None)
