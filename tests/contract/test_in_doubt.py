"""What Ditio may hold though it never said so, and what nothing sends any more, is said each night and can be found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from certrecon.audit.replay import replay_run
from certrecon.stages.publish import outbox
from tests.contract import warehouse as sql
from tests.contract.pipeline import QUICK, Night
from tests.contract.sending import KEY, Sending
from tests.contract.world_server import Fault
from tests.oracle.base import AS_OF
from tests.oracle.world import World

GUIDE = Path(__file__).parents[2] / "docs" / "auditors-guide.md"
SAID = "IN DOUBT: 1 row had no clear answer and is not to be sent any more: Ditio may hold it."
NO_ANSWER = [Fault(saves=True)] * QUICK.attempts


def no_answer(sending: Sending) -> None:
    assert sending.night(*NO_ANSWER).status == "failed"


def refused_after_no_answer(sending: Sending) -> None:
    no_answer(sending)
    assert sending.night(Fault(400)).status == "succeeded_with_rejects"


def killed_while_sending(sending: Sending) -> None:
    dead = sending.pipeline.night(AS_OF)
    dead.open()
    dead.decide()
    assert dead.planned is not None
    outbox(dead.workplace, dead.planned)


def deleted(world: World) -> None:
    world.certificates["t1"], world.links["t1"] = [], []


def unlinked(world: World) -> None:
    world.links["t1"] = []


def blocked(world: World) -> None:
    world.employees = []


def summary_of(night: Night) -> str:
    return night.file(night.reported and night.reported.summary)


def found_by_the_guide(sending: Sending) -> list[tuple[str, str]]:
    """Return the keys that the guide's query finds."""
    [query] = [part for part in GUIDE.read_text(encoding="utf-8").split("```") if "in_doubt" in part]
    rows = sql.rows(sending.engine, query.removeprefix("sql"))
    return [(row["employee_number"], row["certificate_type"]) for row in rows]


@pytest.mark.parametrize("lost", [deleted, unlinked, blocked])
@pytest.mark.parametrize("came", [no_answer, refused_after_no_answer, killed_while_sending])
def test_what_was_never_acknowledged_and_is_not_sent_again_is_said(
    sending_of: Callable[..., Sending], came: Callable[[Sending], None], lost: Callable[[World], None]
) -> None:
    """It is no withdrawal, since Ditio never acknowledged it; so people have to look."""
    sending = sending_of(1)
    came(sending)
    lost(sending.server.world)
    for _ in range(2):
        night = sending.night()
        assert (night.status, sending.sizes, sql.withdrawn(sending.engine)) == ("succeeded", [], [])
        assert SAID in " ".join(summary_of(night).split())
        page = night.file(night.reported and night.reported.page)
        assert "<h3>In doubt: 1</h3>" in page
        assert f'<th scope="row">{KEY[0]}</th><td>{KEY[1]}</td><td>c100</td>' in page
        assert found_by_the_guide(sending) == [KEY]
        made = replay_run(sending.engine, Path, night.run_seq)
        assert [one.table for one in made.comparisons if one.differing] == []


def test_it_is_said_no_more_once_ditio_has_acknowledged_it(sending_of: Callable[..., Sending]) -> None:
    sending = sending_of(1)
    no_answer(sending)
    links = sending.server.world.links["t1"]
    unlinked(sending.server.world)
    assert "IN DOUBT" in summary_of(sending.night())
    sending.server.world.links["t1"] = links
    night = sending.night()
    assert (night.status, sending.sizes, found_by_the_guide(sending)) == ("succeeded", [1], [])
    assert "IN DOUBT" not in summary_of(night)


def test_what_is_sent_again_or_withdrawn_is_said_elsewhere(sending_of: Callable[..., Sending]) -> None:
    """A row in doubt that is in the plan goes out; an acknowledged one without support is a withdrawal."""
    sending = sending_of(1)
    no_answer(sending)
    for night in (sending.night(mode="dry_run"), sending.night(*NO_ANSWER), sending.night()):
        assert "IN DOUBT" not in summary_of(night)
    deleted(sending.server.world)
    assert "IN DOUBT" not in summary_of(sending.night(accept=["drop"]))
    assert (sql.withdrawn(sending.engine), found_by_the_guide(sending)) == ([(*KEY, "deleted")], [])


def test_a_limited_run_says_nothing_of_it(sending_of: Callable[..., Sending]) -> None:
    """It cannot know whether somebody else's certificate holds the key."""
    sending = sending_of(1)
    no_answer(sending)
    unlinked(sending.server.world)
    assert "IN DOUBT" not in summary_of(sending.night(tenant_ids=["t1"]))
