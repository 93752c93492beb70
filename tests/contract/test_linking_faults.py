"""Links in 4HSE are created once, whatever happens to requests, answers and processes on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from certrecon.errors import (
    LinksUnfinishedError,
    StillSendingError,
)
from certrecon.linking.creating import Outcome
from certrecon.warehouse.sending import only_linker
from certrecon_sandbox.faults import refusals, wire
from certrecon_sandbox.faults.altered import DroppedField, MissingRow, Truncated
from tests.contract.linking import CREATE, Linkage, Scene, everything_linked_once

ROOT = Path(__file__).parents[2]

UNCLEAR = [
    pytest.param(refusals.Status(status=500), {}, id="a 500 before it was done"),
    pytest.param(refusals.Html(status=502), {}, id="a proxy's page"),
    pytest.param(wire.Reset(), {}, id="a reset before it was done"),
    pytest.param(wire.LostAnswer(), {}, id="done, and the answer lost"),
    pytest.param(wire.CutBody(), {}, id="done, and the answer cut"),
    pytest.param(Truncated(), {}, id="done, and the answer no whole JSON"),
    pytest.param(wire.Latency(seconds=1.5, where="answer"), {}, id="done, and the answer too late"),
    pytest.param(wire.Latency(seconds=1.5, where="request"), {}, id="done after the client gave up"),
    pytest.param(refusals.RateLimited(style="seconds", wait=0), {}, id="429"),
    pytest.param(refusals.TokenEnds(), {}, id="a token that ended"),
]


@pytest.mark.parametrize(("fault", "how"), UNCLEAR)
def test_after_an_unclear_answer_there_is_one_link(scene: Scene, fault: Any, how: dict[str, Any]) -> None:
    run = scene.start().approved()
    scene.fault(fault, after=1, times=1, **how)
    assert [one.outcome for one in run.link()] == [Outcome.CREATED] * 3
    time.sleep(1.2 if getattr(fault, "where", "") == "request" else 0)  # what was on its way arrives
    assert everything_linked_once(scene)
    assert (len(run.created), run.read_back(), run.hint()) == (3, 3, 3)


@pytest.mark.parametrize("fault", [wire.LostAnswer(), wire.Latency(seconds=1.5, where="answer")], ids=["lost", "late"])
def test_a_lost_answer_under_an_id_of_4hses_own_choice_leads_to_no_second_link(scene: Scene, fault: Any) -> None:
    run = scene.start().approved()
    scene.fault(DroppedField(field="certificate_action_id"))
    scene.fault(fault, after=1, times=1)
    run.link()
    assert (everything_linked_once(scene), scene.creates) == (True, 3)
    assert [row["confirmed_by"] for row in scene.rows("created_link")] == ["answer", "reading", "answer"]
    assert run.read_back() == 3


def test_a_link_that_is_seen_only_after_a_second_create_was_refused_is_on_the_record(scene: Scene) -> None:
    """The answer is lost, 4HSE chose the id, its list lags behind once, and it refuses what is already taken."""
    run = scene.start().approved()
    scene.fault(DroppedField(field="certificate_action_id"))
    scene.fault(wire.LostAnswer(), after=1, times=1)
    look = 2  # requests: a list is read, and looked at again
    scene.fault(MissingRow(total="lowered"), "4hse.certificate-action.index", after=2 * look, times=look)
    scene.fault(refusals.Status(status=422), after=2, times=1)
    assert [one.outcome for one in run.link()] == [Outcome.CREATED] * 3
    assert everything_linked_once(scene)
    assert [row["confirmed_by"] for row in scene.rows("created_link")] == ["answer", "reading", "answer"]
    assert run.read_back() == 3


def test_what_stays_unclear_is_named_and_the_next_try_goes_on(scene: Scene) -> None:
    run = scene.start().approved()
    scene.fault(refusals.Status(status=503), after=1, times=3)
    with pytest.raises(LinksUnfinishedError, match=rf"2 of 3.*{scene.ids[1]} \(unclear\).*goes on"):
        run.link()
    assert list(scene.linked.values()) == [1, 0, 1]
    assert [one.outcome for one in run.link()] == [Outcome.EARLIER, Outcome.CREATED, Outcome.EARLIER]
    assert (everything_linked_once(scene), len(run.created)) == (True, 3)


def test_while_4hse_cannot_be_read_nothing_is_created(scene: Scene) -> None:
    run = scene.start().approved()
    scene.fault(refusals.Status(status=503), "4hse.certificate-action.index", after=2)
    with pytest.raises(LinksUnfinishedError, match="1 of 3"):
        run.link()
    assert (list(scene.linked.values()), scene.creates) == ([1, 0, 0], 1)
    scene.nights.server.sandbox.faults.clear()
    run.link()
    assert everything_linked_once(scene)


@pytest.mark.parametrize("own_id", [True, False], ids=["4HSE keeps our id", "4HSE chooses its own"])
def test_a_process_that_is_killed_leaves_nothing_that_the_next_try_links_twice(scene: Scene, own_id: bool) -> None:
    run = scene.start().approved()
    if not own_id:
        scene.fault(DroppedField(field="certificate_action_id"))
    scene.fault(wire.Latency(seconds=60, where="answer"), after=1, times=1)
    process = started(run)
    until = time.monotonic() + 30
    while sum(scene.linked.values()) < 2:
        assert time.monotonic() < until, "the second link was never created"
        time.sleep(0.05)
    process.kill()  # the second link is in 4HSE, and nowhere else
    process.wait()
    assert len(run.created) == 1
    until = time.monotonic() + 10
    while True:  # PostgreSQL notices that the process is gone
        try:
            outcomes = [one.outcome for one in run.link()]
            break
        except StillSendingError:
            assert time.monotonic() < until
    assert (everything_linked_once(scene), scene.creates) == (True, 3)
    found = Outcome.CREATED if own_id else Outcome.ALREADY
    assert outcomes == [Outcome.EARLIER, found, Outcome.CREATED]
    assert len(run.created) == (3 if own_id else 2)


def started(run: Linkage) -> subprocess.Popen[str]:
    """Start the task that creates links as a process of its own."""
    fourhse = run.nights.pipeline.fourhse
    given = {
        "warehouse": run.engine.url.set(drivername="postgresql").render_as_string(hide_password=False),
        "fourhse": fourhse.base_url,
        "grant": asdict(fourhse.token),
        "plan": run.plan.to_json(),
        "run_id": run.run_id,
        "linking_id": run.linking_id,
    }
    command = [sys.executable, "-m", "tests.contract.link_process"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    return process


def test_two_processes_never_link_at_once(scene: Scene) -> None:
    run = scene.start().approved()
    with only_linker(scene.nights.engine), pytest.raises(StillSendingError, match="created nothing"):
        run.link()
    assert scene.creates == 0


def test_the_created_endpoint_is_the_one_that_faults_are_switched_on_for(scene: Scene) -> None:
    scene.start().approved().link()
    assert scene.nights.server.sandbox.journal.endpoints[CREATE].requests == 3
