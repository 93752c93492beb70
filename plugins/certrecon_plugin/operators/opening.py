"""Tasks that open the run and find what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certrecon_plugin.operators.base import StageOperator, run_of
from certrecon_plugin.resources import evidence_root, warehouse, workplace
from certrecon_plugin.telling.assets import EVIDENCE, PROJECTS

if TYPE_CHECKING:
    from airflow.sdk import Context


class OpenRunOperator(StageOperator):
    """Checks parameters, settings and connections, and opens the run in the warehouse."""

    writes = (EVIDENCE,)

    def __init__(self, *, by_hints: bool = False, **kwargs: Any) -> None:
        """Take whether the run looks only at what hints point at."""
        super().__init__(**kwargs)
        self.by_hints = by_hints

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return the run's handle."""
        from certrecon.stages.open_run import Outside, Start, run_open
        from certrecon_plugin.hooks.ditio import DitioHook
        from certrecon_plugin.hooks.fourhse import FourHseHook

        dag_run = context["dag_run"]
        start = Start(
            run_id=dag_run.run_id,
            run_after=dag_run.run_after,
            trigger=str(getattr(dag_run.run_type, "value", dag_run.run_type)),
            triggered_by=dag_run.triggering_user_name,
            conf=dag_run.conf,
            params=dict(context["params"]),
            by_hints=self.by_hints,
        )
        FourHseHook().endpoint()
        with warehouse() as engine:
            return run_open(start, Outside(engine, DitioHook().endpoint(), evidence_root)).to_json()


class FindTenantsOperator(StageOperator):
    """Asks 4HSE which projects there are and chooses those to read."""

    def __init__(self, **kwargs: Any) -> None:
        """Read 4HSE's projects."""
        super().__init__(inlets=[PROJECTS], **kwargs)

    def run_stage(self, context: Context) -> list[str]:
        """Return the tenants to read; all that are listed go to the XCom key `tenants`."""
        from certrecon.api.loop import run
        from certrecon.stages.find_tenants import Tenants, run_find_tenants
        from certrecon_plugin.hooks.fourhse import FourHseHook

        async def find() -> Tenants:
            settings = place.settings().settings.fourhse
            hook = FourHseHook()
            async with hook.client(
                concurrency=settings.concurrency, requests_per_second=settings.requests_per_second
            ) as client:
                return await run_find_tenants(place, client)

        with workplace(run_of(context)) as place:
            tenants = run(find())
        context["ti"].xcom_push(key="tenants", value=tenants.to_json())
        return list(tenants.chosen)
