"""What a night leaves behind, without what may differ between two nights that ended the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine

from tests.contract import warehouse as sql
from tests.kill.vendor import Vendor

CLAIM = (
    "certificate_id", "certificate_type", "tenant_id", "certificate_name", "action_type", "resource_type", "resource_id",
    "person_name", "employee_number", "issued_on", "valid_until", "linked", "disposition", "findings", "detail",
)  # fmt: skip
ENTRY = (
    "certificate_id", "person_id", "tenant_id", "given_name", "family_name", "payload", "payload_sha256", "state", "in_doubt",
    "acknowledged_payload_sha256", "acknowledged_certificate_id", "acknowledged_person_id", "acknowledged_tenant_id",
    "acknowledged_given_name", "acknowledged_family_name", "http_status", "message",
)  # fmt: skip
WITHDRAWN = ("employee_number", "certificate_type", "reason")
_DANGLING = """
    SELECT tenant_id, certificate_action_id, certificate_id, action_name, action_type
      FROM reconciliation.dangling_link WHERE ended_run_seq IS NULL ORDER BY 1, 2"""
_ACKNOWLEDGED = """
    SELECT employee_number, certificate_type, payload_sha256, extract(epoch FROM min(answered_at))::float8 AS at
      FROM reconciliation.ditio_attempt WHERE state = 'acknowledged' GROUP BY 1, 2, 3"""


@dataclass(frozen=True)
class State:
    """Everything that a night is for.

    Attributes:
        claims: The open claims.
        ledger: The ledger by key.
        ditio: What Ditio holds, by key.
        withdrawn: What is withdrawn.
        dangling: Links without a certificate.
    """

    claims: list[dict[str, Any]]
    ledger: dict[tuple[str, str], dict[str, Any]]
    ditio: dict[tuple[str, str], dict[str, Any]]
    withdrawn: list[dict[str, Any]]
    dangling: list[dict[str, Any]]

    def differences(self, other: State) -> list[str]:
        """Return what differs from another state, a sentence a kind of row."""
        found = []
        for name in self.__dataclass_fields__:
            mine, wanted = _spelled(getattr(self, name)), _spelled(getattr(other, name))
            more, less = sorted(mine - wanted), sorted(wanted - mine)
            if more or less:
                found.append(f"{name}: {len(more)} rows differ and {len(less)} are wanted: {_first(more, less)}")
        return found


def read_state(engine: Engine, vendor: Vendor) -> State:
    """Return the state of a warehouse and of what Ditio holds."""
    return State(
        claims=[{name: row[name] for name in CLAIM} for row in sql.claims(engine)],
        ledger={key: _entry(row) for key, row in sql.ledger(engine).items()},
        ditio=vendor.ditio(),
        withdrawn=[dict(zip(WITHDRAWN, row, strict=True)) for row in sql.withdrawn(engine)],
        dangling=sql.rows(engine, _DANGLING),
    )


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    """Return an entry; whether a refused row was saved before it was refused, only a calm night can know."""
    kept = {name: row[name] for name in ENTRY}
    return kept | {"in_doubt": None} if row["state"] == "rejected" else kept


def still_running(engine: Engine) -> list[int]:
    """Return the runs that nobody finalised."""
    found = sql.rows(engine, "SELECT run_seq FROM reconciliation.run WHERE status = 'running' ORDER BY 1")
    return [row["run_seq"] for row in found]


def needless(engine: Engine, vendor: Vendor) -> list[tuple[str, str]]:
    """Return the rows that were sent after Ditio's answer to the very same row had been committed.

    An attempt is on the record once its answer is committed. Another payload sent for the key in
    between makes sending it again necessary.
    """
    sent = _rows_sent(vendor)
    found = []
    for row in sql.rows(engine, _ACKNOWLEDGED):
        later = [digest for at, digest in sent[row["employee_number"], row["certificate_type"]] if at > row["at"]]
        if later and later[0] == row["payload_sha256"]:
            found.append((row["employee_number"], row["certificate_type"]))
    return found


def sent_again(vendor: Vendor) -> int:
    """Return how many rows Ditio was sent more often than once in a row with the same payload."""
    again = 0
    for rows in _rows_sent(vendor).values():
        again += sum(one[1] == other[1] for one, other in pairwise(rows))
    return again


def _rows_sent(vendor: Vendor) -> dict[tuple[str, str], list[tuple[float, str]]]:
    sent: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for post in vendor.requests():
        for row in post["rows"]:
            text = json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = hashlib.sha256(text.encode()).hexdigest()
            sent.setdefault((row["employeeNumber"].strip(), row["certificateType"]), []).append((post["at"], digest))
    return sent


def _first(more: list[str], less: list[str]) -> str:
    """Return the first row that differs, without what is the same in the first that is wanted."""
    mine, wanted = (dict(json.loads(rows[0])[1]) if rows else {} for rows in (more, less))
    names = [name for name in {**mine, **wanted} if mine.get(name) != wanted.get(name)]
    return ", ".join(f"{name} {mine.get(name)!r} instead of {wanted.get(name)!r}" for name in names)


def _spelled(rows: Any) -> set[str]:
    pairs = rows.items() if isinstance(rows, dict) else ((None, row) for row in rows)
    return {json.dumps([key, row], default=str, sort_keys=True, ensure_ascii=False) for key, row in pairs}
