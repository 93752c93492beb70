"""What needs somebody: the rows of the lists, and the lists by who can fix them.

`since_run` is the publishing run with which a row began to be so, `age_runs` how many publishing runs
there were since and including it (1 when new), `age_days` how many days ago its day was (None where that
is not known; of what a run by hints began at least so many).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Row_co = TypeVar("Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Excerpt(Generic[Row_co]):
    """The first rows of a list.

    Attributes:
        total: How many rows the list has.
        rows: The first ones.
        rest: Where the others are, in words.
    """

    total: int
    rows: tuple[Row_co, ...]
    rest: str = "see the CSV"

    @property
    def more(self) -> str:
        """A sentence about the rows that are left out; empty when there are none."""
        left = self.total - len(self.rows)
        return f"... and {left:,} more, {self.rest}" if left > 0 else ""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as somebody who must act sees it; the attributes are the columns of the CSV."""

    certificate_id: str | None
    certificate_name: str | None
    certificate_type: str | None
    tenant_id: str | None
    person_name: str | None
    employee_number: str | None
    issued_on: str | None
    valid_until: str | None
    linked: str
    disposition: str
    findings: str
    in_words: str
    what_to_do: str
    owner: str
    ditio_message: str | None
    since_run: int | None = None
    age_runs: int | None = None
    age_days: int | None = None


@dataclass(frozen=True, slots=True)
class WithdrawnRow:
    """What Ditio holds although no eligible claim supports it any more."""

    employee_number: str
    certificate_type: str
    certificate_id: str | None
    reason: str
    in_words: str
    what_to_do: str
    owner: str
    since_run: int | None = None
    age_runs: int | None = None
    age_days: int | None = None


@dataclass(frozen=True, slots=True)
class DanglingRow:
    """A link whose certificate is not there."""

    tenant_id: str | None
    certificate_action_id: str | None
    certificate_id: str | None
    action_name: str | None
    action_type: str | None
    in_words: str
    what_to_do: str
    since_run: int | None = None
    age_runs: int | None = None
    age_days: int | None = None


@dataclass(frozen=True, slots=True)
class UnmappedRow:
    """Claims that no rule of the settings gives a certificate type, all of one kind.

    Attributes:
        certificate_name: The certificates' name in 4HSE.
        action_code: Their action's code.
        action_name: Their action's name.
        action_type: Their action's type.
        claims: How many claims.
        suggested_type: The certificate type that fits best by its name; a suggestion only.
        settings_lines: The rule to paste under `certificate_types:`; empty where nothing tells them apart.
    """

    certificate_name: str | None
    action_code: str | None
    action_name: str | None
    action_type: str | None
    claims: int
    suggested_type: str | None
    settings_lines: str
    since_run: int | None = None
    age_runs: int | None = None
    age_days: int | None = None


@dataclass(frozen=True, slots=True)
class UnmatchedRow:
    """A 4HSE person for whom no Ditio employee could be found, or not with certainty.

    Attributes:
        tenant_id: The 4HSE project.
        person_id: The person there.
        person_name: Given and family name.
        employee_number: The number that the person has in 4HSE or by the crosswalk.
        findings: Why, as codes.
        in_words: Why, in words.
        what_to_do: What to do about it.
        owner: Who can fix it.
        claims: How many of the person's claims wait for it.
        suggestions: Employees with an agreeing name, as `number name`; a suggestion only, never applied.
    """

    tenant_id: str | None
    person_id: str | None
    person_name: str | None
    employee_number: str | None
    findings: str
    in_words: str
    what_to_do: str
    owner: str
    claims: int
    suggestions: str
    since_run: int | None = None
    age_runs: int | None = None
    age_days: int | None = None


AnyRow = ClaimRow | WithdrawnRow | DanglingRow | UnmappedRow | UnmatchedRow


@dataclass(frozen=True, slots=True)
class WorkList:
    """One list of an owner's.

    Attributes:
        kind: `rejected`, `undelivered`, `refused`, `blocked`, `held`, `unlinked` or `noted` (rows are
            `ClaimRow`), `withdrawn` (`WithdrawnRow`), `dangling` (`DanglingRow`), `unmapped_types`
            (`UnmappedRow`) or `unmatched_persons` (`UnmatchedRow`).
        title: What it lists, in words.
        excerpt: Its first rows, the most urgent first.
    """

    kind: str
    title: str
    excerpt: Excerpt[AnyRow]


@dataclass(frozen=True, slots=True)
class WorkGroup:
    """What one owner can fix. A claim may need several owners and is then in a list of each.

    Attributes:
        owner: `4hse`, `hr`, `ditio`, `settings` or `operator`.
        title: The owner in words.
        lists: The lists that have any rows, each row of the owner in one of the claims' lists.
    """

    owner: str
    title: str
    lists: tuple[WorkList, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Rows that Ditio refused with the same words."""

    rows: int
    message: str
