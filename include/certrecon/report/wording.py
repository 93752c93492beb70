"""The words in which a report speaks of dispositions, owners, reasons and guards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from certrecon.findings import CATALOGUE
from certrecon.words import Disposition, Owner

OPERATOR: Final = "operator"
"""Who is asked where nobody's data is at fault: whoever runs the pipeline. No finding has this owner."""

OWNERS: Final[dict[str, str]] = {
    Owner.FOURHSE.value: "4HSE staff",
    Owner.HR.value: "HR",
    Owner.DITIO.value: "Ditio",
    Owner.SETTINGS.value: "Settings",
    OPERATOR: "Operator",
}

DISPOSITIONS: Final[dict[Disposition, str]] = {
    Disposition.NOT_APPLICABLE: "not a person's, or of an action type that is not published",
    Disposition.BLOCKED: "a critical finding stands against it",
    Disposition.HELD: "not linked to an action in 4HSE",
    Disposition.SUPERSEDED: "another of the same type is preferred: by expiry, issue date, then id",
    Disposition.DELIVERED: "Ditio has it",
    Disposition.PLANNED: "would be sent",
    Disposition.REFUSED: "a person refused to send it, or nobody answered in time",
    Disposition.REJECTED: "Ditio refused the row",
    Disposition.UNDELIVERED: "could not be sent, or got no answer",
}

ACTIONS: Final[dict[Disposition, tuple[str, str, str]]] = {
    Disposition.REJECTED: (
        Owner.DITIO.value,
        "was refused by Ditio",
        "Correct what Ditio's message names; the row is sent again with the next run.",
    ),
    Disposition.UNDELIVERED: (
        OPERATOR,
        "was not delivered in this run",
        "See why the run failed; the row is sent again with the next run.",
    ),
    Disposition.REFUSED: (
        OPERATOR,
        "was not sent because the plan was refused",
        "Clear up why; the row is planned again in the next run.",
    ),
}
"""Owner, words and advice that a disposition brings by itself, whatever was found."""

URGENCY: Final = (
    Disposition.REJECTED,
    Disposition.UNDELIVERED,
    Disposition.REFUSED,
    Disposition.BLOCKED,
    Disposition.HELD,
    Disposition.PLANNED,
    Disposition.DELIVERED,
    Disposition.SUPERSEDED,
    Disposition.NOT_APPLICABLE,
)
"""The order in which claims are listed."""

REASONS: Final[dict[str, str]] = {
    "changed": "differs from what Ditio has",
    "new": "not in Ditio yet",
    "unacknowledged": "sent or planned before, not acknowledged",
    "resend": "acknowledged, sent again on request",
}
"""Why a row is to be sent, those first that are looked at first."""

_REMOVE = "remove it in Ditio by hand"
_OWNERS_OF_WITHDRAWALS: Final = {
    "moved_to_other_tenant": Owner.SETTINGS.value,
    "tenant_missing": Owner.SETTINGS.value,
}
_WITHDRAWN: Final[dict[str, tuple[str, str]]] = {
    "deleted": ("was deleted in 4HSE", f"If that is right, {_REMOVE}."),
    "moved_to_other_person": ("belongs to another person in 4HSE now", f"If that is right, {_REMOVE}."),
    "moved_to_other_tenant": (
        "lies in a 4HSE project that the run did not read",
        f"Add the project to `tenants`, or {_REMOVE}.",
    ),
    "tenant_missing": (
        "lay in a 4HSE project that the run did not read",
        f"Add the project to `tenants`, or {_REMOVE}.",
    ),
    "number_changed": (
        "belongs to a person with another employee number now",
        f"If that is right, {_REMOVE}.",
    ),
    "retyped": ("is mapped to another certificate type now", f"If that is right, {_REMOVE}."),
    "unlinked": ("has lost its link to an action in 4HSE", f"Link it again in 4HSE, or {_REMOVE}."),
    "blocked": ("is blocked now", f"Correct what blocks it, or {_REMOVE}."),
}


def titles(codes: Sequence[str]) -> str:
    """Return what findings say, in words."""
    return "; ".join(CATALOGUE[code].title if code in CATALOGUE else code for code in codes)


def kind_of_reason(reason: str) -> str:
    """Return a withdrawal's reason without its codes."""
    return reason.partition(":")[0]


def withdrawal_owner(reason: str) -> str:
    """Return who can do something about a withdrawal."""
    return _OWNERS_OF_WITHDRAWALS.get(kind_of_reason(reason), Owner.DITIO.value)


def withdrawal(reason: str) -> tuple[str, str]:
    """Return a withdrawal's reason in words, and what to do about it."""
    kind, _, codes = reason.partition(":")
    words, advice = _WITHDRAWN.get(kind, (kind, f"If that is right, {_REMOVE}."))
    return (f"{words}: {titles(codes.split(','))}" if codes else words), advice


def doubtful_words(rows: int) -> str:
    """Return what is to be known of rows that got no clear answer and are not sent again."""
    had, them = ("1 row", "it") if rows == 1 else (f"{rows:,} rows", "them")
    be = "is" if rows == 1 else "are"
    return (
        f"{had} had no clear answer and {be} not to be sent any more: Ditio may hold {them}. "
        f"Look there, and remove {them} by hand if nothing in 4HSE supports {them}."
    )
