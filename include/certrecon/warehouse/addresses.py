"""The addresses at which 4HSE may tell of changes: one an event, with a token of which only the digest is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select, text

from certrecon.warehouse import tables
from certrecon.warehouse.storable import storable_text
from certrecon.words import ChangeEvent

TOKEN_BYTES = 32
"""How many random bytes a token has."""

_MAKE = text("""
    INSERT INTO reconciliation.webhook_address (event, token_sha256, made_at, made_by)
    VALUES (:event, :token_sha256, clock_timestamp(), :made_by) RETURNING address_id""")
_REVOKE = text("""
    UPDATE reconciliation.webhook_address SET revoked_at = clock_timestamp(), revoked_by = :revoked_by
     WHERE address_id = :address_id AND revoked_at IS NULL""")

_ANSWERING = text("""
    SELECT token_sha256, event FROM reconciliation.webhook_address
     WHERE token_sha256 = ANY (CAST(:digests AS text[])) AND revoked_at IS NULL""")
_LISTENS = text("SELECT EXISTS (SELECT FROM reconciliation.webhook_address WHERE revoked_at IS NULL)")


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """An address as the table has it.

    Attributes:
        address_id: Its number.
        event: The one event that may be told there.
        token_sha256: The digest of its token.
        made_at: When it was made.
        made_by: By whom.
        revoked_at: When it was revoked, null = it answers.
        revoked_by: By whom.
    """

    address_id: int
    event: ChangeEvent
    token_sha256: str
    made_at: dt.datetime
    made_by: str
    revoked_at: dt.datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class MadeAddress:
    """A new address, with the token that is said this one time.

    Attributes:
        address_id: Its number.
        token: What stands in its path; nobody can read it back.
    """

    address_id: int
    token: str


def token_digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def make_address(conn: Connection, event: ChangeEvent, made_by: str) -> MadeAddress:
    """Make an address for an event."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {"event": event.value, "token_sha256": token_digest(token), "made_by": storable_text(made_by)}
    address_id: int = conn.execute(_MAKE, values).scalar_one()
    return MadeAddress(address_id, token)


def revoke_address(conn: Connection, address_id: int, revoked_by: str) -> bool:
    """Revoke an address and return whether it answered until now."""
    values = {"address_id": address_id, "revoked_by": storable_text(revoked_by)}
    return conn.execute(_REVOKE, values).rowcount == 1


def answering_addresses(conn: Connection, digests: Collection[str]) -> list[tuple[str, ChangeEvent]]:
    """Return which of these tokens' digests belong to an address that is not revoked, each with its event."""
    return [(kept, ChangeEvent(event)) for kept, event in conn.execute(_ANSWERING, {"digests": list(digests)})]


def listens(conn: Connection) -> bool:
    """Return whether there is an address that answers."""
    found: bool = conn.execute(_LISTENS).scalar_one()
    return found


def read_addresses(conn: Connection) -> list[WebhookAddress]:
    """Return every address, the newest first."""
    query = select(tables.webhook_address).order_by(tables.webhook_address.c.address_id.desc())
    return [WebhookAddress(**{**row, "event": ChangeEvent(row["event"])}) for row in conn.execute(query).mappings()]
