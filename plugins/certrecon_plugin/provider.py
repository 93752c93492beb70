"""The connection types `fourhse` and `ditio` as Airflow's provider metadata (entry point `apache_airflow_provider`).

Every process of Airflow loads it, so it imports nothing heavy; Airflow imports a hook when it needs one. A key below
`conn-fields` is the key of the connection's `extra` that the hook reads.
"""

from __future__ import annotations

from typing import Any

from certrecon.api.labels import (
    DITIO_HOST,
    DITIO_SCOPE,
    DITIO_TOKEN_URL,
    FOURHSE_HOST,
    FOURHSE_SCOPE,
    FOURHSE_TOKEN_URL,
    Label,
)
from certrecon_plugin.telling.schemes import asset_uris


def get_provider_info() -> dict[str, Any]:
    """Return what Airflow's `ProvidersManager` wants to know (its `provider_info.schema.json`)."""
    return {
        "package-name": "certrecon",
        "name": "Certificate reconciliation",
        "description": "4HSE and Ditio as connections, with the hooks that use them.",
        "connection-types": [_fourhse(), _ditio()],
        "asset-uris": asset_uris(),
    }


def _text(label: Label, description: str, *, secret: bool = False) -> dict[str, Any]:
    """Return one field of the form; without a default, since Airflow would show a masked one for `token_url`."""
    form = {"format": "password"} if secret else {}
    return {"label": str(label), "description": description, "schema": {"type": ["string", "null"], **form}}


def _fourhse() -> dict[str, Any]:
    return {
        "connection-type": "fourhse",
        "hook-class-name": "certrecon_plugin.hooks.fourhse.FourHseHook",
        "hook-name": "4HSE",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "port"],
            "relabeling": {},
            "placeholders": {
                "host": FOURHSE_HOST,
                "login": "4HSE user; empty with an access token",
                "password": "that user's password",
            },
        },
        "conn-fields": {
            "token_url": _text(
                Label.TOKEN_URL, f"Where Login and Password are exchanged for a token, usually {FOURHSE_TOKEN_URL}"
            ),
            "client_id": _text(Label.CLIENT_ID, "The OAuth2 client that 4HSE gave you."),
            "client_secret": _text(Label.CLIENT_SECRET, "That client's secret, if it has one.", secret=True),
            "scope": _text(
                Label.SCOPE,
                f"What the token is asked for. Leave it empty unless 4HSE says otherwise; usual is {FOURHSE_SCOPE}.",
            ),
            "access_token": _text(
                Label.ACCESS_TOKEN,
                "A user's fixed token. With it Login, Password, Token URL, the client and Scope are not used.",
                secret=True,
            ),
        },
    }


def _ditio() -> dict[str, Any]:
    return {
        "connection-type": "ditio",
        "hook-class-name": "certrecon_plugin.hooks.ditio.DitioHook",
        "hook-name": "Ditio",
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "port"],
            "relabeling": {"login": str(Label.CLIENT_ID), "password": str(Label.CLIENT_SECRET)},
            "placeholders": {
                "host": DITIO_HOST,
                "login": "client made in Ditio under Company Setup, Integration",
                "password": "that client's secret, which Ditio shows once",
            },
        },
        "conn-fields": {
            "token_url": _text(
                Label.TOKEN_URL, f"Where the client is exchanged for a token, usually {DITIO_TOKEN_URL}"
            ),
            "scope": _text(Label.SCOPE, f"What the token is asked for; empty means {DITIO_SCOPE}."),
        },
    }
