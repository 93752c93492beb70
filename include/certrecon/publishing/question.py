"""What a person is asked before publishing: the plan in words (design, *Publishing*: Approval)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.dispositions.winners import keys_of
from certrecon.publishing.guards import TrippedGuard

MOST_TYPES: Final = 25
MOST_CHANGES: Final = 10
MOST_SAMPLES: Final = 5
MOST_SIGNS: Final = 60
"""So much of a value of the vendors is shown."""

EARLIER = pa.schema([("employee_number", pa.string()), ("certificate_type", pa.string()), ("payload", pa.string())])
"""What the ledger held for a key before this run."""

REASONS: Final = {
    "new": "new in Ditio",
    "changed": "change what Ditio has",
    "unacknowledged": "were planned before and never acknowledged",
    "resend": "are sent again although Ditio has them",
}
"""The reasons of a plan's rows, in words after a number of rows."""

_DAY = r'"validUntilDateTime": ?"(?P<day>\d{4}-\d\d-\d\d)'
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Asking:
    """What a question is made of.

    Attributes:
        run_seq: The run that asks.
        run_day: Its day.
        plan: Schema `certrecon.dispositions.decide.PLAN`.
        plan_sha256: The plan's digest, to which the answer is bound.
        earlier: Schema `EARLIER`.
        guards: The guards that nobody accepted; none where the run asks in any case.
        withdrawn: How many deliveries are without support.
        hours: How long an answer is waited for.
        starter: Who started the run and therefore may not approve it, None where anybody may.
    """

    run_seq: int
    run_day: str
    plan: pa.Table
    plan_sha256: str
    earlier: pa.Table
    guards: Sequence[TrippedGuard]
    withdrawn: int
    hours: float
    starter: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Attributes:
        subject: One line.
        body: Markdown; values of the vendors are in it as plain text, no names of persons.
    """

    subject: str
    body: str


def make_question(asking: Asking) -> Question:
    """Put a plan and the guards that stop it into words."""
    rows = asking.plan.num_rows
    subject = f"Send {rows:,} rows to Ditio? Run {asking.run_seq} of {asking.run_day} waits for an answer"
    parts = (
        _opening(asking),
        _why(asking),
        _types(asking.plan),
        _changes(asking),
        _samples(asking.plan),
        _ends(asking),
    )
    return Question(subject, "\n\n".join(part for part in parts if part))


def _opening(asking: Asking) -> str:
    counted = asking.plan.group_by("reason").aggregate([([], "count_all")])
    counts = dict(zip(counted["reason"].to_pylist(), counted["count_all"].to_pylist(), strict=True))
    lines = [f"- {counts[reason]:,} {words}" for reason, words in REASONS.items() if reason in counts]
    if asking.withdrawn:
        lines.append(f"- {asking.withdrawn:,} earlier deliveries are without support; nothing is sent for them")
    head = f"Nothing was sent yet. Run {asking.run_seq} would send **{asking.plan.num_rows:,} rows** to Ditio:"
    return "\n".join([head, "", *lines])


def _why(asking: Asking) -> str:
    if not asking.guards:
        return "### Why you are asked\n\nThe run was started with approval *Always*. No guard tripped."
    lines = [f"- **{guard.guard}**: {shown(guard.words, 600)}" for guard in asking.guards]
    return "\n".join(["### Why you are asked: guards that tripped", "", *lines])


def _types(plan: pa.Table) -> str:
    counted = plan.group_by("certificate_type").aggregate([([], "count_all")])
    ordered = counted.sort_by([("count_all", "descending"), ("certificate_type", "ascending")])
    rows = [(shown(kind), f"{count:,}") for kind, count in _rows(ordered, "certificate_type", "count_all")]
    left = len(rows) - MOST_TYPES
    note = f"\n\n... and {left:,} more types" if left > 0 else ""
    return f"### By certificate type\n\n{markdown_table(('Certificate type', 'Rows'), rows[:MOST_TYPES])}{note}"


def _rows(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _changes(asking: Asking) -> str:
    found = biggest_changes(asking.plan, asking.earlier).slice(0, MOST_CHANGES)
    if not found.num_rows:
        return ""
    lines = _rows(found, "employee_number", "certificate_type", "was", "becomes")
    rows = [tuple(map(shown, line)) for line in lines]
    head = ("Employee number", "Certificate type", "Valid until, was", "becomes")
    return f"### Biggest changes of validity\n\n{markdown_table(head, rows)}"


def biggest_changes(plan: pa.Table, earlier: pa.Table) -> pa.Table:
    """Return the rows with reason `changed` whose end of validity moves, the farthest first.

    Of these alone the ledger's payload is what Ditio has acknowledged; of others it is what was tried last.

    Args:
        plan: Schema `certrecon.dispositions.decide.PLAN`.
        earlier: Schema `EARLIER`.

    Returns:
        `employee_number`, `certificate_type`, `was` and `becomes` (days as text), `days` (by how many).
    """
    plan = plan.filter(pc.equal(plan["reason"], "changed"))
    among = keys_of(earlier["employee_number"], earlier["certificate_type"])
    place = pc.index_in(keys_of(plan["employee_number"], plan["certificate_type"]), value_set=among)
    payloads = earlier["payload"].combine_chunks().take(place)
    was, becomes = _days(payloads), _days(plan["payload"].combine_chunks())
    moved = pc.abs(pc.days_between(was.cast(pa.date32()), becomes.cast(pa.date32())))
    found = plan.select(["employee_number", "certificate_type"])
    for name, column in (("was", was), ("becomes", becomes), ("days", moved)):
        found = found.append_column(name, column)
    keys = [("days", "descending"), ("employee_number", "ascending"), ("certificate_type", "ascending")]
    return found.filter(pc.greater(moved, 0)).sort_by(keys)


def _days(payloads: pa.Array) -> pa.Array:
    return pc.struct_field(pc.extract_regex(payloads, _DAY), "day")


def _samples(plan: pa.Table) -> str:
    rows = []
    for reason in REASONS:
        some = plan.filter(pc.equal(plan["reason"], reason)).slice(0, MOST_SAMPLES)
        some = some.append_column("until", _days(some["payload"].combine_chunks()))
        rows += [(*map(shown, line), reason) for line in _rows(some, "employee_number", "certificate_type", "until")]
    head = ("Employee number", "Certificate type", "Valid until", "Why it is sent")
    return f"### Some of the rows\n\n{markdown_table(head, rows)}"


def _ends(asking: Asking) -> str:
    lines = [
        "### What your answer does",
        "",
        f"- **Approve** sends exactly this plan (SHA-256 `{asking.plan_sha256}`) and no other.",
        "- **Refuse** sends nothing of it. The run ends as it is, and the next run plans anew.",
        f"- Without an answer within {asking.hours:g} hours it counts as refused.",
    ]
    if asking.starter is not None:
        lines.append(f"- {shown(asking.starter)} started the run and cannot approve it: another person has to.")
    lines.append("- Your name, the time and your reason go on the record and onto the report.")
    return "\n".join(lines)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are plain text within Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object, most: int = MOST_SIGNS) -> str:
    """Return a value as plain text within Markdown: visible signs only, none of them markup."""
    plain = _NOT_SHOWN.sub(" ", "" if value is None else str(value))
    cut = plain if len(plain) <= most else plain[: most - 1] + "…"
    return _PUNCTUATION.sub(r"\\\1", cut)
