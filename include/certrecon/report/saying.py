"""What is said of a claim's outcome: the matter in words, what to do, and who can do it.

Said once for each combination of disposition and findings, never claim by claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from certrecon.findings import CATALOGUE
from certrecon.report.wording import ACTIONS, titles
from certrecon.words import Disposition, Owner, Severity

SeverityOf: TypeAlias = Callable[[str], Severity]
"""The severity of a finding under a run's settings."""

NEEDY: Final = (
    Disposition.REJECTED,
    Disposition.UNDELIVERED,
    Disposition.REFUSED,
    Disposition.BLOCKED,
    Disposition.HELD,
)
"""Dispositions that need somebody whatever was found, the most urgent first."""

_LINK = "ACTION_LINK_MISSING"
_WEIGHT = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_PLACE = {code: place for place, code in enumerate(CATALOGUE)}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of an outcome.

    Attributes:
        owners: Who can do something, in the order of the design.
        in_words: The matter, the heaviest finding first.
        what_to_do: The advice.
    """

    owners: tuple[str, ...]
    in_words: str
    what_to_do: str


def say(disposition: str, codes: Iterable[str], severity_of: SeverityOf) -> Said:
    """Return what is said of a disposition and its findings; codes that no version knows any more say nothing."""
    known = sorted(
        (code for code in codes if code in CATALOGUE), key=lambda code: (_WEIGHT[severity_of(code)], _PLACE[code])
    )
    heavy = [
        CATALOGUE[code]
        for code in known
        if severity_of(code) is not Severity.INFO or (disposition, code) == (Disposition.HELD, _LINK)
    ]
    own = [ACTIONS[Disposition(disposition)]] if disposition in ACTIONS else []
    words = [words for _, words, _ in own] + [titles([code]) for code in known]
    advice = dict.fromkeys([text for _, _, text in own] + [finding.advice for finding in heavy])
    owners = {owner for owner, _, _ in own} | {finding.owner.value for finding in heavy}
    listed = [owner.value for owner in Owner if owner.value in owners]
    return Said((*listed, *sorted(owners - set(listed))), "; ".join(words), " ".join(advice))
