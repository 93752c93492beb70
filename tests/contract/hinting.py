"""What 4HSE would tell of as a world changes: a hint for every row that is another one now."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import Hint, add_hints
from certrecon.words import ChangeEvent
from certrecon_sandbox.table import Table
from certrecon_sandbox.world import World
from tests.contract import warehouse as sql
from tests.contract.pipeline import Night
from tests.contract.sandbox_nights import Nights
from tests.oracle.world import Row

GROWS = ("run", "settings_version", "change_hint", "claim_person")
"""Tables that grow with every run, whatever it finds."""


@dataclass(frozen=True)
class _Told:
    created: ChangeEvent
    updated: ChangeEvent
    deleted: ChangeEvent


_CERTIFICATE = _Told(ChangeEvent.CERTIFICATE_CREATE, ChangeEvent.CERTIFICATE_UPDATE, ChangeEvent.CERTIFICATE_DELETE)
_LINK = _Told(ChangeEvent.LINK_CREATE, ChangeEvent.LINK_UPDATE, ChangeEvent.LINK_DELETE)
_PERSON = _Told(ChangeEvent.PERSON_CREATE, ChangeEvent.PERSON_UPDATE, ChangeEvent.PERSON_DELETE)


def hints_of(before: World, after: World) -> list[Hint]:
    """Return the hints that 4HSE's webhooks give when one world becomes another."""
    return [
        *_hints(before.certificates, after.certificates, _CERTIFICATE),
        *_hints(before.links, after.links, _LINK),
        *_hints(before.persons, after.persons, _PERSON),
    ]


def _hints(before: Table, after: Table, told: _Told) -> Iterator[Hint]:
    for identity in {**before.rows, **after.rows}:
        then, now = before.get(identity), after.get(identity)
        if then == now:
            continue
        event = told.created if then is None else told.deleted if now is None else told.updated
        ties = _ties(then, now) if told is _LINK else ()
        yield Hint(event, identity, ties)


def _ties(then: Row | None, now: Row | None) -> tuple[str, ...]:
    """Return what a link's body says it ties or tied: an update names the certificate only where it changed."""
    named = [row["certificate_id"] for row in (then, now) if row is not None]
    return () if len(named) == 2 and named[0] == named[1] else tuple(named)


def change_and_tell(
    nights: Nights, change: Callable[[World], object], *, tell: Callable[[list[Hint]], Iterable[Hint]] = list
) -> int:
    """Change the world by day, store the hints for it, and return how many there are."""
    before = copy.deepcopy(nights.world)
    change(nights.world)
    with transaction(nights.engine) as conn:
        return add_hints(conn, tell(hints_of(before, nights.world)))


def shuffled_and_doubled(hints: list[Hint]) -> list[Hint]:
    """Return every hint twice, in another order."""
    both = [*hints, *hints]
    random.Random(7).shuffle(both)
    return both


def follow(nights: Nights) -> Night:
    """Follow the hints, and hold what that left against a full night: the night changes and sends nothing.

    Returns:
        The run that followed them.
    """
    nights.server.sandbox.journal.clear()
    followed = nights.pipeline.follow_hints(nights.day)
    assert (followed.errors, followed.status) == ({}, "succeeded")
    left = sql.fingerprint(nights.engine, without=GROWS)
    night = nights.night()
    assert (night.errors, night.status) == ({}, "succeeded")
    assert nights.posts == []
    assert sql.fingerprint(nights.engine, without=GROWS) == left
    return followed


def target_of(night: Night) -> str:
    """Return the target of an opened run."""
    assert night.handle is not None
    return night.handle.target


def certificate(nights: Nights, number: int = 0) -> Row:
    """Return a delivered claim of a certificate that has one link and one claim."""
    return nights.delivered_alone(number + 1)[number]
