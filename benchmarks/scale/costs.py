"""What the project's own work costs, as lines fitted to what `make bench` wrote below `var/bench`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks import names
from benchmarks.results import FOLDER, Measurement, read_results, result_path
from benchmarks.scale.fit import Line, UnmeasuredError, fit_line
from benchmarks.scale.load import Working
from benchmarks.scale.measure import AT_ONCE, MANIFEST, MEASURE, SIDE_BY_SIDE, STARTS, TASKS, TENANTS

Figure = Callable[[Measurement], float]


MANIFEST_READS = 7
"""How often tasks read the manifest of the inputs: by five tasks once, by `load` twice."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the project's own work costs.

    Attributes:
        read: Seconds to read rows of one tenant without latency, by rows; its fixed part is a tenant's.
        task_seconds: Seconds that a mapped task keeps its lane: it is scheduled, starts, imports, reports.
        task_processor: Processor seconds of that, the scheduler's and the API server's included.
        started: Seconds of mapped tasks `SIDE_BY_SIDE` at a time, by tasks: measured to see whether the model holds.
        stages: Seconds of each task that holds all tenants at once, by claims.
        load_new: Seconds to load claims that are all new, by claims.
        load_unchanged: Seconds to find that nothing changed, by claims.
        send: Seconds to send rows without latency, by rows: batches made, answers committed.
        memory_read: MiB of a process that reads a tenant, by rows of the tenant.
        memory: MiB of each process that holds all tenants at once, by claims: the larger one of both nights.
        evidence_first: Bytes of evidence of a first night, by certificates.
        evidence_nightly: Bytes of evidence of an unchanged night, by certificates.
        tenant_result: Bytes that the task of one tenant hands over (XCom).
        manifest: Bytes of the manifest, by tenants.
        run_row: Bytes of the counts by tenant in the run's row, by tenants.
        tenants: Seconds to write the manifest, read it as often as tasks do, and count rows by tenant, by tenants.
        widest: Bytes of text for each certificate in the widest column of each table.
    """

    read: Line
    task_seconds: float
    task_processor: float
    started: Line
    stages: Mapping[str, Line]
    load_new: Line
    load_unchanged: Line
    send: Line
    memory_read: Line
    memory: Mapping[str, Line]
    evidence_first: Line
    evidence_nightly: Line
    tenant_result: float
    manifest: Line
    run_row: Line
    tenants: Line
    widest: Mapping[str, float]

    @property
    def working(self) -> Working:
        """What reading and sending take beside the vendors' answers."""
        tenant = self.task_seconds + self.read.fixed
        return Working(tenant, self.task_processor + self.read.fixed, self.read.each, self.send.each)


def command_for(stage: str) -> str:
    """Return the command that measures a stage."""
    return MEASURE if stage in {TASKS, TENANTS, STARTS} else f"STAGES={stage} make bench"


class Measured:
    """The measurements of one folder; what is missing is an error that says which."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Read stages as they are asked for."""
        self._folder = folder

    def of(self, stage: str, part: str, variant: str) -> list[Measurement]:
        """Return what was measured of a variant of a part, where `*` in the part's name stands for anything.

        Raises:
            UnmeasuredError: The file is missing, or has nothing of it.
        """
        path = result_path(stage, self._folder)
        if not path.exists():
            raise UnmeasuredError(f"{path} is missing: run `{command_for(stage)}`")
        every = read_results(stage, self._folder)
        found = [one for one in every if fnmatchcase(one.part, part) and one.variant == variant and one.seconds]
        if not found:
            parts = sorted({f"{one.part} / {one.variant}" for one in every})
            raise UnmeasuredError(f"{path} has nothing of {part} / {variant}; it has {'; '.join(parts)}")
        return found

    def line(self, stage: str, part: str, variant: str, by: Figure, cost: Figure) -> Line:
        """Return the line through one cost of a part.

        Raises:
            UnmeasuredError: There are no two sizes of it.
        """
        found = self.of(stage, part, variant)
        what = f"{result_path(stage, self._folder)}: {part} / {variant}"
        return fit_line([by(one) for one in found], [cost(one) for one in found], what)


def seconds(one: Measurement) -> float:
    """Return the median."""
    return one.median


def fact(*told: str) -> Figure:
    """Return a figure that a variant told: the sum over the names, each `fact` or `fact.part`."""

    def figure(one: Measurement) -> float:
        return sum(_told(one.facts, name) for name in told)

    return figure


def _told(facts: Mapping[str, object], name: str) -> float:
    value: object = facts
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            raise UnmeasuredError(f"a measurement does not tell '{name}': measure it again")
        value = value[step]
    return float(value)  # type: ignore[arg-type]


def parts(*beginnings: str) -> Figure:
    """Return the seconds of the parts that a variant told, those whose names begin so."""

    def figure(one: Measurement) -> float:
        told = one.facts.get("parts", {})
        found = [seconds for name, seconds in told.items() if name.startswith(beginnings)]
        if not found:
            raise UnmeasuredError(f"a measurement does not tell '{beginnings[0]}': measure it again")
        return float(sum(found))

    return figure


def peak(one: Measurement) -> float:
    """Return the most memory."""
    return one.peak_mib


def size(one: Measurement) -> float:
    """Return the number that a measurement is of."""
    return one.size


def _tenant_work(one: Measurement) -> float:
    return fact("seal", "count")(one) + MANIFEST_READS * fact("read")(one)


_SENT = f"{names.Publish.PARTS[0]}, * rows"
FIRST, NIGHTLY = "first night", "unchanged night"
WHOLE_TASKS = ("seal", "build claims", "validate", "plan", "publish", "load", "report", "finalise")
"""Tasks that hold all tenants' claims in one process."""


def costs_from(folder: Path = FOLDER) -> Costs:
    """Fit every cost to the measurements of a folder.

    Raises:
        UnmeasuredError: A measurement is missing; the message names the file and the command.
    """
    found, claims = Measured(folder), fact("claims")
    alone = f"1 {AT_ONCE}"
    together = f"{SIDE_BY_SIDE} {AT_ONCE}"
    tenants = found.of(TENANTS, TENANTS, MANIFEST)

    def task(name: str) -> Line:
        return found.line(TASKS, FIRST, name, claims, seconds)

    def memory(name: str) -> Line:
        both = found.of(TASKS, FIRST, name) + found.of(TASKS, NIGHTLY, name)
        most = {claims(one): max(peak(other) for other in both if claims(other) == claims(one)) for one in both}
        return fit_line(list(most), list(most.values()), f"memory of {name}")

    def by_tenants(cost: Figure) -> Line:
        return found.line(TENANTS, TENANTS, MANIFEST, size, cost)

    def computed(*tasks: str) -> Line:
        return found.line("compute", names.Compute.FIRST, names.Compute.OURS, claims, parts(*tasks))

    return Costs(
        read=found.line("extract", names.Extract.PARTS[0], names.Extract.OURS, fact("rows"), seconds),
        task_seconds=found.line(STARTS, STARTS, alone, size, seconds).each,
        task_processor=found.line(STARTS, STARTS, alone, size, fact("processor")).each,
        started=found.line(STARTS, STARTS, together, size, seconds),
        stages={
            # The first night has no ledger and no claims to write down: any other one takes longer.
            "seal": found.line(TASKS, NIGHTLY, "seal", claims, seconds),
            "build claims": computed("claims"),
            "validate": computed("validate"),
            "plan": computed("plan"),
            "report": task("report"),
            "finalise": task("finalise"),
        },
        load_new=found.line("load", names.Load.PARTS["first"], names.Load.TASK, size, seconds),
        load_unchanged=found.line("load", names.Load.PARTS["unchanged"], names.Load.TASK, size, seconds),
        send=found.line("publish", _SENT, names.Publish.TASK, fact("rows"), seconds),
        memory_read=found.line("extract", names.Extract.PARTS[0], names.Extract.OURS, fact("rows"), peak),
        memory={name: memory(name) for name in WHOLE_TASKS},
        evidence_first=found.line(TASKS, FIRST, "seal", size, fact("evidence")),
        evidence_nightly=found.line(TASKS, NIGHTLY, "seal", size, fact("evidence")),
        tenant_result=fact("result")(tenants[0]),
        manifest=by_tenants(fact("manifest")),
        run_row=by_tenants(fact("run_row")),
        tenants=by_tenants(_tenant_work),
        widest=dict(tenants[0].facts["widest"]),
    )
