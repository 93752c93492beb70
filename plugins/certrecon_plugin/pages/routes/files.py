"""Files of a run: its report as it was sealed, the workbook and the lists."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, Response

from certrecon.browse.runs import get_run
from certrecon.errors import EvidenceError
from certrecon.warehouse.runs import RunRecord
from certrecon_plugin.pages.evidence import PAGE, RunFiles, require_kept
from certrecon_plugin.pages.routes.runs import number_in_path, wanted_run
from certrecon_plugin.pages.warehouse import warehouse_of
from certrecon_plugin.pages.words import FILES

router = APIRouter()

KINDS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "zip": "application/zip",
}
_STYLE: Final = re.compile(r"'sha256-[A-Za-z0-9+/]{43}='")
_NAMES: Final = {f"{dataset}.{ending}": (dataset, ending) for dataset, (_, ending) in FILES.items()}


def _kept_run(request: Request, run_seq: str) -> RunRecord:
    with warehouse_of(request).reading() as conn:
        record = wanted_run(get_run(conn, number_in_path(run_seq)))
        require_kept(conn, record.run_seq)
    return record


def policy_of(html: str) -> str:
    """Return the policy under which a report is shown: its own style sheet, by digest, and nothing else.

    Raises:
        EvidenceError: The report does not name its style sheet's digest.
    """
    head, _, _ = html.partition("</head>")
    styles = set(_STYLE.findall(unescape(head)))
    if len(styles) != 1:
        raise EvidenceError("The report does not say which style sheet is its own.")
    return f"default-src 'none'; style-src {styles.pop()}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


@router.get("/runs/{run_seq}/report")
def report(request: Request, run_seq: str) -> Response:
    """Show a run's report as it was sealed, with the seal put in."""
    from certrecon.report.page import Seal, with_seal

    record = _kept_run(request, run_seq)
    html = RunFiles(record).content(PAGE).decode()
    policy = policy_of(html)
    sealed = with_seal(html, Seal(record.outcome_sha256 or "", record.chain_no, record.chain_sha256, record.status))
    return HTMLResponse(sealed, headers={"Content-Security-Policy": policy})


@router.get("/runs/{run_seq}/files/{name}")
def file(request: Request, run_seq: str, name: str) -> Response:
    """Give out a file of a run's outcome, under the name that the pages use.

    Raises:
        HTTPException: 404, there is no file of that name.
    """
    if name not in _NAMES:
        raise HTTPException(404, "There is no file of that name.")
    dataset, ending = _NAMES[name]
    record = _kept_run(request, run_seq)
    headers = {"Content-Disposition": f'attachment; filename="run-{record.run_seq}-{name}"'}
    return Response(RunFiles(record).content(dataset), media_type=KINDS[ending], headers=headers)
