"""Random choices that depend on nothing but the seed and what they are for."""

from __future__ import annotations

import random
from collections.abc import Mapping

from certrecon_sandbox.world import WorldSpec


def draw_for(spec: WorldSpec, purpose: str) -> random.Random:
    """Return a source of its own, so that one part's changes do not move the others."""
    return random.Random(f"{spec.seed}:{purpose}")


def new_id(draw: random.Random) -> str:
    """Return a version 4 UUID."""
    digits = f"{draw.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def allot(total: int, shares: Mapping[str, float], rest: str) -> list[str]:
    """Return `total` names: each by its share but at least once, and `rest` for what is left."""
    names = [name for name, share in shares.items() for _ in range(max(1, round(share * total)))]
    return names[:total] + [rest] * (total - len(names))
