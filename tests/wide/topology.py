"""The topology of docker-compose.yaml, run as processes: the end is that of an undisturbed run on one machine.

Two workers share a run. One loses power while it reads a tenant, one while it sends to Ditio, and one is out of reach
for a while and comes back. `make test-wide` runs this; it takes minutes, so `make test` does not.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from certrecon_quickstart.migrations import warehouse_url
from tests.kill.state import State, still_running
from tests.wide.alone import open_warehouse, sent_needlessly, spend_the_night_alone, state_of
from tests.wide.compose import ROOT, SANDBOX_VARIABLES, read_services, read_variables
from tests.wide.control_room import ControlRoom
from tests.wide.guard import guarded, left_behind
from tests.wide.image import build_image
from tests.wide.machines import Machines

CERTIFICATES, SEED = 300, 5
SECRETS = (
    "POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD", "WAREHOUSE_MIGRATOR_PASSWORD", "WAREHOUSE_PASSWORD", "REDIS_PASSWORD",
    "AIRFLOW_JWT_SECRET", "AIRFLOW_SECRET_KEY",
)  # fmt: skip
# A lost worker is noticed in seconds, its tasks are tried again at once, and each task takes long enough to be hit.
VARIABLES = {
    "TASK_HEARTBEAT_TIMEOUT": "20",
    "TASK_HEARTBEAT_LOOK": "2",
    "CERTRECON_RETRY_SECONDS": "1",
    # Redis gives the tasks of a dead worker out a second time while the run still goes on: that must do no harm.
    "CELERY_VISIBILITY_TIMEOUT": "45",
    "CERTRECON_SCHEDULE": "30 3 29 2 *",
    "SANDBOX_CERTIFICATES": str(CERTIFICATES),
    "SANDBOX_SEED": str(SEED),
    "SANDBOX_LATENCY_MS": "300",
    "WORKER_CONCURRENCY": "2",
}
ZOMBIE_SECONDS = 5
SETTINGS = "config/reconciliation.yaml"


@dataclass
class Wide:
    """A night on many machines, and the same one on one.

    Attributes:
        room: The machines.
        run_id: The night's run.
        ended: How it ended.
        sent_beside: How many requests another worker sent while one that might still send was frozen.
        alone: What the night left behind on one machine.
    """

    room: ControlRoom
    run_id: str
    ended: str
    sent_beside: int
    alone: State

    @property
    def warehouse(self) -> str:
        address = self.room.machines.machines["api-server"].environment["AIRFLOW_CONN_WAREHOUSE_DEFAULT"]
        return warehouse_url(address).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def wide() -> Iterator[Wide]:
    # Not under pytest's own folder: PostgreSQL runs as another user under root.
    with (
        tempfile.TemporaryDirectory(prefix="certrecon-wide-", ignore_cleanup_errors=True) as name,
        guarded(Path(name)),
        started(Path(name)) as room,
    ):
        text = (Path(name) / SETTINGS).read_text(encoding="utf-8")
        with ThreadPoolExecutor(1) as other:
            alone = other.submit(spend_the_night_alone, Path(name) / "alone", text, CERTIFICATES, SEED)
            night = disturbed_night(room, alone.result)
        yield night
        room.machines.stop_all()
        assert left_behind(name) == {}


@contextmanager
def started(folder: Path) -> Iterator[ControlRoom]:
    """Start all machines, and stop them at the end."""
    machines = laid_out(folder, small_batches(folder))
    room = ControlRoom(machines)
    try:
        machines.start_all()
        room.tell("all services are well")
        yield room
    finally:
        machines.stop_all()
        print("", *room.story, sep="\n")  # noqa: T201 - shown with -s, and when something failed


def small_batches(folder: Path) -> Path:
    """Write the project's settings with pages and batches so small that there is a middle to everything."""
    text = (ROOT / "include/config/reconciliation.yaml").read_text(encoding="utf-8")
    for name, usual, small in (("page_size", 100, 20), ("batch_size", 100, 5)):
        assert f"  {name}: {usual}\n" in text
        text = text.replace(f"  {name}: {usual}\n", f"  {name}: {small}\n")
    settings = folder / SETTINGS
    settings.parent.mkdir()
    settings.write_text(text, encoding="utf-8")
    return settings


def laid_out(folder: Path, settings: Path) -> Machines:
    """Build the image and read the services, with the sandbox's variables and secrets that nobody knows."""
    variables = read_variables(SANDBOX_VARIABLES) | VARIABLES | {name: secrets.token_hex(24) for name in SECRETS}
    variables["CERTRECON_CONFIG_DIR"] = str(settings.parent)
    image = build_image(folder / "image")
    return Machines(folder, image, read_services(variables, frozenset({"sandbox"})))


def disturbed_night(room: ControlRoom, alone: Callable[[], State]) -> Wide:
    """Let a worker lose power while it reads, one while it sends, and one its network while it sends."""
    machines, run_id = room.machines, room.start_run()
    room.tell("the run is started")

    def at_work(task: str, endpoint: str, sent: int) -> str:
        return room.wait_for_work(run_id, task, lambda: room.requests(endpoint) >= sent)

    def lose_power(task: str, endpoint: str, sent: int) -> None:
        lost = at_work(task, endpoint, sent)
        machines.cut_power(lost)
        room.tell(f"{lost} lost power in {task}")
        room.wait_for_try(run_id, task, 2)
        room.tell(f"{task} is tried again")
        machines.switch_on(machines.machines[lost])

    lose_power("extract_tenant", "4hse.certificate.index", 4)
    lose_power("publish", "ditio.certificates", 6)
    zombie = at_work("publish", "ditio.certificates", 10)
    machines.freeze(zombie)
    room.tell(f"{zombie} is out of reach in publish")
    room.wait_for_try(run_id, "publish", 3)
    before = room.requests("ditio.certificates")
    time.sleep(ZOMBIE_SECONDS)
    beside = room.requests("ditio.certificates") - before
    machines.thaw(zombie)
    room.tell(f"{zombie} is back; {before} requests were sent until then, {beside} beside it")
    ended = room.wait_for_end(run_id)
    room.tell(f"the run ended: {ended}, after {room.requests('ditio.certificates')} requests")
    return Wide(room, run_id, ended, beside, alone())


def test_the_run_ends_well_although_two_workers_lost_power(wide: Wide) -> None:
    assert wide.ended == "success", wide.room.machines.said("scheduler")
    tries = wide.room.tries(wide.run_id)
    assert max(tries[task] for task in tries if task.startswith("extract_tenant")) == 2
    assert tries["publish[-1]"] == 3


def test_nobody_sends_beside_a_worker_that_may_only_be_out_of_reach(wide: Wide) -> None:
    assert wide.sent_beside == 0


def test_what_redis_gives_out_a_second_time_is_refused(wide: Wide) -> None:
    logs = [wide.room.machines.folder / f"worker-{number}.log" for number in (1, 2)]
    said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
    assert "not in a state where it could be marked as running" in said or "Task Instance not found" in said


def test_the_web_ui_shows_the_log_of_a_try_whose_worker_is_gone(wide: Wide) -> None:
    assert "Worker startup parse complete" in wide.room.log(wide.run_id, "publish", 1)


def test_the_web_ui_shows_the_report_from_the_shared_evidence(wide: Wide) -> None:
    page = wide.room.page("/certrecon/runs/1/report")
    assert page.status_code == 200, page.text


def test_tenants_are_spread_over_the_workers(wide: Wide) -> None:
    seen = {task: machines for task, machines in wide.room.seen.items() if task.startswith("extract_tenant")}
    assert len(seen) == 3
    assert set.union(*seen.values()) == {"worker-1", "worker-2"}


def test_the_end_is_that_of_an_undisturbed_run_on_one_machine(wide: Wide) -> None:
    assert len(wide.alone.claims) >= CERTIFICATES
    assert wide.alone.ditio
    assert state_of(wide.warehouse, wide.room.sandbox).differences(wide.alone) == []
    with open_warehouse(wide.warehouse) as engine:
        assert still_running(engine) == []


def test_what_was_acknowledged_before_the_power_cut_is_not_sent_again(wide: Wide) -> None:
    assert sent_needlessly(wide.warehouse, wide.room.sandbox) == []
