"""What the runs produce and read, as Airflow assets: for DAGs that follow them, and for OpenLineage.

Airflow knows an asset by name and address together, and two names of one address are a conflict that stops tasks. So
the name is the address, which is what anybody gets who writes `Asset("certrecon://evidence/report")`. To an address
without a path Airflow would add a slash.

Events are added to aliases, since an outlet that is an asset would get an event in every run: a dry run changes
neither ledger nor claims and must not say that it did.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from airflow.sdk import Context

    from certrecon.stages.handle import RunHandle
    from certrecon.stages.load import Loaded
    from certrecon.stages.publish import Published

log = logging.getLogger(__name__)

GROUP: Final = "certificate_reconciliation"

LEDGER: Final = Asset("certrecon://warehouse/ledger", group=GROUP)
"""What Ditio has acknowledged (table `ditio_upsert`)."""
CLAIMS: Final = Asset("certrecon://warehouse/claims", group=GROUP)
"""What every certificate came to (table `claim`)."""
REPORT: Final = Asset("certrecon://evidence/report", group=GROUP)
"""The report of a run that ended well, a dry one too."""
HINTS: Final = Asset("certrecon://warehouse/hints", group=GROUP)
"""What 4HSE says has changed and no run has looked at (table `change_hint`)."""
EVIDENCE: Final = Asset("certrecon://evidence/inputs", group=GROUP)
"""The sealed inputs of a run."""
OUTCOME: Final = Asset("certrecon://evidence/outcome", group=GROUP)
"""What came of a run, in its evidence; it has no events."""
DELIVERED: Final = Asset("ditio://api/certificates", group=GROUP)
"""What Ditio was sent."""

PROJECTS: Final = Asset("fourhse://api/project", group=GROUP)
TENANT_ENTITIES: Final = tuple(
    Asset(f"fourhse://api/{entity}", group=GROUP) for entity in ("certificate", "certificate-action", "person")
)
"""What is read of one 4HSE project."""
LINKS: Final = TENANT_ENTITIES[1]
"""The CertificateActions of 4HSE, which `link_certificates` also creates."""
EMPLOYEES: Final = Asset("ditio://api/employees", group=GROUP)

PUBLISHED_ALIAS: Final = AssetAlias("certificates published", group=GROUP)
LOADED_ALIAS: Final = AssetAlias("certificates loaded", group=GROUP)
REPORTED_ALIAS: Final = AssetAlias("certificates reported", group=GROUP)
LINKED_ALIAS: Final = AssetAlias("certificates linked", group=GROUP)
CREATED_ALIAS: Final = AssetAlias("certificate actions created", group=GROUP)
SEALED_ALIAS: Final = AssetAlias("certificate inputs sealed", group=GROUP)
_READ: Final = ("certificates", "links", "persons", "employees")


def _of_run(run: RunHandle) -> dict[str, Any]:
    return {
        "run_seq": run.run_seq,
        "mode": str(run.parameters.mode),
        "run_day": run.run_day.isoformat(),
        "limited": run.limited,
    }


def _add(context: Context, alias: AssetAlias, asset: Asset, facts: Mapping[str, Any]) -> None:
    context["outlet_events"][alias].add(asset, extra=dict(facts))


def sealed_inputs(context: Context, run: RunHandle, rows: Mapping[str, int]) -> None:
    """Say that a run's inputs are sealed, and how many rows each dataset has."""
    _add(
        context, SEALED_ALIAS, EVIDENCE, {**_of_run(run), "rows": {name: rows[name] for name in _READ if name in rows}}
    )


def created(context: Context, links: int) -> None:
    """Say that links were created in 4HSE; nothing where there are none."""
    if links:
        _add(context, CREATED_ALIAS, LINKS, {"source": "link_certificates", "links": links})


def linked(context: Context, hints: int) -> None:
    """Say that created links wait to be looked at; nothing where there are none."""
    if hints:
        _add(context, LINKED_ALIAS, HINTS, {"source": "link_certificates", "hints": hints})


def published(context: Context, run: RunHandle, done: Published) -> None:
    """Say what Ditio acknowledged; nothing where it was sent nothing."""
    if done.acknowledged or done.rejected:
        facts = {"acknowledged": done.acknowledged, "rejected": done.rejected}
        _add(context, PUBLISHED_ALIAS, DELIVERED, {**_of_run(run), **facts})


def loaded(context: Context, run: RunHandle, done: Loaded) -> None:
    """Say that ledger and claims are as a publishing run leaves them; a dry run writes neither."""
    if not run.publishes:
        return
    facts = {**_of_run(run), "sent": done.sent, "dispositions": dict(done.dispositions)}
    facts |= {"claims": done.claims.rows, "opened": done.opened, "ended": done.ended}
    for asset in (LEDGER, CLAIMS):
        _add(context, LOADED_ALIAS, asset, facts)


def was_reported(context: Context, run: RunHandle) -> bool:
    """Return whether the report of a run has its event: Airflow keeps one only of a try that came to its end.

    The task has the report among its inlets. Where Airflow cannot tell, it has none: rather twice than never.
    """
    try:
        # No event of a run is older than the run.
        events = context["inlet_events"][REPORT].after(context["dag_run"].run_after.isoformat())
        return any((event.extra or {}).get("run_seq") == run.run_seq for event in events)
    except Exception as error:  # noqa: BLE001 - whatever it is, those who follow are to be told
        log.warning("Whether the report has an event cannot be read: %s: %s", type(error).__name__, error)
        return False


def reported(context: Context, run: RunHandle, status: str, done: Loaded, address: str | None) -> None:
    """Say that a run ended well, and where its report is."""
    facts = {**_of_run(run), "status": status, "sent": done.sent, "dispositions": dict(done.dispositions)}
    _add(context, REPORTED_ALIAS, REPORT, {**facts, "claims": done.claims.rows, "report": address})
