"""The assets as datasets of OpenLineage, for those who have its provider installed.

Airflow's `ProvidersManager` finds the converter through `schemes.asset_uris`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Asset

_TABLES: Final = {"certrecon://warehouse/ledger": "ditio_upsert", "certrecon://warehouse/claims": "claim"}
_CONNECTIONS: Final = {"fourhse": "fourhse_default", "ditio": "ditio_default"}


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
        return "file", str(extra["report"]).removeprefix("file://")
    return "certrecon", f"{parts.netloc}{parts.path}"


def _postgres(table: str) -> tuple[str, str]:
    connection = BaseHook.get_connection("warehouse_default")
    namespace = f"postgres://{connection.host or 'localhost'}:{connection.port or 5432}"
    return namespace, f"{connection.schema}.reconciliation.{table}"


def _vendor(connection_id: str) -> str:
    host = BaseHook.get_connection(connection_id).host or connection_id
    return host if "://" in host else f"https://{host}"
