"""What a day changes: renewals, new certificates, deletions, unlinkings, corrections."""

from __future__ import annotations

import random
from collections import Counter

from certrecon_sandbox.fourhse import relations
from certrecon_sandbox.generate.calendar import plus_years
from certrecon_sandbox.generate.draw import new_id
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import World

_KINDS = ("renewed", "added", "deleted", "unlinked", "name_corrected")
_WEIGHTS = (60, 15, 8, 7, 10)


def change_share(world: World, share: float, seed: int) -> dict[str, int]:
    """Change that share of the certificates, at least one of them; tell how many of each kind.

    The choice depends on the world and the seed alone.
    """
    draw = random.Random(f"change:{seed}")
    keys = list(world.certificates.rows)
    chosen = draw.sample(keys, min(len(keys), max(1, round(share * len(keys))))) if share else []
    counts: Counter[str] = Counter()
    for identity in chosen:
        kind = draw.choices(_KINDS, weights=_WEIGHTS)[0]
        _CHANGES[kind](world, identity, draw)
        counts[kind] += 1
    return dict(sorted(counts.items()))


def _renewed(world: World, identity: str, _draw: random.Random) -> None:
    row = world.certificates.rows[identity]
    values = {}
    for name in ("date_release", "date_expire"):
        day = row.get(name)
        if isinstance(day, str) and len(day) == 10 and day[:4].isdecimal():
            values[name] = plus_years(day, 1) if name == "date_expire" else day
    relations.update_certificate(world, identity, values)


def _added(world: World, identity: str, draw: random.Random) -> None:
    row = world.certificates.rows[identity]
    copy = relations.create_certificate(world, row | {"certificate_id": new_id(draw)})
    for link in world.links.where("certificate_id", identity)[:1]:
        _link_again(world, copy, link, new_id(draw))


def _link_again(world: World, certificate: Row, link: Row, identity: str) -> None:
    action = world.actions.get(link["action_id"])
    if action is not None:
        world.links.add(relations.link_row(identity, certificate, action, None))


def _deleted(world: World, identity: str, _draw: random.Random) -> None:
    relations.delete_certificate(world, identity)


def _unlinked(world: World, identity: str, _draw: random.Random) -> None:
    for link in world.links.where("certificate_id", identity):
        world.links.remove(link["certificate_action_id"])


def _name_corrected(world: World, identity: str, _draw: random.Random) -> None:
    name = world.certificates.rows[identity].get("name") or "Certificate"
    relations.update_certificate(world, identity, {"name": f"{name}"[:240] + " (rettet)"})


_CHANGES = {
    "renewed": _renewed,
    "added": _added,
    "deleted": _deleted,
    "unlinked": _unlinked,
    "name_corrected": _name_corrected,
}
