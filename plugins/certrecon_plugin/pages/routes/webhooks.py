"""The addresses at which 4HSE tells of changes: seeing them, making one, revoking one."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from certrecon.browse.webhooks import read_webhooks
from certrecon.errors import ParameterError
from certrecon.words import ChangeEvent
from certrecon_plugin.pages.access import GetUserDep, may_write, writers
from certrecon_plugin.pages.parameters import choice, form_of, run_number
from certrecon_plugin.pages.templating import airflow_path, base, page
from certrecon_plugin.pages.warehouse import warehouse_of
from certrecon_plugin.telling.links import base_url
from certrecon_plugin.webhooks.app import PATH, PREFIX

router = APIRouter()

EVENTS: Final = {
    ChangeEvent.CERTIFICATE_CREATE: "a certificate was created",
    ChangeEvent.CERTIFICATE_UPDATE: "a certificate was updated",
    ChangeEvent.CERTIFICATE_DELETE: "a certificate was deleted",
    ChangeEvent.LINK_CREATE: "a certificate was linked to an action",
    ChangeEvent.LINK_UPDATE: "a link was updated",
    ChangeEvent.LINK_DELETE: "a link was deleted",
    ChangeEvent.PERSON_CREATE: "a person was created",
    ChangeEvent.PERSON_UPDATE: "a person was updated",
    ChangeEvent.PERSON_DELETE: "a person was deleted",
}
"""Every event in words."""


@router.get("/webhooks")
def webhooks(request: Request, writes: Annotated[bool, Depends(may_write)]) -> Response:
    """Show the addresses, and what came in at them."""
    return _page(request, writes=writes, revoked=request.query_params.get("revoked") == "yes")


@router.post("/webhooks", dependencies=list(writers()))
def make(request: Request, user: GetUserDep, form: Annotated[dict[str, str], Depends(form_of)]) -> Response:
    """Make an address and show it this one time.

    Raises:
        ParameterError: The form names no event.
    """
    from certrecon.warehouse.addresses import make_address

    event = choice(form, "event", [event.value for event in EVENTS])
    if event is None:
        raise ParameterError("The form is not complete. Choose an event, and send it again.")
    with warehouse_of(request).writing() as conn:
        made = make_address(conn, ChangeEvent(event), user.get_name())
    shown = {"address": made, "event": ChangeEvent(event), "url": _airflow(request) + _path(made.token)}
    return _page(request, writes=True, made=shown)


@router.post("/webhooks/revocations", dependencies=list(writers()))
def revoke(request: Request, user: GetUserDep, form: Annotated[dict[str, str], Depends(form_of)]) -> Response:
    """Revoke an address; it answers 404 from then on.

    Raises:
        ParameterError: The form names no address, or is not confirmed, or the address was revoked before.
    """
    from certrecon.warehouse.addresses import revoke_address

    number = run_number(form.get("address"), "address")
    if number is None or choice(form, "sure", ("yes",)) is None:
        raise ParameterError("The form is not complete. Confirm that the address shall be revoked, and send it again.")
    with warehouse_of(request).writing() as conn:
        done = revoke_address(conn, number, user.get_name())
    if not done:
        raise ParameterError("There is no such address that answers. Somebody may have revoked it before.")
    return RedirectResponse(f"{base(request)}/webhooks?revoked=yes", 303)


def _page(request: Request, *, writes: bool, made: dict[str, Any] | None = None, revoked: bool = False) -> Response:
    with warehouse_of(request).reading() as conn:
        found = read_webhooks(conn)
    return page(
        request, "webhooks.html.j2", title="Webhooks", found=found, events=EVENTS, writes=writes, made=made,
        revoked=revoked, known=base_url() is not None,
    )  # fmt: skip


def _airflow(request: Request) -> str:
    """Return Airflow's own address as its settings say, else as the browser sees it."""
    found = base_url()
    if found is not None:
        return found
    return f"{request.url.scheme}://{request.url.netloc}{airflow_path(request)}"


def _path(token: str) -> str:
    return PREFIX + PATH.format(token=token)
