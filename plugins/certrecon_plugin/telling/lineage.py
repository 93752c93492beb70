"""What tasks read and produce as OpenLineage has it, for those who have its provider installed.

Airflow's `ProvidersManager` finds the converter through `schemes.asset_uris`. Left to itself the provider looks at a
task's inlets and outlets only where no file was opened through Airflow, and else lists every file of the evidence under
the temporary name that it was written with. So the tasks say themselves what they read and produce.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Asset

_TABLES: Final = {"certrecon://warehouse/ledger": "ditio_upsert", "certrecon://warehouse/claims": "claim"}
_OPENLINEAGE_SCHEMES: Final = {"s3a": "s3", "gcs": "gs"}
_CONNECTIONS: Final = {"fourhse": "fourhse_default", "ditio": "ditio_default"}


class Traced:
    """What the operators have in common whose work is traced.

    A base after `BaseOperator`: before it, Airflow would take the class for one with a constructor of its own, and a
    mapped task would have no inlets.
    """

    if TYPE_CHECKING:
        inlets: list[Any]
        outlets: list[Any]

    writes: ClassVar[tuple[Asset, ...]] = ()
    """What a task writes without an event of an asset, which an outlet would get in every run."""

    def get_openlineage_facets_on_start(self) -> Any:
        """Return what the task reads and will write, for OpenLineage."""
        return _lineage(self.reads(), self.wrote())

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return what the task read and produced, for OpenLineage; of a failed one too."""
        return _lineage(self.reads(), self.wrote(task_instance.get_template_context()["outlet_events"]))

    def reads(self) -> list[tuple[str, str]]:
        """Return the datasets that the task reads, by namespace and name."""
        return _named((asset.uri, asset.extra) for asset in self.inlets)

    def wrote(self, events: Any = None) -> list[tuple[str, str]]:
        """Return the datasets that the task writes, by namespace and name.

        Args:
            events: The events that the task added to its outlets, as Airflow's context has them.
        """
        always = [(asset.uri, asset.extra) for asset in self.writes]
        added = (
            [one for alias in self.outlets for one in events[alias].asset_alias_events] if events is not None else []
        )
        return _named([*always, *((one.dest_asset_key.uri, one.extra) for one in added)])


def _named(assets: Iterable[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(name_of(uri, extra) for uri, extra in assets))


def _lineage(reads: list[tuple[str, str]], wrote: list[tuple[str, str]]) -> Any:
    from airflow.providers.openlineage.extractors import OperatorLineage  # type: ignore[import-not-found]
    from openlineage.client.event_v2 import Dataset

    inputs, outputs = ([Dataset(namespace=space, name=name) for space, name in found] for found in (reads, wrote))
    return OperatorLineage(inputs=inputs, outputs=outputs)


def to_dataset(asset: Asset, lineage_context: Any) -> Any:  # noqa: ARG001 - OpenLineage's signature
    """Return an asset as OpenLineage names it: a table of the warehouse, an entity of a vendor, or a file.

    Raises:
        ImportError: OpenLineage is not installed.
    """
    from openlineage.client.event_v2 import Dataset

    namespace, name = name_of(asset.uri, asset.extra)
    return Dataset(namespace=namespace, name=name)


def name_of(uri: str, extra: dict[str, Any]) -> tuple[str, str]:
    """Return namespace and name after OpenLineage's conventions.

    Args:
        uri: The asset's.
        extra: Its extra, with the event's facts.
    """
    if uri in _TABLES:
        return _postgres(_TABLES[uri])
    parts = urlsplit(uri)
    if parts.scheme in _CONNECTIONS:
        return _vendor(_CONNECTIONS[parts.scheme]), parts.path.strip("/")
    if extra.get("report"):
        return _file(str(extra["report"]))
    return "certrecon", f"{parts.netloc}{parts.path}"


def _file(address: str) -> tuple[str, str]:
    """Return a file of this machine, or an object in its bucket, which is named without Airflow's connection."""
    if "://" not in address or address.startswith("file://"):
        return "file", address.removeprefix("file://")
    scheme, _, rest = address.partition("://")
    place, _, path = rest.partition("/")
    return f"{_OPENLINEAGE_SCHEMES.get(scheme, scheme)}://{place.rpartition('@')[2]}", path


def _postgres(table: str) -> tuple[str, str]:
    connection = BaseHook.get_connection("warehouse_default")
    namespace = f"postgres://{connection.host or 'localhost'}:{connection.port or 5432}"
    return namespace, f"{connection.schema}.reconciliation.{table}"


def _vendor(connection_id: str) -> str:
    host = BaseHook.get_connection(connection_id).host or connection_id
    return host if "://" in host else f"https://{host}"
