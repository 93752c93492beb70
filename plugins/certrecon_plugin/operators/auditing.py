"""Tasks of the weekly verification: recompute everything, then remove or pseudonymise what is past its retention."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from certrecon_plugin.resources import evidence_root, warehouse
from certrecon_plugin.telling.assets import CLAIMS, EVIDENCE, LEDGER, REPORT
from certrecon_plugin.telling.audit import forget_audit, tell_of_audit
from certrecon_plugin.telling.closing import closing
from certrecon_plugin.telling.lineage import Traced

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

AUDITOR, WRITER = "certrecon_auditor", "certrecon_writer"
_TELLING: dict[str, Any] = {"on_failure_callback": tell_of_audit, "on_success_callback": forget_audit}


class VerifyOperator(BaseOperator, Traced):
    """Recomputes everything that is on the record, reading only."""

    def __init__(self, **kwargs: Any) -> None:
        """Read everything that is on the record, and tell people where it does not hold."""
        super().__init__(inlets=[EVIDENCE, LEDGER, CLAIMS, REPORT], **_TELLING, **kwargs)

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Return counts.

        Raises:
            IntegrityError: Something does not hold; the message names the first.
        """
        with closing(self.task_id) as end:
            result = end.result = self._verify()
        return result

    def _verify(self) -> dict[str, Any]:
        from certrecon.audit.verify import to_json, verify
        from certrecon.audit.wording import closing_sentence, render_verification
        from certrecon.errors import IntegrityError
        from certrecon.settings import load_settings
        from certrecon.stages.open_run import evidence_address

        address = evidence_address(load_settings().settings)
        with warehouse(AUDITOR) as engine:
            found = verify(engine, evidence_root, address)
        log.info("%s", render_verification(found))
        if not found.holds:
            raise IntegrityError(closing_sentence(found))
        return to_json(found)


class PurgeOperator(BaseOperator, Traced):
    """Removes evidence and hints and pseudonymises persons past their retention, on the record but for hints.

    It runs only after a verification that held.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Tell people where it stopped."""
        super().__init__(inlets=[EVIDENCE, REPORT], **_TELLING, **kwargs)

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many parts, files and hints went, and how many persons and claims have a pseudonym now."""
        with closing(self.task_id) as end:
            result = end.result = self._purge(context)
        return result

    def _purge(self, context: Context) -> dict[str, int]:
        from certrecon.audit.pseudonymise import pseudonymise_past
        from certrecon.audit.purge import purge_expired
        from certrecon.settings import load_settings
        from certrecon.stages.open_run import evidence_address
        from certrecon.warehouse.engine import transaction
        from certrecon.warehouse.hints import purge_hints

        settings = load_settings().settings
        today = context["dag_run"].run_after.astimezone(settings.zone).date()
        with warehouse(WRITER) as engine:
            done = purge_expired(engine, evidence_root, today, settings.evidence.retention_days)
            root = evidence_root(evidence_address(settings))
            named = pseudonymise_past(engine, root, today, settings.personal_data.retention_days)
            with transaction(engine) as conn:
                hints = purge_hints(conn, settings.evidence.retention_days)
        return {
            "parts": len(done),
            "files": sum(one.files for one in done),
            "persons": named.persons,
            "claims": named.claims,
            "hints": hints,
        }
