"""What is to be linked: ids, types and digests, no names. An answer is bound to the digest of exactly this."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Why(StrEnum):
    """Why a certificate is left out."""

    NOT_FOUND = "not_found"
    OTHER_PROJECT = "other_project"
    LINKED_ALREADY = "linked_already"
    LINKED_OTHERWISE = "linked_otherwise"
    ACTION_TYPE_DISAGREES = "action_type_disagrees"
    EXPIRY_UNREADABLE = "expiry_unreadable"
    EXPIRES_EARLIER = "expires_earlier"
    CHANGED = "changed"


IN_WORDS: Mapping[Why, str] = {
    Why.NOT_FOUND: "4HSE has no such certificate",
    Why.OTHER_PROJECT: "it belongs to another 4HSE project than the action",
    Why.LINKED_ALREADY: "it is linked to this action already",
    Why.LINKED_OTHERWISE: "it is linked to another action, so somebody has decided about it in 4HSE",
    Why.ACTION_TYPE_DISAGREES: "its action type is not that of the action",
    Why.EXPIRY_UNREADABLE: "its own expiry is no date, so date_expire cannot be held against it",
    Why.EXPIRES_EARLIER: "it expires before date_expire",
    Why.CHANGED: "it was changed in 4HSE after somebody was asked",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate that is to be linked.

    Attributes:
        certificate_id: Its id.
        certificate_type: The type that the settings' rules give the link; None = no rule maps the action.
        seen_sha256: Digest of the certificate as it was seen.
    """

    certificate_id: str
    certificate_type: str | None
    seen_sha256: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A certificate that is not linked.

    Attributes:
        certificate_id: Its id.
        why: The reason.
    """

    certificate_id: str
    why: Why


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What is to be linked to one action.

    Attributes:
        action_id: The action.
        tenant_id: The 4HSE project of the action and of every certificate.
        action_sha256: Digest of the action as it was seen.
        date_expire: The expiry of the new links; None = each certificate's own.
        candidates: What is to be linked.
        left_out: What is not; no part of the digest.
    """

    action_id: str
    tenant_id: str
    action_sha256: str
    date_expire: dt.date | None
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def asked(self) -> dict[str, Any]:
        """What a person is asked about, as plain values."""
        values = self.to_json()
        del values["left_out"]
        return values

    @property
    def sha256(self) -> str:
        """The digest of `asked` as canonical JSON."""
        return plan_sha256(self.asked)

    def link_id(self, run_id: str, certificate_id: str) -> str:
        """Return the id of the link of one certificate.

        The same in every try: 4HSE cannot have two of it, and one that is there is known as ours.
        """
        return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([run_id, self.sha256, certificate_id])))

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom and the record."""
        values = asdict(self)
        values["date_expire"] = self.date_expire and self.date_expire.isoformat()
        values["candidates"] = list(values["candidates"])
        values["left_out"] = [{"certificate_id": one.certificate_id, "why": one.why.value} for one in self.left_out]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LinkPlan:
        """Rebuild what `to_json` gave."""
        day = values["date_expire"]
        return cls(
            action_id=values["action_id"],
            tenant_id=values["tenant_id"],
            action_sha256=values["action_sha256"],
            date_expire=None if day is None else dt.date.fromisoformat(day),
            candidates=tuple(Candidate(**one) for one in values["candidates"]),
            left_out=tuple(LeftOut(one["certificate_id"], Why(one["why"])) for one in values["left_out"]),
        )


def plan_sha256(asked: Mapping[str, Any]) -> str:
    """Return the digest of what was asked about; the warehouse keeps both, so anybody can hold them together."""
    text = json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
