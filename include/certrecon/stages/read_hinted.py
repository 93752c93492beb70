"""Task: read in 4HSE what the waiting hints point at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Engine

from certrecon.api.fourhse import FourHseClient
from certrecon.claims.inputs import PERSONS
from certrecon.claims.persons import person_numbers
from certrecon.errors import CredentialsError, IntegrityError
from certrecon.evidence import Part, RunEvidence, SealedFile
from certrecon.extract.hinted import HintedExtract, HintedRead, read_hinted
from certrecon.settings import LoadedSettings
from certrecon.stages.dataset_files import EvidenceDatasets
from certrecon.stages.extract import Extracted
from certrecon.stages.find_tenants import Tenants, listed_tenants
from certrecon.stages.hints import wanted_of
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.seal_inputs import Looked
from certrecon.stages.workplace import Workplace
from certrecon.text import visible
from certrecon.warehouse.engine import transaction
from certrecon.warehouse.hints import waiting_hints
from certrecon.warehouse.history import claims_around
from certrecon.warehouse.ledger import delivered_certificates
from certrecon.warehouse.runs import baseline
from certrecon.words import ActionType

log = logging.getLogger(__name__)

_IDS_SHOWN: Final = 5
_ID_SHOWN: Final = 40
"""How many ids a warning names, and how many characters of each: they come from strangers."""


@dataclass(frozen=True, slots=True)
class ReadHinted:
    """What was read for the hints.

    Attributes:
        tenants: The tenants that something was read of, and all that are listed.
        looked: The certificates that the run speaks of, and the employee numbers that turned up.
        extracted: The files.
    """

    tenants: Tenants
    looked: Looked
    extracted: Extracted


class KnownBefore:
    """What earlier runs knew (a `certrecon.extract.hinted.Known`).

    Claims and deliveries are asked of the warehouse. It has only persons with claims, so persons come from the evidence
    of the last full run: somebody without a certificate may carry the number of somebody with one.
    """

    def __init__(self, engine: Engine, target: str, settings: LoadedSettings, persons: pa.Table) -> None:
        """Take where claims are, and the persons (schema `PERSONS`) that the last full run read."""
        self._engine = engine
        self._target = target
        self._crosswalk = settings.crosswalk.numbers
        self._persons = persons.select(["person_id"]).append_column("number", person_numbers(persons, self._crosswalk))

    def claims(
        self, *, certificates: Collection[str] = (), numbers: Collection[str] = (), persons: Collection[str] = ()
    ) -> pa.Table:
        """Return open claims of certificates, employee numbers or 4HSE persons."""
        wanted = {"certificates": sorted(certificates), "numbers": sorted(numbers), "persons": sorted(persons)}
        with transaction(self._engine) as conn:
            return claims_around(conn, self._target, **wanted)

    def delivered(self, numbers: Collection[str]) -> set[str]:
        """Return the certificates that Ditio acknowledged last under these numbers."""
        with transaction(self._engine) as conn:
            return delivered_certificates(conn, self._target, sorted(numbers))

    def persons(self, numbers: Collection[str]) -> set[str]:
        """Return the persons that carried one of these numbers."""
        carry = pc.is_in(self._persons.column("number"), value_set=pa.array(sorted(numbers), pa.string()))
        return set(self._persons.filter(carry).column("person_id").drop_null().to_pylist())

    def numbers(self, persons: pa.Table) -> list[str | None]:
        """Return the employee number of each person."""
        found: list[str | None] = person_numbers(persons, self._crosswalk).to_pylist()
        return found


def _last_persons(place: Workplace, open_root: Callable[[str], Any]) -> pa.Table:
    """Return the persons of the last full run, from its evidence.

    Raises:
        IntegrityError: There was no full run yet.
        EvidenceError: Its evidence is not there, or was changed.
    """
    with transaction(place.engine) as conn:
        last = baseline(conn, place.run.target)
    if last is None or last.evidence_uri is None:
        message = "No night has published to this Ditio company yet: let one end well, and start this run again."
        raise IntegrityError(message)
    root = open_root(last.evidence_uri.rstrip("/").rpartition("/")[0])
    return RunInputs(RunEvidence(root, last.run_seq), last.inputs_sha256).table("persons", PERSONS)


def _write_hints(place: Workplace) -> tuple[pa.Table, SealedFile]:
    """Take every hint that waits into the run's inputs."""
    with transaction(place.engine) as conn:
        hints = waiting_hints(conn)
    written = place.evidence.write_table(Part.INPUTS, "hints", hints)
    return hints, SealedFile.of("hints", written, hints.num_rows)


async def run_read_hinted(place: Workplace, client: FourHseClient, open_root: Callable[[str], Any]) -> ReadHinted:
    """Read what all waiting hints point at, and whatever must be judged with it.

    Args:
        place: The run's workplace.
        client: 4HSE.
        open_root: Makes a path-like of an evidence store's address.

    Raises:
        CredentialsError: 4HSE refuses what earlier runs could read, and answers nothing else.
        IncompleteReadError: 4HSE did not agree with itself.
        IntegrityError: There was no full run yet.
        SettingsError: The settings name a project that the 4HSE user cannot see.
    """
    loaded = place.settings()
    settings = loaded.settings
    hints, taken = _write_hints(place)
    known = KnownBefore(place.engine, place.run.target, loaded, _last_persons(place, open_root))
    listed = listed_tenants(settings, await client.projects())
    datasets = EvidenceDatasets(place.evidence)
    read = await read_hinted(
        client,
        HintedRead(
            wanted=wanted_of(hints),
            known=known,
            tenants=listed,
            write=datasets,
            person_field=settings.employee_match.person_field,
            page_size=settings.fourhse.page_size,
            concurrency=settings.fourhse.concurrency,
            publish_health=ActionType.HEALTH in settings.publish_action_types,
        ),
    )
    if read.left_out:
        # Where nothing is answered any more, the ids are not to blame, and their hints must not be settled.
        await client.projects()
        _require_some_answer(read, known)
        _warn(read.left_out)
    log.info("%s hints led to %s certificates in %s tenants", len(hints), len(read.certificates), len(read.datasets))
    files = [datasets.sealed(facts, tenant) for tenant, several in read.datasets.items() for facts in several]
    return ReadHinted(
        Tenants(tuple(read.datasets), listed),
        Looked(read.certificates, read.numbers, len(read.left_out)),
        Extracted((*files, taken)),
    )


def _require_some_answer(read: HintedExtract, known: KnownBefore) -> None:
    """Return unless nothing was shown, and some of what was refused was known: the right to read it may be gone.

    Raises:
        CredentialsError: So it is.
    """
    if read.certificates:
        return
    left_out = read.left_out
    claims = pa.concat_tables([known.claims(certificates=left_out), known.claims(persons=left_out)])
    if claims.num_rows:
        message = (
            f"4HSE refused {len(left_out)} ids that hints name and showed no certificate, and earlier runs could read "
            "some of them. Does its user still have the right to see certificates and persons of these projects? The "
            "hints wait on."
        )
        raise CredentialsError(message)


def _warn(left_out: tuple[str, ...]) -> None:
    shown = ", ".join(visible(one, _ID_SHOWN) for one in left_out[:_IDS_SHOWN])
    log.warning(
        "4HSE refused %s of the ids that hints name; left out, since the night looks at everything: %s%s",
        len(left_out),
        shown,
        " ..." if len(left_out) > _IDS_SHOWN else "",
    )
