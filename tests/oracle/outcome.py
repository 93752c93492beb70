"""Dispositions before publishing, winners and payloads (Dispositions)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracle.catalogue import criticals
from tests.oracle.text import text, trimmed

if TYPE_CHECKING:
    from datetime import date

    from tests.oracle.drafts import Draft
    from tests.oracle.ledger import Key, Ledger
    from tests.oracle.sources import Employee
    from tests.oracle.world import Row, World

NOT_COMPETING = {"not_applicable", "blocked", "held"}


@dataclass(frozen=True)
class Competitor:
    """An eligible claim of one key; `draft` is None where it lies outside the run's scope."""

    valid_until: date
    issued_on: date
    certificate_id: str
    draft: Draft | None

    @property
    def rank(self) -> tuple[int, int, str]:
        """The smallest wins: latest expiry, then latest issue date, then the smaller certificate id."""
        return -self.valid_until.toordinal(), -self.issued_on.toordinal(), self.certificate_id


def dispose(world: World, ledger: Ledger, drafts: list[Draft], settings: Row) -> set[Key]:
    """Give claims their disposition, winners their payload; return the keys with an eligible claim."""
    competitors: dict[Key, list[Competitor]] = defaultdict(list)
    for draft in drafts:
        draft.disposition = _first_three(draft, settings)
        if draft.eligible:
            competitors[_key(draft)].append(_competitor(draft))
    for key, outside in _outside(world, {draft.certificate_id for draft in drafts}):
        competitors[key].append(outside)
    for key, rivals in competitors.items():
        winner = min(rivals, key=lambda rival: rival.rank)
        for rival in rivals:
            if rival.draft is not None:
                _settle(rival.draft, key, ledger, wins=rival is winner, resend=world.resend)
    return set(competitors)


def _first_three(draft: Draft, settings: Row) -> str:
    if not draft.applicable:
        return "not_applicable"
    if criticals(draft.findings, settings):
        return "blocked"
    if not draft.linked and (settings["unlinked"] == "hold" or draft.certificate_type is None):
        return "held"
    return ""


def _settle(draft: Draft, key: Key, ledger: Ledger, *, wins: bool, resend: bool) -> None:
    if not wins:
        draft.disposition = "superseded"
        return
    draft.payload = _payload(draft)
    draft.disposition = "delivered" if ledger.holds(key, draft.payload) and not resend else "planned"


def _outside(world: World, in_scope: set[str]) -> list[tuple[Key, Competitor]]:
    rows = [row for row in world.outside if row["certificate_id"] not in in_scope]
    return [
        (
            (trimmed(row["employee_number"]) or "", row["certificate_type"]),
            Competitor(row["valid_until"], row["issued_on"], row["certificate_id"], None),
        )
        for row in rows
        if row["disposition"] not in NOT_COMPETING
    ]


def _key(draft: Draft) -> Key:
    return _sure(draft.number), _sure(draft.certificate_type)


def _competitor(draft: Draft) -> Competitor:
    return Competitor(_day(draft.dates.valid_until), _day(draft.dates.issued_on), draft.certificate_id, draft)


def _payload(draft: Draft) -> dict[str, str]:
    return {
        "employeeNumber": _employee(draft).as_given,
        "certificateType": _sure(draft.certificate_type),
        "issuedDateTime": f"{_day(draft.dates.issued_on).isoformat()}T00:00:00Z",
        "validUntilDateTime": f"{_day(draft.dates.valid_until).isoformat()}T00:00:00Z",
        "certificateNumber": _sure(text(draft.certificate_id)),
    }


def _employee(draft: Draft) -> Employee:
    if draft.employee is None:
        raise AssertionError("an eligible claim without an employee")
    return draft.employee


def _day(value: date | None) -> date:
    if value is None:
        raise AssertionError("an eligible claim without a date")
    return value


def _sure(value: str | None) -> str:
    if value is None:
        raise AssertionError("an eligible claim without number or type")
    return value
