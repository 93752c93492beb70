"""Our publishing of a prepared first night.

    python -m benchmarks.ours.publish NIGHTS SCRATCH ADDRESS URL ROWS task|send

`task` is the whole task: outbox, sending, every answer committed. `send` is the sender with its recorder alone, the
outbox being there. Only the first ROWS rows of the plan are sent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.ours.night import PreparedNight, ditio_endpoint
from benchmarks.telling import tell, timed
from certrecon.api.ditio import DitioClient
from certrecon.api.loop import run
from certrecon.dispositions.decide import PLAN
from certrecon.publishing.batches import batches_of
from certrecon.publishing.sender import Sent, send_all
from certrecon.stages.plan import Planned, read_plan
from certrecon.stages.publish import outbox, run_publish
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.answers import record_attempts
from certrecon.warehouse.engine import transaction


def cut(place: Workplace, planned: Planned, rows: int) -> Planned:
    """Return the plan with its first rows only."""
    plan = read_plan(place, planned).slice(0, rows)
    return replace(planned, plan=place.write("plan", plan.select(PLAN.names)))


async def send_alone(place: Workplace, left: pa.Table, api: DitioClient) -> Sent:
    """Send what is in the outbox and commit every answer."""
    settings = place.settings().settings

    def commit(rows: pa.Table) -> None:
        with transaction(place.engine) as conn:
            record_attempts(conn, place.run.run_seq, place.run.target, rows)

    return await send_all(batches_of(left, settings.ditio.batch_size), api, commit, settings.ditio, settings.guards)


def work_of(place: Workplace, planned: Planned, url: str, what: str) -> Callable[[], Coroutine[Any, Any, Any]]:
    """Return what is timed."""
    endpoint = ditio_endpoint(url)
    left = outbox(place, planned) if what == "send" else None

    async def publish() -> Any:
        async with DitioClient(endpoint) as client:
            if left is None:
                return await run_publish(place, planned, client)
            return await send_alone(place, left, client)

    return publish


def main() -> None:
    """Publish once and tell seconds, rows and requests."""
    folder, scratch, address, url, rows, what = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
    night = PreparedNight.read(folder, "first")
    place = night.place(scratch, address)
    pa.array(["imports pandas"], pa.string())
    planned = cut(place, night.planned, int(rows))
    publish = work_of(place, planned, url, what)
    seconds, sent = timed(lambda: run(publish()))
    tell(seconds, rows=sent.acknowledged, requests=sent.requests)


if __name__ == "__main__":
    main()
