"""Tasks that send the plan to Ditio and load what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from certrecon_plugin.operators.base import StageOperator, Task, result_of, run_of
from certrecon_plugin.resources import workplace
from certrecon_plugin.telling.assets import EVIDENCE, LOADED_ALIAS, PUBLISHED_ALIAS, loaded, published

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.plan import Planned
    from certrecon.stages.publish import Published


def planned_of(context: Context) -> Planned:
    """Return what was planned; a run that failed before has nothing to load or report.

    Raises:
        AirflowSkipException: Nothing was planned.
    """
    from certrecon.stages.plan import Planned

    values = result_of(context, Task.PLAN)
    if values is None:
        message = "Nothing was planned, so there is nothing to load or report"
        raise AirflowSkipException(message)
    return Planned.from_json(values)


class PublishOperator(StageOperator):
    """Sends the plan to Ditio, once the guards have passed."""

    def __init__(self, **kwargs: Any) -> None:
        """Read evidence, and produce certificates in Ditio."""
        super().__init__(inlets=[EVIDENCE], outlets=[PUBLISHED_ALIAS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return how many rows Ditio acknowledged and rejected."""
        from certrecon.api.loop import run
        from certrecon.stages.publish import run_publish
        from certrecon_plugin.hooks.ditio import DitioHook

        planned = planned_of(context)

        async def send() -> Published:
            settings = place.settings().settings.ditio
            hook = DitioHook()
            async with hook.client(
                concurrency=settings.concurrency, requests_per_second=settings.requests_per_second
            ) as client:
                return await run_publish(place, planned, client)

        with workplace(run_of(context)) as place:
            done = run(send())
        published(context, run_of(context), done)
        return done.to_json()


class LoadOperator(StageOperator):
    """Settles every claim's disposition and loads what changed into the warehouse."""

    def __init__(self, **kwargs: Any) -> None:
        """Read evidence, and produce ledger and claims."""
        super().__init__(inlets=[EVIDENCE], outlets=[LOADED_ALIAS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return the dispositions and how many rows were written."""
        from certrecon.stages.build_claims import BuiltClaims
        from certrecon.stages.load import run_load

        planned = planned_of(context)
        built = BuiltClaims.from_json(result_of(context, Task.BUILD_CLAIMS))
        with workplace(run_of(context)) as place:
            done = run_load(place, planned, built)
        loaded(context, run_of(context), done)
        return done.to_json()
