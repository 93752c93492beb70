"""The addresses of webhooks, and what came in at them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from certrecon.warehouse.addresses import WebhookAddress, read_addresses
from certrecon.words import ChangeEvent

_CAME = text("""
    SELECT event, count(*) AS hints, max(received_at) AS last_at
      FROM reconciliation.change_hint
     WHERE received_at >= clock_timestamp() - interval '24 hours' AND source = 'webhook'
     GROUP BY event""")
_WAITING = text("""
    SELECT count(*) AS hints, min(received_at) AS since
      FROM reconciliation.change_hint WHERE settled_run_seq IS NULL""")


@dataclass(frozen=True, slots=True)
class Came:
    """What webhooks told of an event in the last 24 hours.

    Attributes:
        hints: How often.
        last_at: When the last of them came.
    """

    hints: int
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the page shows.

    Attributes:
        addresses: Those that answer, then the revoked ones; the newest first.
        came: What webhooks told in the last 24 hours, by event.
        waiting: How many hints no run has looked at, whoever gave them.
        waiting_since: When the oldest of these came.
    """

    addresses: tuple[WebhookAddress, ...]
    came: dict[ChangeEvent, Came]
    waiting: int
    waiting_since: dt.datetime | None


def read_webhooks(conn: Connection) -> Webhooks:
    """Return every address, and what came in."""
    addresses = sorted(read_addresses(conn), key=lambda one: one.revoked_at is not None)
    came = {ChangeEvent(event): Came(hints, last_at) for event, hints, last_at in conn.execute(_CAME)}
    waiting = conn.execute(_WAITING).one()
    return Webhooks(tuple(addresses), came, waiting.hints, waiting.since)
