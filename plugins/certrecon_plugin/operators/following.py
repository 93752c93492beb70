"""Tasks of a run that follows hints: it waits for its turn, and reads what the hints point at."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator
from airflow.sdk.bases.skipmixin import SkipMixin

from certrecon_plugin.operators.base import StageOperator, Task, keeping_failure, results_of, run_of
from certrecon_plugin.operators.extracting import SealInputsOperator
from certrecon_plugin.resources import evidence_root, warehouse, workplace
from certrecon_plugin.telling.assets import EVIDENCE, HINTS, PROJECTS, TENANT_ENTITIES
from certrecon_plugin.telling.closing import closing

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.extract import Extracted
    from certrecon.stages.find_tenants import Tenants
    from certrecon.stages.hints import Turn
    from certrecon.stages.read_hinted import ReadHinted
    from certrecon.stages.seal_inputs import Looked

log = logging.getLogger(__name__)


class WaitForTurnOperator(BaseSensorOperator, SkipMixin):
    """Waits while another run works on the Ditio company; leaves out all other tasks where there is nothing to do."""

    def __init__(self, **kwargs: Any) -> None:
        """Give the worker back between two looks."""
        super().__init__(mode="reschedule", inlets=[HINTS], **kwargs)

    def execute(self, context: Context) -> Any:
        """Look whether it is the run's turn, and log the closing line of the look."""
        with closing(self.task_id):
            return super().execute(context)

    def poke(self, context: Context) -> bool:
        """Return whether the hints may be followed now; keep the sentence of a failure for the run's last task.

        Raises:
            CertreconError: A setting, a connection or the warehouse does not work.
            DownstreamTasksSkipped: No hint waits, or a night has to come first.
        """
        from certrecon.stages.hints import Turn

        with keeping_failure(context):
            turn = _turn()
        log.info("%s", turn.value)
        if turn in {Turn.NOTHING, Turn.TOO_EARLY, Turn.HELD_BACK}:
            self.skip(context["ti"], self.get_flat_relatives(upstream=False))
        return turn is Turn.NOW


def _turn() -> Turn:
    from certrecon.settings import load_settings
    from certrecon.stages.hints import look_for_turn
    from certrecon.stages.open_run import target_of
    from certrecon_plugin.hooks.ditio import DitioHook

    target = target_of(DitioHook().endpoint(), load_settings().settings.ditio.company_id)
    with warehouse() as engine:
        return look_for_turn(engine, target)


class ReadHintedOperator(StageOperator):
    """Reads in 4HSE what the waiting hints point at, and whatever must be judged with it."""

    writes = (EVIDENCE,)
    TENANTS: ClassVar = "tenants"
    LOOKED: ClassVar = "looked"

    def __init__(self, **kwargs: Any) -> None:
        """Read hints and 4HSE."""
        super().__init__(inlets=[HINTS, PROJECTS, *TENANT_ENTITIES], **kwargs)

    def run_stage(self, context: Context) -> list[dict[str, Any]]:
        """Return the files; tenants and certificates go to the XCom keys `tenants` and `looked`."""
        from certrecon.api.loop import run
        from certrecon.stages.read_hinted import run_read_hinted
        from certrecon_plugin.hooks.fourhse import FourHseHook

        async def read() -> ReadHinted:
            settings = place.settings().settings.fourhse
            rate = settings.requests_per_second
            async with FourHseHook().client(concurrency=settings.concurrency, requests_per_second=rate) as client:
                return await run_read_hinted(place, client, evidence_root)

        with workplace(run_of(context)) as place:
            found = run(read())
        context["ti"].xcom_push(key=self.TENANTS, value=found.tenants.to_json())
        context["ti"].xcom_push(key=self.LOOKED, value=found.looked.to_json())
        return found.extracted.to_json()


class SealHintedOperator(SealInputsOperator):
    """Seals what a run that follows hints will be judged on."""

    def tenants(self, context: Context) -> Tenants:
        """Return the tenants that something was read of."""
        from certrecon.stages.find_tenants import Tenants

        return Tenants.from_json(_pulled(context, ReadHintedOperator.TENANTS))

    def looked(self, context: Context) -> Looked | None:
        """Return the certificates that the run speaks of."""
        from certrecon.stages.seal_inputs import Looked

        return Looked.from_json(_pulled(context, ReadHintedOperator.LOOKED))

    def read(self, context: Context) -> Iterable[Extracted]:
        """Return the files."""
        from certrecon.stages.extract import Extracted

        return map(Extracted.from_json, results_of(context, Task.READ_HINTED))


def _pulled(context: Context, key: str) -> Any:
    return context["ti"].xcom_pull(task_ids=str(Task.READ_HINTED), key=key)
