"""What hints point at, and what is known already of the places they point at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to look in 4HSE.

    Attributes:
        certificates: Certificates that changed, or that a changed link ties or tied.
        links: Links that changed; the certificate that each ties now is looked at too.
        persons: Persons that changed; all their certificates are looked at.
    """

    certificates: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()


class Known(Protocol):
    """What earlier runs knew; nothing of it is taken for true, it only says where else to look."""

    def claims(
        self, *, certificates: Collection[str] = (), numbers: Collection[str] = (), persons: Collection[str] = ()
    ) -> pa.Table:
        """Return claims of certificates, employee numbers or 4HSE persons.

        Returns:
            `certificate_id`, `tenant_id`, `resource_id` and `employee_number`, all text.
        """

    def delivered(self, numbers: Collection[str]) -> set[str]:
        """Return the certificates that Ditio acknowledged last under these numbers, those without a claim too."""

    def persons(self, numbers: Collection[str]) -> set[str]:
        """Return the persons that carried one of these numbers."""

    def numbers(self, persons: pa.Table) -> list[str | None]:
        """Return the employee number of each person (columns `person_id` and `number`)."""
