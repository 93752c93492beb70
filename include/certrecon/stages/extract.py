"""Tasks: read one tenant from 4HSE, and the employees from Ditio, into the run's evidence."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from certrecon.api.ditio import DitioClient
from certrecon.api.fourhse import FourHseClient
from certrecon.evidence import SealedFile
from certrecon.extract.datasets import DatasetFacts
from certrecon.extract.employees import KnownEmployees, extract_employees
from certrecon.extract.tenant import TenantRead, extract_tenant
from certrecon.stages.dataset_files import EvidenceDatasets
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.history import known_certificates, known_numbers
from certrecon.warehouse.runs import baseline
from certrecon.words import ActionType

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The files of one extraction.

    Attributes:
        files: What the manifest will say of each.
    """

    files: tuple[SealedFile, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Return plain values, for XCom."""
        return [asdict(file) for file in self.files]

    @classmethod
    def from_json(cls, values: list[Mapping[str, Any]]) -> Extracted:
        """Rebuild what `to_json` gave."""
        return cls(tuple(SealedFile(**value) for value in values))


def _log(facts: DatasetFacts, tenant: str) -> None:
    seconds = (facts.read_to - facts.read_from).total_seconds()
    log.info(
        "%s: read %s %s in %s pages, %.1f s (%s reads)",
        tenant,
        facts.rows,
        facts.name,
        facts.pages,
        seconds,
        facts.reads,
    )
    if facts.foreign_rows or facts.duplicate_rows:
        log.warning(
            "%s: dropped %s rows of others and %s that came twice",
            tenant,
            facts.foreign_rows,
            facts.duplicate_rows,
        )


def _known(place: Workplace, tenant: str) -> pa.Array:
    with transaction(place.engine) as conn:
        return known_certificates(conn, place.run.target, tenant)


async def run_extract_tenant(place: Workplace, client: FourHseClient, tenant: str) -> Extracted:
    """Read certificates, links and persons of a tenant.

    Raises:
        IncompleteReadError: The control totals did not agree in three reads.
    """
    settings = place.settings().settings
    datasets = EvidenceDatasets(place.evidence)
    # PostgreSQL looks for what was known while 4HSE is read already.
    with ThreadPoolExecutor(1) as aside:
        read = await extract_tenant(
            client,
            TenantRead(
                tenant_id=tenant,
                write=datasets,
                person_field=settings.employee_match.person_field,
                page_size=settings.fourhse.page_size,
                concurrency=settings.fourhse.concurrency,
                publish_health=ActionType.HEALTH in settings.publish_action_types,
                known_ids=aside.submit(_known, place, tenant),
            ),
        )
    for facts in read.datasets:
        _log(facts, tenant)
    return Extracted(tuple(datasets.sealed(facts, tenant) for facts in read.datasets))


async def run_extract_employees(place: Workplace, client: DitioClient) -> Extracted:
    """Read Ditio's employees."""
    settings = place.settings().settings.ditio
    with transaction(place.engine) as conn:
        last = baseline(conn, place.run.target)
        known = KnownEmployees(known_numbers(conn, place.run.target), (last.employees or 0) if last else 0)
    datasets = EvidenceDatasets(place.evidence)
    facts = await extract_employees(client, settings.employee_source, settings.company_id, datasets, known)
    _log(facts, "Ditio")
    return Extracted((datasets.sealed(facts, None),))


def is_sandbox(employees: Extracted) -> bool:
    """Return whether the sandbox answered when the employees were read."""
    return any(file.facts.get("sandbox") for file in employees.files)
