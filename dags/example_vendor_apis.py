"""An example: both vendors' hooks alone, without the pipeline. It reads, and shows what a deletion would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param, task

from certrecon_plugin.habits import TASK_DEFAULTS

if TYPE_CHECKING:
    from datetime import date

DOC = """
### Example: the vendors' APIs

**Purpose.** Shows how to use `FourHseHook` and `DitioHook` in a DAG of your own: lists a project's certificates, counts
what expires soon, previews a deletion, reads employees. It changes nothing at either vendor. Copy it and go on from
there; `docs/hooks.md` has every operation.

**Owner.** The HSE integration team.

**When it fails.** The task's last line says what is wrong, most often with a connection (`fourhse_default`,
`ditio_default`). Nothing needs to be put right afterwards.
"""


@task
def choose_project(params: dict[str, Any] | None = None) -> str:
    """Return the project of the parameters, or the first active one that the user can see."""
    from airflow.sdk.exceptions import AirflowFailException

    from certrecon_plugin.hooks.fourhse import FourHseHook

    asked = (params or {}).get("project_id")
    if asked:
        return str(asked)
    found = FourHseHook().projects.rows({"status": "active", "project_type": "safety"})
    if not found:
        message = "The user of the connection fourhse_default sees no active project"
        raise AirflowFailException(message)
    return str(min(project.row_id for project in found if project.row_id))


@task
def list_certificates(project_id: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return how many certificates there are, how many expire soon, and the id of the next to expire."""
    from datetime import UTC, datetime, timedelta

    from certrecon_plugin.hooks.fourhse import FourHseHook

    today: date = datetime.now(UTC).date()
    last = today + timedelta(days=(params or {})["days"])
    # Names, `data` and `note` may be personal or medical: only what is needed is asked for and passed on.
    frame = FourHseHook().certificates.frame(
        {"tenant_id": project_id}, columns=["certificate_id", "action_type", "date_expire"], sort="date_expire"
    )
    soon = frame[frame["date_expire"].between(today.isoformat(), last.isoformat())]
    return {
        "certificates": len(frame),
        "by_action_type": {name: int(count) for name, count in frame["action_type"].value_counts().items()},
        "expire_soon": len(soon),
        "first": soon["certificate_id"].iloc[0] if len(soon) else None,
    }


@task
def preview_deletion(certificates: dict[str, Any]) -> dict[str, Any] | None:
    """Return what would be deleted with the certificate that expires next; nothing is deleted."""
    from certrecon_plugin.hooks.fourhse import FourHseHook

    if certificates["first"] is None:
        return None
    with FourHseHook() as fourhse:  # one session, and one token, for both calls
        preview = fourhse.certificates.delete(certificates["first"])
        still_there = fourhse.certificates.view(certificates["first"]) is not None
    return {"certificate_id": preview.row_id, "children": len(preview.children), "still_there": still_there}


@task
def read_employees() -> dict[str, int]:
    """Return how many employees Ditio lists, and how many of them are disabled."""
    from certrecon_plugin.hooks.ditio import DitioHook

    employees = DitioHook().employees(include=["tags"])
    return {"employees": len(employees), "disabled": sum(one.is_disabled is True for one in employees)}


with DAG(
    dag_id="example_vendor_apis",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=True,
    default_args=TASK_DEFAULTS,
    params={
        "project_id": Param(
            None,
            type=["null", "string"],
            title="Project",
            description_md="The 4HSE project whose certificates are listed; empty = the first active one.",
        ),
        "days": Param(
            60,
            type="integer",
            minimum=0,
            title="Days",
            description_md="A certificate that expires within so many days counts as expiring soon.",
        ),
    },
    tags=["hse", "certificates", "example"],
    doc_md=DOC,
):
    preview_deletion(list_certificates(choose_project()))
    read_employees()
