"""Ten kills of the many that `make test-kill` tries: afterwards all is as if nothing had happened."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.kill.ground import Ground
from tests.kill.kills import TEN, Kill, Recovery, draw, every_place
from tests.kill.trial import survive

SEED = int(os.environ.get("SEED") or 1)


@pytest.mark.parametrize("kill", draw(TEN, SEED), ids=str)
def test_nothing_is_lost(ground: Ground, kill: Kill) -> None:
    """Promise 3: a kill at any moment, then a retry or the next night, ends as a run that was never disturbed."""
    outcome = survive(ground, kill)
    assert outcome.problems == (), f"SEED={SEED}: {outcome}"


def test_all_kills_are_more_than_fifty_and_the_same_for_a_seed() -> None:
    kills = draw(every_place(), SEED, both=True)
    assert len(kills) >= 50
    assert kills == draw(every_place(), SEED, both=True)
    assert kills != draw(every_place(), SEED + 1, both=True)
    assert len(set(Counter(kill.recovery for kill in kills).values())) == 1, "half of them each"
    assert {(kill.victim, kill.phase, kill.moment) for kill in kills} >= set(TEN)
    assert {kill.recovery for kill in draw(TEN, SEED)} == set(Recovery)
