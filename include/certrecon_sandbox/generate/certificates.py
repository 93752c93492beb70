"""Certificates and links: which kinds there are, how many of each, and whose they are."""

from __future__ import annotations

import random
from collections.abc import Iterator

from certrecon_sandbox.generate.calendar import Calendar
from certrecon_sandbox.generate.draw import allot, draw_for
from certrecon_sandbox.generate.kinds import Maker
from certrecon_sandbox.generate.persons import HARMLESS, Person
from certrecon_sandbox.generate.tenants import Tenant
from certrecon_sandbox.world import World

VALID = "valid"
# Kinds of certificates of people with whom nothing is wrong, and their share of all.
SHARES = {
    "expired": 0.060,
    "expires_soon": 0.040,
    "derived": 0.040,
    "expiry_on_link": 0.020,
    "own_link_expiry": 0.020,
    "renewed": 0.040,
    "two_courses": 0.030,
    "two_offices": 0.040,
    "expiry_disagrees": 0.005,
    "warned": 0.008,
    "type_disagrees": 0.004,
    "resource_type_missing": 0.003,
    "issued_missing": 0.002,
    "issued_invalid": 0.003,
    "issued_in_future": 0.003,
    "expiry_missing": 0.006,
    "expiry_invalid": 0.002,
    "link_expiry_invalid": 0.001,
    "expiry_not_after_issue": 0.004,
    "implausible_old": 0.001,
    "implausible_long": 0.001,
    "implausible_crane": 0.001,
    "person_unknown": 0.003,
    "unmapped": 0.010,
    "unlinked": 0.020,
    "unlinked_typed": 0.006,
    "equipment": 0.060,
    "health": 0.035,
    "protective": 0.010,
    "check_only": 0.002,
}
DANGLING_SHARE = 0.001


def add_certificates(world: World, tenants: list[Tenant], persons: list[Person], calendar: Calendar) -> None:
    """Add certificates, links and action subscriptions."""
    if not persons:
        return
    total = world.spec.certificates
    draw = draw_for(world.spec, "certificates")
    maker = Maker(world, tenants, calendar, draw)
    for kind, person in _slots(draw, total, persons):
        getattr(maker, kind)(person)
    maker.flush()
    maker.dangling(max(2, round(DANGLING_SHARE * total)))
    maker.subscriptions(persons)


def _slots(draw: random.Random, total: int, persons: list[Person]) -> Iterator[tuple[str, Person]]:
    """Pair every certificate's kind with a person, in random order.

    Whoever has a fault of his own gets valid certificates, and not many, so that few certificates
    carry several faults and a small world still is mostly fine.
    """
    kinds = allot(total, SHARES, VALID)
    faulty = [person for person in persons if person.kind not in HARMLESS]
    others = [person for person in persons if person.kind in HARMLESS]
    each = max(1, min(6, total // len(persons) // 3))
    owned = [(VALID, person) for person in faulty for _ in range(each)]
    owned = owned[: kinds.count(VALID)]
    rest = kinds[: total - len(owned)]
    twice = [person for person in others if person.kind == "two_tenants"]
    order = others + twice
    pairs = [(kind, order[index % len(order)]) for index, kind in enumerate(_mixed(draw, rest))]
    pairs += owned
    draw.shuffle(pairs)
    yield from pairs


def _mixed(draw: random.Random, kinds: list[str]) -> list[str]:
    mixed = list(kinds)
    draw.shuffle(mixed)
    return mixed
