"""PostgreSQL refuses connections: whichever task meets that says so, and succeeds when it is tried again."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.engine import make_url

from certrecon_quickstart.memory import free_port
from tests.kill.ground import SETTLED, Ground
from tests.kill.runs import Phase, Starting, TaskProcess, phase_of


def test_every_task_names_it_and_goes_on_when_it_is_back(ground: Ground) -> None:
    ground.put_back(SETTLED)
    run = ground.run(run_id="disturbed")
    closed = free_port({ground.vendor.port})
    nobody_there = replace(
        run.given, url=make_url(run.given.url).set(port=closed).render_as_string(hide_password=False)
    )
    refused: list[str] = []

    def watched(step: str, start: Starting) -> TaskProcess:
        if step in refused:
            return start()
        refused.append(step)
        process = TaskProcess(nobody_there, step)
        assert process.code() == 1, step
        failure = run.given.failure(step)
        assert failure is not None
        assert failure["error"] == "WarehouseUnavailableError"
        assert failure["message"].startswith(f"PostgreSQL at 127.0.0.1:{closed} is not available: "), step
        assert "refused" in failure["message"]
        return process

    run.watch = watched
    assert not run.go(), "opening is not tried again by itself"
    run.clear()
    assert run.go(), run.failures()
    assert {phase_of(step) for step in refused} == set(Phase)
    assert ground.problems(0) == []
