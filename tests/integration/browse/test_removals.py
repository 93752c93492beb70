"""A note on a delivery counts until something is delivered for the same key again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Engine

from certrecon.browse.removals import list_removals, notes_of
from certrecon.browse.workers import worker
from certrecon.browse.worklist import owner_totals
from certrecon.warehouse.engine import transaction
from tests.integration.browse.deliveries import deliver, note, withdraw
from tests.integration.warehouse.samples import TARGET

Step = Callable[[Engine], None]

WITHDRAWN: list[Step] = [partial(deliver, version="A"), partial(withdraw, version="A")]
NOTED: list[Step] = [*WITHDRAWN, partial(note, version="A")]
DELIVERED: list[Step] = [*NOTED, partial(deliver, version="B")]
AGAIN: list[Step] = [*DELIVERED, partial(withdraw, version="B")]

# What was done, and the certificates that are listed as still to be removed, and as removed.
LIVES: dict[str, tuple[list[Step], list[str], list[str]]] = {
    "withdrawn": (WITHDRAWN, ["cA"], []),
    "noted as removed": (NOTED, [], ["cA"]),
    "noted, then another reason": ([*NOTED, partial(withdraw, version="A", reason="unlinked")], [], ["cA", "cA"]),
    "noted, then delivered": (DELIVERED, [], ["cA"]),
    "noted, then delivered and withdrawn": (AGAIN, ["cB"], ["cA"]),
    "only remarked since": ([*AGAIN, partial(note, version="B", done=False)], ["cB"], []),
    "noted anew": ([*AGAIN, partial(note, version="B")], [], ["cB", "cA"]),
}


@pytest.mark.parametrize(("steps", "still", "removed"), LIVES.values(), ids=LIVES)
def test_a_note_counts_until_the_next_delivery(
    warehouse: Engine, steps: list[Step], still: list[str], removed: list[str]
) -> None:
    for step in steps:
        step(warehouse)
    with transaction(warehouse) as conn:
        found = {
            state: [line.certificate_id for line in list_removals(conn, TARGET, state).rows]
            for state in ("open", "done")
        }
        assert owner_totals(conn, TARGET).withdrawn == len(still)
    assert found == {"open": still, "done": removed}


def test_notes_from_before_stay_to_be_seen(warehouse: Engine) -> None:
    for step in AGAIN:
        step(warehouse)
    with transaction(warehouse) as conn:
        new, old = list_removals(conn, TARGET, "all").rows
        (first,) = notes_of(conn, new.key)
        known = worker(conn, TARGET, "1")
    assert (new.certificate_id, new.done, new.notes, new.last_note, new.counts(first)) == ("cB", False, 1, None, False)
    assert (old.certificate_id, old.done, old.notes, old.last_note, old.counts(first)) == ("cA", True, 1, first, True)
    assert known is not None
    assert known.withdrawn == (new, old)
