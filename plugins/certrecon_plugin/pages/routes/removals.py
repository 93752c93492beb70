"""What is to be removed in Ditio by hand, and what people noted on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from certrecon.browse.removals import RemovalState, list_removals, notes_of
from certrecon.errors import ParameterError
from certrecon_plugin.pages.access import GetUserDep, may_write, writers
from certrecon_plugin.pages.parameters import MOST_CURSOR, choice, form_of, text
from certrecon_plugin.pages.targets import choose_target
from certrecon_plugin.pages.templating import base, page
from certrecon_plugin.pages.warehouse import warehouse_of

router = APIRouter()

STATES: Final[dict[RemovalState, str]] = {"open": "still to be removed", "done": "removed", "all": "all"}
MOST_NOTE: Final = 2_000


@router.get("/removals")
def removals(request: Request, writes: Annotated[bool, Depends(may_write)]) -> Response:
    """Show what is to be removed, with the notes."""
    values = request.query_params
    state = _state(values)
    after = text(values, "after", MOST_CURSOR)
    with warehouse_of(request).reading() as conn:
        targets = choose_target(conn, values)
        found = list_removals(conn, targets.chosen, state, after) if targets.chosen else None
        notes = {line.withdrawn_id: notes_of(conn, line.key) for line in found.rows if line.notes} if found else {}
    kept = {"target": text(values, "target"), "state": state, "after": after}
    return page(
        request, "removals.html.j2", title="To be removed in Ditio", targets=targets, found=found, kept=kept,
        states=STATES, notes=notes, writes=writes, noted=values.get("noted") == "yes",
    )  # fmt: skip


@router.post("/removals", dependencies=list(writers()))
def note(request: Request, user: GetUserDep, form: Annotated[dict[str, str], Depends(form_of)]) -> Response:
    """Add a note to what is to be removed; nothing that was noted before is changed.

    Raises:
        ParameterError: The form is not complete, or names nothing that is to be removed.
        HTTPException: 404, no run ever had that target.
    """
    from certrecon.warehouse.removals import Removal, add_removal

    done = choice(form, "done", ("yes", "no"))
    number, kind = text(form, "employee_number"), text(form, "certificate_type")
    words = text(form, "note", MOST_NOTE)
    if done is None or number is None or kind is None:
        raise ParameterError("The form is not complete. Choose what you note, and send it again.")
    if done == "no" and words is None:
        raise ParameterError("A remark needs some words. Write them, and send the form again.")
    with warehouse_of(request).reading() as conn:
        target = choose_target(conn, form).chosen
    if target is None:
        raise HTTPException(404, "There is nothing to be removed yet: no run was made.")
    written = Removal(
        target=target, employee_number=number, certificate_type=kind, certificate_id=text(form, "certificate_id"),
        noted_by=user.get_name(), done=done == "yes", note=words,
    )  # fmt: skip
    with warehouse_of(request).writing() as conn:
        add_removal(conn, written)
    kept = {"target": form.get("target", ""), "state": _state(form), "noted": "yes"}
    return RedirectResponse(f"{base(request)}/removals?{urlencode(kept)}", 303)


def _state(values: Mapping[str, str]) -> RemovalState:
    wanted = choice(values, "state", STATES)
    return next((state for state in STATES if state == wanted), "open")
