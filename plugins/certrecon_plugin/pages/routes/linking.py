"""Linking certificates: the form that starts a run, and what was asked and answered before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from certrecon.api.value_kinds import Uuid
from certrecon.browse.linkings import certificates_of, last_linkings
from certrecon.errors import ParameterError
from certrecon_plugin.pages.access import GetUserDep
from certrecon_plugin.pages.parameters import lists_of, text
from certrecon_plugin.pages.starting import is_run, linking_setting, may_start, paused, start_linking, starters
from certrecon_plugin.pages.targets import choose_target
from certrecon_plugin.pages.templating import base, page
from certrecon_plugin.pages.warehouse import warehouse_of

router = APIRouter()

_UUID: Final = Uuid()
_ACTION: Final = ("action_id", "action_code")
_MOST_RUN_ID: Final = 250


@router.get("/linking")
def linking(request: Request, starts: Annotated[bool, Depends(may_start)]) -> Response:
    """Show the form for the ticked certificates, and the last questions."""
    values = request.query_params
    ids = _ids(values.getlist("certificate"))
    with warehouse_of(request).reading() as conn:
        lines = last_linkings(conn)
        known = certificates_of(conn, choose_target(conn, values).chosen, ids)
    named = text(values, "started", _MOST_RUN_ID)
    started = named if named and starts and is_run(named) else None
    return page(
        request, "linking.html.j2", title="Linking certificates", lines=lines, starts=starts,
        setting=linking_setting() if starts else None, certificates=ids, known=known,
        started=started, paused=paused() if starts else (),
    )  # fmt: skip


@router.post("/linking", dependencies=list(starters()))
def start(request: Request, user: GetUserDep, form: Annotated[dict[str, list[str]], Depends(lists_of)]) -> Response:
    """Start a run of `link_certificates` for the certificates of the form.

    Raises:
        ParameterError: Linking is switched off, or the form is not complete.
    """
    setting = linking_setting()
    if setting is None or not setting.enabled:
        raise ParameterError("The settings do not allow linking (linking.enabled), so nothing was started.")
    conf = conf_of(form)
    if len(conf["certificate_ids"]) > setting.max_certificates:
        message = f"At most {setting.max_certificates:,} certificates can be linked at once. Tick fewer."
        raise ParameterError(message)
    run_id = start_linking(conf, user.get_name())
    return RedirectResponse(f"{base(request)}/linking?{urlencode({'started': run_id})}", 303)


def conf_of(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the conf of the run that a form asks for.

    Raises:
        ParameterError: No certificate is ticked, the action is missing or given twice, or the day is none.
    """
    last = {name: values[-1] for name, values in form.items() if values}
    certificates = _ids(form.get("certificate", ()))
    action = {name: value for name in _ACTION if (value := text(last, name)) is not None}
    if not certificates or not action:
        raise ParameterError("The form is not complete. Tick certificates, and give the id or the code of the action.")
    if len(action) == len(_ACTION):
        raise ParameterError("The form names the action twice. Give its id or its code.")
    conf: dict[str, Any] = {"certificate_ids": list(certificates)} | action
    day = text(last, "date_expire")
    if day is not None:
        conf["date_expire"] = _day(day)
    if text(last, "dry_run") == "yes":
        conf["dry_run"] = True
    return conf


def _ids(given: Sequence[str]) -> tuple[str, ...]:
    wrong = [one for one in given if not _UUID.accepts(one)]
    if wrong:
        raise ParameterError("The field 'certificate' has a value that is no id of a certificate.")
    return tuple(dict.fromkeys(given))


def _day(value: str) -> str:
    try:
        return dt.date.fromisoformat(value).isoformat()
    except ValueError:
        message = "The expiry is no day. Write it as YYYY-MM-DD, or leave it empty."
    raise ParameterError(message)
