"""How many requests a night needs: counted as `certrecon.api.paging` and `certrecon.publishing` send them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.scale.load import Limits, Load, Sizes
from certrecon.api.paging import LOOKS


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of a night.

    Attributes:
        pages: Pages of the indexes; an empty index has one.
        looks: Pages looked at again at the end of each index, at most `LOOKS` of each.
        lookups: Certificates asked for by id.
        tokens: Tokens, one a tenant; renewals are left out.
        batches: Batches sent to Ditio.
    """

    pages: int
    looks: int
    lookups: int
    tokens: int
    batches: int

    @property
    def fourhse(self) -> int:
        """Requests that count against 4HSE's rate; tokens come from another server."""
        return self.pages + self.looks + self.lookups


def pages_of(rows: Sizes, page_size: int) -> Sizes:
    """Return the pages of indexes of so many rows."""
    return np.maximum(-(-rows // page_size), 1)


def looks_of(pages: Sizes) -> Sizes:
    """Return how many pages of an index are looked at again."""
    return np.minimum(pages, LOOKS)


def count_requests(load: Load, limits: Limits) -> Requests:
    """Count what a night sends."""
    pages = [pages_of(rows, limits.page_size) for rows in load.rows_by_tenant().values()]
    return Requests(
        pages=int(sum(one.sum() for one in pages)),
        looks=int(sum(looks_of(one).sum() for one in pages)),
        lookups=int(load.lookups_by_tenant().sum()),
        tokens=load.tenants,
        batches=-(-load.sent // limits.batch_size),
    )
