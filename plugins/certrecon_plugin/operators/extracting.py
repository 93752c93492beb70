"""Tasks that read the vendors and seal what was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from certrecon_plugin.environment import whole_number
from certrecon_plugin.operators.base import StageOperator, Task, result_of, results_of, run_of
from certrecon_plugin.resources import workplace
from certrecon_plugin.telling.assets import (
    CLAIMS,
    EMPLOYEES,
    EVIDENCE,
    LEDGER,
    SEALED_ALIAS,
    TENANT_ENTITIES,
    sealed_inputs,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.extract import Extracted
    from certrecon.stages.find_tenants import Tenants
    from certrecon.stages.seal_inputs import Looked

TENANTS_AT_ONCE = whole_number("CERTRECON_TENANTS_AT_ONCE", 4, least=1, most=1_000)
"""How many tenants are read at the same time, over all workers; the rate is shared out over them."""


class ExtractTenantOperator(StageOperator):
    """Reads certificates, links and persons of one 4HSE project."""

    template_fields: Sequence[str] = ("tenant_id",)
    writes = (EVIDENCE,)

    def __init__(self, *, tenant_id: str, **kwargs: Any) -> None:
        """Take the project's id."""
        kwargs["inlets"] = kwargs.get("inlets") or [*TENANT_ENTITIES]  # a mapped task brings an empty list of its own
        super().__init__(**kwargs)
        self.tenant_id = tenant_id

    def run_stage(self, context: Context) -> list[dict[str, Any]]:
        """Return the files of the tenant's datasets."""
        from certrecon.api.loop import run
        from certrecon.stages.extract import run_extract_tenant
        from certrecon_plugin.hooks.fourhse import FourHseHook

        tenants = len(result_of(context, Task.FIND_TENANTS))

        async def read() -> Extracted:
            settings = place.settings().settings.fourhse
            rate = settings.requests_per_second
            share = rate / min(TENANTS_AT_ONCE, tenants) if rate else None
            async with FourHseHook().client(concurrency=settings.concurrency, requests_per_second=share) as client:
                return await run_extract_tenant(place, client, self.tenant_id)

        with workplace(run_of(context)) as place:
            return run(read()).to_json()


class ExtractEmployeesOperator(StageOperator):
    """Reads the employees of Ditio."""

    writes = (EVIDENCE,)

    def __init__(self, **kwargs: Any) -> None:
        """Read Ditio's employees."""
        super().__init__(inlets=[EMPLOYEES], **kwargs)

    def run_stage(self, context: Context) -> list[dict[str, Any]]:
        """Return the file of the employees."""
        from certrecon.api.loop import run
        from certrecon.stages.extract import run_extract_employees
        from certrecon_plugin.hooks.ditio import DitioHook

        async def read() -> Extracted:
            settings = place.settings().settings.ditio
            hook = DitioHook()
            async with hook.client(
                concurrency=settings.concurrency, requests_per_second=settings.requests_per_second
            ) as client:
                return await run_extract_employees(place, client)

        with workplace(run_of(context)) as place:
            return run(read()).to_json()


class SealInputsOperator(StageOperator):
    """Seals what the run will be judged on."""

    def __init__(self, **kwargs: Any) -> None:
        """Read ledger and claims, and produce evidence."""
        super().__init__(inlets=[LEDGER, CLAIMS], outlets=[SEALED_ALIAS], **kwargs)

    def run_stage(self, context: Context) -> dict[str, Any]:
        """Return the digest of the inputs and how many rows each dataset has."""
        from certrecon.stages.extract import Extracted, is_sandbox
        from certrecon.stages.seal_inputs import run_seal_inputs

        employees = Extracted.from_json(result_of(context, Task.EXTRACT_EMPLOYEES))
        files = [file for one in (*self.read(context), employees) for file in one.files]
        tenants, looked, sandbox = self.tenants(context), self.looked(context), is_sandbox(employees)
        with workplace(run_of(context)) as place:
            sealed = run_seal_inputs(place, tenants, files, target_is_sandbox=sandbox, looked=looked)
        sealed_inputs(context, run_of(context), sealed.rows)
        return sealed.to_json()

    def tenants(self, context: Context) -> Tenants:
        """Return the tenants that were read."""
        from certrecon.stages.find_tenants import Tenants

        return Tenants.from_json(context["ti"].xcom_pull(task_ids=str(Task.FIND_TENANTS), key="tenants"))

    def looked(self, _context: Context) -> Looked | None:
        """Return the certificates that the run speaks of; None for all of its tenants."""
        return None

    def read(self, context: Context) -> Iterable[Extracted]:
        """Return the files of every tenant."""
        from certrecon.stages.extract import Extracted

        return map(Extracted.from_json, results_of(context, Task.EXTRACT_TENANT))
