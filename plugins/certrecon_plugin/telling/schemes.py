"""The schemes of the project's assets in the provider's metadata; it imports nothing, for every process loads it."""

from __future__ import annotations

from typing import Any


def asset_uris() -> list[dict[str, Any]]:
    """Return the schemes, each address of which stays as it is, and what makes datasets of OpenLineage out of them."""
    return [
        {
            "schemes": ["certrecon", "fourhse", "ditio"],
            "handler": None,
            "to_openlineage_converter": "certrecon_plugin.telling.lineage.to_dataset",
        }
    ]
