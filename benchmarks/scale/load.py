"""What there is to do in a night, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Sizes = NDArray[np.int64]

DATASETS = ("certificates", "links", "persons")
"""What is read of every tenant, in this order."""


@dataclass(frozen=True, slots=True)
class Load:
    """What there is to do.

    Attributes:
        certificates: Of all tenants together.
        tenants: 4HSE projects.
        changed_share: Certificates that are new or changed since the last night; 1 is the first night.
        links_per_certificate: Links to actions.
        persons_per_certificate: 4HSE's persons.
        employees_per_certificate: Ditio's employees.
        claims_per_certificate: A certificate makes several claims where its links map to several types.
        winners_share: Claims that win their key, and so are sent when they are new or changed.
        looked_up_share: Certificates asked for by id: gone since the last night, or named by a link only.
        evenness: How equal tenants are: the tenant of rank r has a share that goes with r ** -evenness; 0 is all equal.
    """

    certificates: int
    tenants: int
    changed_share: float = 1.0
    links_per_certificate: float = 1.05
    persons_per_certificate: float = 0.05
    employees_per_certificate: float = 0.05
    claims_per_certificate: float = 1.0
    winners_share: float = 0.7
    looked_up_share: float = 0.001
    evenness: float = 0.8

    @property
    def claims(self) -> int:
        """Claims of a run."""
        return round(self.certificates * self.claims_per_certificate)

    @property
    def changed_claims(self) -> int:
        """Claims that the warehouse writes."""
        return round(self.claims * self.changed_share)

    @property
    def sent(self) -> int:
        """Rows that Ditio is sent."""
        return round(self.changed_claims * self.winners_share)

    def certificates_by_tenant(self) -> Sizes:
        """Return the certificates of each tenant, the largest first; their sum is that of the load."""
        weights = np.arange(1, self.tenants + 1, dtype=np.float64) ** -self.evenness
        ends = np.rint(np.cumsum(weights) / weights.sum() * self.certificates).astype(np.int64)
        return np.asarray(np.diff(ends, prepend=0))

    def rows_by_tenant(self) -> dict[str, Sizes]:
        """Return the rows of each dataset and tenant."""
        certificates = self.certificates_by_tenant()
        shares = (1.0, self.links_per_certificate, self.persons_per_certificate)
        return {
            dataset: np.ceil(certificates * share).astype(np.int64)
            for dataset, share in zip(DATASETS, shares, strict=True)
        }

    def lookups_by_tenant(self) -> Sizes:
        """Return how many certificates of each tenant are asked for by id."""
        ends = np.rint(np.cumsum(self.certificates_by_tenant()) * self.looked_up_share).astype(np.int64)
        return np.asarray(np.diff(ends, prepend=0))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendors allow, and what the settings and the machines give.

    Attributes:
        fourhse_latency: Seconds until 4HSE answers a page.
        fourhse_rate: Requests a second that 4HSE is asked at most (`fourhse.requests_per_second`); None is no limit.
        page_size: Rows of a page.
        concurrency: Requests at a time of one tenant (`fourhse.concurrency`).
        tenants_at_once: `CERTRECON_TENANTS_AT_ONCE`, over all workers.
        slots: Tasks that all workers together run at a time.
        cores: Cores of all workers together.
        ditio_latency: Seconds until Ditio answers a batch.
        ditio_rate: Requests a second that Ditio is sent at most; None is no limit.
        batch_size: Rows of a batch.
        ditio_concurrency: Batches at a time (`ditio.concurrency`).
        memory_mib: What one process may take.
        window_seconds: How long a night may last.
    """

    fourhse_latency: float = 0.05
    fourhse_rate: float | None = None
    page_size: int = 100
    concurrency: int = 4
    tenants_at_once: int = 4
    slots: int = 32
    cores: int = 2
    ditio_latency: float = 0.05
    ditio_rate: float | None = None
    batch_size: int = 100
    ditio_concurrency: int = 2
    memory_mib: float = 16_384.0
    window_seconds: float = 6 * 3600.0

    def lanes(self, tenants: int) -> int:
        """Return how many tenants are really read at a time."""
        return max(1, min(self.tenants_at_once, self.slots, tenants))

    def share_of_rate(self, tenants: int) -> float | None:
        """Return the rate of one tenant's task: a fixed share, also when the other tasks have ended."""
        return None if self.fourhse_rate is None else self.fourhse_rate / max(1, min(self.tenants_at_once, tenants))


@dataclass(frozen=True, slots=True)
class Working:
    """What the pipeline itself takes.

    Attributes:
        tenant_seconds: A tenant's task beside its rows: it is scheduled, starts, imports, reports.
        tenant_processor: Processor seconds of that, with the scheduler's and the API server's.
        row_seconds: One row that is read.
        sent_row_seconds: One row that is sent: its answer is committed.
    """

    tenant_seconds: float = 0.0
    tenant_processor: float = 0.0
    row_seconds: float = 0.0
    sent_row_seconds: float = 0.0
