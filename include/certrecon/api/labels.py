"""What the parts of a connection are called in Airflow's connection form, and in words about them.

`certrecon_plugin.provider` makes the form with these labels, and *Test connection* names the field that is wrong by
them. Imports nothing: every process of Airflow reads it.
"""

# ruff: noqa: S105 - labels and public addresses, no secrets
from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """Labels of both vendors' connections; the first three are Airflow's own words."""

    HOST = "Host"
    LOGIN = "Login"
    PASSWORD = "Password"
    TOKEN_URL = "Token URL"
    CLIENT_ID = "Client ID"
    CLIENT_SECRET = "Client secret"
    ACCESS_TOKEN = "Access token"
    SCOPE = "Scope"


FOURHSE_HOST = "https://service.4hse.com"
FOURHSE_TOKEN_URL = "https://auth.4hse.com/realms/4hse/protocol/openid-connect/token"
FOURHSE_SCOPE = "openid profile email"
DITIO_HOST = "https://core-api.ditio.app/core"
DITIO_TOKEN_URL = "https://identity.ditio.app/connect/token"
DITIO_SCOPE = "ditioapiv3"
