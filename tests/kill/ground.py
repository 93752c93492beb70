"""Where trials take place: a PostgreSQL, a sandbox and a folder, put back to a moment of a calm night."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from upath import UPath

from certrecon.audit.verify import verify
from certrecon.warehouse.engine import connect_engine
from certrecon_quickstart.memory import free_port
from certrecon_sandbox.change import change_share
from certrecon_sandbox.generate import generate_world
from certrecon_sandbox.scenarios import SCENARIOS
from certrecon_sandbox.table import Row
from certrecon_sandbox.world import UpsertKey, World, WorldSpec
from tests.contract.sandbox_nights import project_settings
from tests.kill.cluster import WRITER, Cluster
from tests.kill.runs import AirflowRun, Phase, Starting, TaskProcess, phase_of
from tests.kill.state import State, needless, read_state, sent_again, still_running
from tests.kill.task import Assignment
from tests.kill.vendor import Vendor, VendorProcess

DAY = dt.date(2026, 3, 2)
SPEC = WorldSpec(certificates=180, seed=5, today=DAY, tenants=3)
SHARE_CHANGED = 0.5
BATCH_SIZE = 4
SETTLED = "settled"
KEPT = ("evidence", "xcom", "vendor")


class Ground:
    """One ground; nights of the same world pass on it again and again.

    Attributes:
        cluster: PostgreSQL.
        vendor: The sandbox on disk.
        sandbox: The sandbox's process.
        durations: How many seconds each task of the calm night took.
        posts: How many POSTs of certificates the calm night sent.
        split: How many rows it sent again, because a batch with a refused row is split.
        calm: The state after the calm night, and after the one that followed it.
    """

    def __init__(self, folder: Path) -> None:
        """Lay out the ground below a folder; nothing is started."""
        self.folder = folder
        self.cluster = Cluster(folder / "postgres")
        self.vendor = Vendor(folder / "live" / "vendor", free_port(set()))
        self.sandbox = VendorProcess(self.vendor)
        self.durations: dict[str, float] = {}
        self.posts = 0
        self.split = 0
        self.calm: list[State] = []
        self._numbers = itertools.count(1)

    # --- nights ----------------------------------------------------------------------------------------

    def run(self, *, nights_later: int = 0, run_id: str | None = None, patient: bool = False) -> AirflowRun:
        """Return a run that is not started yet."""
        run_id = run_id or f"night-{next(self._numbers)}"
        settings = project_settings()
        del settings["evidence"]
        settings["ditio"] |= {"batch_size": BATCH_SIZE}
        settings["fourhse"] |= {"page_size": 20}
        given = Assignment(
            url=self.cluster.url(),
            role=WRITER,
            port=self.vendor.port,
            folder=self.folder / "live",
            settings=settings,
            xcom=self.folder / "live" / "xcom" / run_id,
            day=DAY + dt.timedelta(days=nights_later),
            run_id=run_id,
            patient=patient,
        )
        return AirflowRun(given)

    def prepare(self) -> None:
        """Spend the nights before the trials: a first one, a day of changes, a calm one and its follower."""
        self.cluster.start()
        self.cluster.create_warehouse()
        world = generate_world(SPEC)
        self.serve(world)
        first = self.run()
        assert first.go(), f"the first night failed: {first.failures()}"
        _change(world, self.vendor.ditio())
        self.serve(world)
        self.save(SETTLED)
        self._calm_night()
        self.calm.append(self.state())
        assert self.run(nights_later=1).go()
        self.calm.append(self.state())
        problems = self.problems(1)
        assert not problems, problems

    def _calm_night(self) -> None:
        """Run the night that trials disturb; keep how long tasks take, and where each phase begins."""
        before, again = len(self.vendor.requests()), sent_again(self.vendor)
        run = self.run(run_id="disturbed")
        last: Phase | None = None

        def watched(step: str, start: Starting) -> TaskProcess:
            nonlocal last
            if phase_of(step) != last:
                last = phase_of(step)
                self.save(last)
            process = start()
            process.code()
            self.durations[step] = time.monotonic() - process.began
            return process

        run.watch = watched
        assert run.go(), f"the calm night failed: {run.failures()}"
        self.posts = len(self.vendor.requests()) - before
        self.split = sent_again(self.vendor) - again

    # --- moments ---------------------------------------------------------------------------------------

    def serve(self, world: World) -> None:
        """Let the sandbox show this world; what Ditio has accepted stays."""
        self.vendor.put(world)
        self.sandbox.start()

    def save(self, moment: str) -> None:
        """Keep everything as it is now, while no task works."""
        for name in KEPT:
            source, target = self.folder / "live" / name, self.folder / "kept" / moment / name
            shutil.rmtree(target, ignore_errors=True)
            if source.exists():
                shutil.copytree(source, target)
        self.cluster.save(moment)

    def put_back(self, moment: str) -> None:
        """Make everything as it was then."""
        self.cluster.start()
        self.sandbox.kill()
        for name in KEPT:
            source, target = self.folder / "kept" / moment / name, self.folder / "live" / name
            shutil.rmtree(target, ignore_errors=True)
            if source.exists():
                shutil.copytree(source, target)
        self.cluster.put_back(moment)
        self.sandbox.start()

    # --- what there is ---------------------------------------------------------------------------------

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Open the warehouse as its owner."""
        engine = connect_engine(self.cluster.url())
        try:
            yield engine
        finally:
            engine.dispose()

    def state(self) -> State:
        """Return the state now."""
        with self.engine() as engine:
            return read_state(engine, self.vendor)

    def problems(self, nights: int) -> list[str]:
        """Return what is not as after so many calm nights; nothing = all is well."""
        with self.engine() as engine:
            found = read_state(engine, self.vendor).differences(self.calm[nights])
            running, again = still_running(engine), needless(engine, self.vendor)
            verified = verify(engine, UPath, str(self.folder / "live" / "evidence"))
        if running:
            found.append(f"runs {running} are still running")
        if again:
            found.append(f"{len(again)} rows were sent again although their answer was committed: {again[:2]}")
        return found + [str(breach) for breach in verified.breaches]


@contextmanager
def prepared_ground() -> Iterator[Ground]:
    """Prepare a ground, and leave nothing of it behind."""
    # Not under pytest's own folder: as root PostgreSQL runs as another user.
    with tempfile.TemporaryDirectory(prefix="certrecon-kill-", ignore_cleanup_errors=True) as folder:
        ground = Ground(Path(folder))
        try:
            ground.prepare()
            yield ground
        finally:
            ground.sandbox.kill()
            ground.cluster.stop()


def _change(world: World, ditio: dict[UpsertKey, Row]) -> None:
    """Let a day pass: renewals, deletions, new ones, and somebody with a renewal whom Ditio refuses from now on."""
    before = {row["certificate_id"]: row.get("date_expire") for row in world.certificates}
    change_share(world, SHARE_CHANGED, seed=11)
    renewed = {
        row["certificate_id"]
        for row in world.certificates
        if before.get(row["certificate_id"]) != row.get("date_expire")
    }
    holders = sorted(row["employeeNumber"] for row in ditio.values() if row["certificateNumber"] in renewed)
    SCENARIOS["employee_moved_to_project_company"](world, {"employee_number": holders[0]})
