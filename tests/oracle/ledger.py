"""What the target has acknowledged (Dispositions: withdrawn; Fine print: drift, ledger, limited runs)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.oracle.catalogue import criticals
from tests.oracle.text import folded_type, text, trimmed
from tests.oracle.world import Row, Withdrawal, World, payload_sha256

if TYPE_CHECKING:
    from tests.oracle.drafts import Draft

Key = tuple[str, str]


class Ledger:
    """The ledger's entries by (employee number, certificate type)."""

    def __init__(self, entries: list[Row]) -> None:
        """Index the entries, and note since when the target knows each spelling of a type."""
        self.entries = {_key(entry): entry for entry in entries}
        self.acknowledged = {
            key: entry for key, entry in self.entries.items() if entry.get("acknowledged_payload_sha256")
        }
        self.first: dict[str, str] = {}
        for (_, spelling), entry in self.acknowledged.items():
            since = str(entry.get("first_acknowledged_at") or entry["acknowledged_at"])
            self.first[spelling] = min(since, self.first.get(spelling, since))

    def holds(self, key: Key, payload: dict[str, str]) -> bool:
        """Whether Ditio acknowledged this payload and no later attempt is without an answer."""
        entry = self.acknowledged.get(key)
        if entry is None or entry.get("in_doubt"):
            return False
        return bool(entry["acknowledged_payload_sha256"] == payload_sha256(payload))

    def last_deliveries(self, number: str) -> list[Row]:
        """The last acknowledged delivery for a number; several when they were acknowledged at once."""
        entries = [entry for key, entry in self.acknowledged.items() if key[0] == number]
        last = max((str(entry["acknowledged_at"]) for entry in entries), default="")
        return [entry for entry in entries if str(entry["acknowledged_at"]) == last]

    def drifted(self, certificate_type: str) -> bool:
        """Whether the target knows this type for as long or longer in another spelling."""
        own = self.first.get(certificate_type)
        return any(
            spelling != certificate_type
            and folded_type(spelling) == folded_type(certificate_type)
            and (own is None or since <= own)
            for spelling, since in self.first.items()
        )


def withdrawals(
    world: World, ledger: Ledger, drafts: list[Draft], supported: set[Key], settings: Row
) -> list[Withdrawal]:
    """Acknowledged entries in scope that no eligible claim supports, each with its reason."""
    found = []
    by_certificate: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_certificate[draft.certificate_id].append(draft)
    for key, entry in sorted(ledger.acknowledged.items()):
        certificate_id = text(entry["certificate_id"]) or ""
        claims = by_certificate.get(certificate_id, [])
        lies_in = world.lookups.get(certificate_id, world.known.get(certificate_id))
        in_scope = bool(claims) or not world.tenant_ids or lies_in in world.tenant_ids
        if in_scope and key not in supported:
            found.append(Withdrawal(*key, certificate_id, _reason(entry, key, claims, settings)))
    return found


def _reason(entry: Row, key: Key, claims: list[Draft], settings: Row) -> str:
    if not claims:
        return "deleted"
    first = claims[0]
    if text(first.certificate.get("resource_id")) != text(entry["person_id"]):
        return "moved_to_other_person"
    if first.number is not None and first.number != key[0]:
        return "number_changed"
    same = [draft for draft in claims if draft.certificate_type == key[1]]
    if not same:
        return "unlinked" if not first.linked and first.certificate_type is None else "retyped"
    if same[0].disposition == "held":
        return "unlinked"
    codes = criticals(same[0].findings, settings) if same[0].applicable else _why_not(same[0])
    return f"blocked:{','.join(codes)}"


def _why_not(draft: Draft) -> list[str]:
    return sorted(draft.findings & {"RESOURCE_NOT_PERSON", "ACTION_TYPE_NOT_PUBLISHED"})


def _key(entry: Row) -> Key:
    return trimmed(entry["employee_number"]) or "", str(entry["certificate_type"])
