"""What a verification, a purge and a replay say in a terminal or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certrecon.audit.breach import Verification

if TYPE_CHECKING:
    from certrecon.audit.replay import Replay

MOST_SHOWN = 50


def render_verification(found: Verification) -> str:
    """Return what was checked, what does not hold, the first one first, and what to do."""
    lines = ["Checked:", *(f"  {count:>12,} {name}" for name, count in found.checked.items())]
    lines += [f"Note: {note}" for note in found.notes]
    for breach in found.breaches[:MOST_SHOWN]:
        lines.append(f"  {breach.kind.upper():<8} {breach.where}: {breach.words}")
    if len(found.breaches) > MOST_SHOWN:
        lines.append(f"  ... and {len(found.breaches) - MOST_SHOWN} more")
    return "\n".join([*lines, closing_sentence(found)])


def closing_sentence(found: Verification) -> str:
    """Return what it came to in one sentence, with the first breach where there is one."""
    if found.holds:
        return "Everything holds: what the warehouse and the evidence say is what was written."
    first, more = found.breaches[0], len(found.breaches) - 1
    rest = f" ({more} more do not hold)" if more else ""
    return f"Verification failed: {first.words}{rest} Change nothing, and go on with docs/runbook.md."


def render_replay(again: Replay) -> str:
    """Return what was compared, what differs, and one closing sentence."""
    lines = [*again.notes, f"Compared for run {again.run_seq}:"]
    for one in again.comparisons:
        same = "the same" if not one.differing else f"{one.differing:,} differ"
        lines.append(f"  {one.table:<26} {one.rows:>10,} {'row ' if one.rows == 1 else 'rows'}  {same}")
        for each in one.differences:
            place = " ".join(part for part in (each.key, each.column) if part)
            lines.append(f"      {place}: was {each.was}, is {each.again}".replace("      :", "     "))
    return "\n".join([*lines, _closing(again)])


def _closing(again: Replay) -> str:
    if not again.comparisons:
        return f"Nothing of run {again.run_seq} could be made again."
    if again.holds:
        return f"Run {again.run_seq} comes out the same from its evidence alone."
    tables = ", ".join(one.table for one in again.comparisons if one.differing)
    return f"Run {again.run_seq} does not come out the same ({tables}): go on with docs/runbook.md."
