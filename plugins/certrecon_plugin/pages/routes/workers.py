"""One worker: what is known of him, over all runs."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from certrecon.browse.workers import history, person, worker
from certrecon_plugin.pages.parameters import MOST_CURSOR, text
from certrecon_plugin.pages.targets import choose_target
from certrecon_plugin.pages.templating import page
from certrecon_plugin.pages.warehouse import warehouse_of

router = APIRouter()


@router.get("/workers")
def workers(request: Request) -> Response:
    """Show a worker's history by employee number, or by the 4HSE person where there is no number.

    Raises:
        HTTPException: 404, no run ever saw him.
    """
    values = request.query_params
    number, resource = text(values, "number"), text(values, "person")
    after = text(values, "after", MOST_CURSOR)
    found = past = None
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, values)
        if targets.chosen and number:
            found = worker(conn, targets.chosen, number)
        elif targets.chosen and resource:
            found = person(conn, targets.chosen, resource)
        if found:
            past = history(
                conn, found.target, employee_number=found.employee_number, resource_id=found.resource_id, after=after
            )
    if (number or resource) and found is None:
        raise HTTPException(404, "No run ever saw this worker. Check the number, or search by name.")
    kept = {"target": text(values, "target"), "number": number, "person": resource, "after": after}
    return page(request, "worker.html.j2", title="Worker", targets=targets, found=found, past=past, kept=kept)
