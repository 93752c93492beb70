"""Renders `docs/findings.md` from the catalogue of findings."""

from __future__ import annotations

from certrecon.findings import CATALOGUE, Finding
from certrecon.report.wording import OWNERS
from certrecon.words import Subject

HEAD = """\
# Findings

Rendered from `include/certrecon/findings.py`; a test compares the two. `CERTRECON_REGEN_SNAPSHOTS=1 make test` writes
this page.

A finding is a coded observation about a claim. **critical** blocks the claim: it is not sent. **warning** asks somebody
to look. **info** tells. `severities` in the settings changes a severity, but lowers none that is marked **!**. Each
"when" goes on from "The certificate".
"""

SUBJECTS = {
    Subject.DATES: "Dates",
    Subject.EMPLOYEE_MATCH: "Employee matches",
    Subject.LINKS_AND_TYPES: "Links and types",
}

TAIL = """
With `no_expiry: sentinel` in the settings `EXPIRY_MISSING` is an info, and `no_expiry_date` is sent.

Person, employee, name and type findings are raised only for claims that can be sent at all: of persons, of an action
type that is published.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _row(finding: Finding) -> str:
    severity = f"{finding.severity} !" if finding.fixed else str(finding.severity)
    cells = (f"`{finding.code}`", severity, OWNERS[finding.owner], finding.title, finding.advice)
    return f"| {' | '.join(map(_cell, cells))} |"


def _section(subject: Subject) -> str:
    rows = [_row(finding) for finding in CATALOGUE.values() if finding.subject is subject]
    table = ["| code | severity | who can fix it | when | what to do |", "|---|---|---|---|---|", *rows]
    return "\n".join([f"\n## {SUBJECTS[subject]}\n", *table]) + "\n"


def render_findings() -> str:
    """Return the page."""
    return HEAD + "".join(map(_section, Subject)) + TAIL
