"""Everything a run is judged on, read back from its sealed evidence and from nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from certrecon.claims.coded import coded_schema
from certrecon.claims.inputs import CERTIFICATES, CLAIM_LEDGER, EMPLOYEES, LINKS, PERSONS, ClaimInputs
from certrecon.dispositions.inputs import DECISION_LEDGER, KNOWN_CLAIMS, LOOKUPS, DecisionInputs, Scope
from certrecon.evidence import Part, RunEvidence, SealedPart
from certrecon.evidence.manifest import in_one_piece, read_dataset, read_sealed
from certrecon.publishing.guards import Baseline, TenantCounts
from certrecon.settings import LoadedSettings
from certrecon.settings.loader import restore_settings
from certrecon.stages.origin import RunOrigin
from certrecon.stages.parameters import Parameters
from certrecon.warehouse.hints import HINT


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run is judged on beside datasets and settings.

    Attributes:
        run_seq: The run.
        target: The digest of the Ditio company.
        run_day: The day of the run.
        as_of: The day on which validity is judged.
        parameters: What it was started with.
        tenants: The tenants that were read.
        listed: Every tenant of the settings, or that 4HSE lists.
        target_is_sandbox: Whether Ditio said that it is the sandbox.
        baseline: The run that guards compare with.
        certificates: The only certificates that a run by hints speaks of; None for every other run.
        sent_by_hints: How many rows runs that followed hints have sent since the baseline; counted for such a run only.
        acknowledged: How many entries of the whole ledger Ditio has acknowledged, where the evidence has only some.
        left_out: How many ids that hints name 4HSE refused; such a run does not speak of them.
    """

    run_seq: int
    target: str
    run_day: dt.date
    as_of: dt.date
    parameters: Parameters
    tenants: tuple[str, ...]
    listed: tuple[str, ...]
    target_is_sandbox: bool
    baseline: Baseline | None
    certificates: tuple[str, ...] | None = None
    acknowledged: int | None = None
    sent_by_hints: int = 0
    left_out: int = 0

    @property
    def limited(self) -> bool:
        """Whether the run speaks of some tenants or certificates only."""
        return self.certificates is not None or bool(self.parameters.tenant_ids)

    @property
    def scope(self) -> Scope:
        """What the run speaks of; one that looks by id has seen what is gone from any tenant of ours."""
        if self.certificates is None:
            return Scope(self.tenants, self.limited)
        return Scope(self.listed, limited=True, certificates=self.certificates)

    def to_text(self) -> str:
        """Return canonical JSON."""
        baseline = self.baseline and asdict(self.baseline) | {"withdrawn": sorted(self.baseline.withdrawn)}
        values = asdict(self) | {"parameters": self.parameters.model_dump(mode="json"), "baseline": baseline}
        return json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)

    @classmethod
    def from_text(cls, text: str) -> RunContext:
        """Rebuild what `to_text` gave."""
        values = json.loads(text)
        return cls(
            **{
                **values,
                "run_day": dt.date.fromisoformat(values["run_day"]),
                "as_of": dt.date.fromisoformat(values["as_of"]),
                "parameters": Parameters.model_validate(values["parameters"]),
                "tenants": tuple(values["tenants"]),
                "listed": tuple(values["listed"]),
                "certificates": _ids(values.get("certificates")),
                "baseline": values["baseline"] and _baseline(values["baseline"]),
            }
        )


def _ids(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _baseline(values: Mapping[str, Any]) -> Baseline:
    return Baseline(
        run_seq=values["run_seq"],
        tenants={tenant: TenantCounts(**counts) for tenant, counts in values["tenants"].items()},
        employees=values["employees"],
        withdrawn=frozenset(values["withdrawn"]),
    )


class RunInputs:
    """The sealed inputs of a run, each read when it is asked for."""

    def __init__(self, evidence: RunEvidence, sha256: str | None = None) -> None:
        """Open the inputs of a run's evidence, the manifest checked against its digest if one is given."""
        self._evidence = evidence
        self.sealed: SealedPart = read_sealed(evidence, Part.INPUTS, sha256)
        self.context = RunContext.from_text(self._text("context"))
        self.settings: LoadedSettings = restore_settings(self._text("settings"))
        self.sha256: str | None = sha256

    def _text(self, dataset: str) -> str:
        file = self.sealed.one(dataset)
        return self._evidence.read_bytes(file.address, file.sha256).decode()

    def origin(self) -> RunOrigin:
        """Return where the run comes from."""
        return RunOrigin.from_text(self._text("origin"))

    def table(self, dataset: str, schema: pa.Schema) -> pa.Table:
        """Read all files of a dataset as one table."""
        return read_dataset(self._evidence, self.sealed, dataset, schema)

    def pieces(self, dataset: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield a dataset some rows at a time."""
        for file in self.sealed.all_of(dataset):
            yield from self._evidence.read_pieces(file.address, schema, file.sha256)

    def _by_tenant(self, dataset: str, schema: pa.Schema, tenant_column: str) -> pa.Table:
        """Read a dataset with its tenant column saying where each row was read, also where the vendor left it out."""
        place = schema.get_field_index(tenant_column)
        files = self.sealed.all_of(dataset)

        def tables() -> Iterator[pa.Table]:
            for file in files:
                table = self._evidence.read_table(file.address, schema.remove(place), file.sha256)
                tenant = pa.array([file.tenant], pa.string()).dictionary_encode()
                tenants = tenant.take(pa.array(np.zeros(table.num_rows, np.int32)))
                yield table.add_column(place, schema.field(place), tenants.cast(schema.field(place).type))

        return in_one_piece(tables(), schema)

    def claim_inputs(self) -> ClaimInputs:
        """Return what claims are made from."""
        return ClaimInputs(
            certificates=self._by_tenant("certificates", coded_schema(CERTIFICATES, "certificate_id"), "tenant_id"),
            links=self._by_tenant("links", coded_schema(LINKS, "certificate_action_id", "certificate_id"), "tenant_id"),
            persons=self._by_tenant("persons", PERSONS, "project_id"),
            employees=self.table("employees", EMPLOYEES),
            ledger=self.table("ledger", CLAIM_LEDGER),
            settings=self.settings,
            as_of=self.context.as_of,
        )

    def links(self, schema: pa.Schema = LINKS) -> pa.Table:
        """Return columns of the links as they were read; `tenant_id` is one of them."""
        return self._by_tenant("links", schema, "tenant_id")

    def hints(self) -> pa.Table:
        """Return the hints that the run followed, or a full run was told since the one before (schema `HINT`)."""
        return self.table("hints", HINT)

    def decision_inputs(self) -> DecisionInputs:
        """Return what decides the outcome of claims."""
        limited = self.context.limited
        return DecisionInputs(
            ledger=self.table("ledger", DECISION_LEDGER),
            previous=self.table("previous_claims", KNOWN_CLAIMS) if limited else KNOWN_CLAIMS.empty_table(),
            lookups=self.table("lookups", LOOKUPS),
            scope=self.context.scope,
            certificates=self.rows("certificates"),
            resend=self.context.parameters.resend,
        )

    def rows(self, dataset: str) -> int:
        """Return how many rows a dataset has."""
        return sum(file.rows or 0 for file in self.sealed.all_of(dataset))

    def rows_by_tenant(self, dataset: str) -> Counter[str | None]:
        """Return how many rows a dataset has of each tenant; nought of a tenant that it has nothing of."""
        found: Counter[str | None] = Counter()
        for file in self.sealed.all_of(dataset):
            found[file.tenant] += file.rows or 0
        return found
