"""The sandbox's fixed, public credentials and the connections that use them."""

from __future__ import annotations

import json

USERNAME = "sandbox"
PASSWORD = "sandbox-password"
CLIENT_ID = "certrecon"
CLIENT_SECRET = "sandbox-secret"
ACCESS_TOKEN = "sandbox-access-token"

# The placeholders of 4HSE's public samples, so that those run with nothing but the host changed.
SAMPLE_ACCESS_TOKENS = ("my-access-token", "replace_with_yours")

DITIO_CLIENT_ID = "certrecon-ditio"
DITIO_CLIENT_SECRET = "ditio-sandbox-secret"
DITIO_SCOPE = "ditioapiv3"
DITIO_REPORTING_SCOPE = "reportingapiv1"

# The company of Ditio's client; employees of project companies and subsidiaries carry another one.
DITIO_COMPANY_ID = "company-main"

SANDBOX_HEADER = "X-Certrecon-Sandbox"

FOURHSE_TOKEN_PATH = "/4hse/auth/realms/4hse/protocol/openid-connect/token"
DITIO_TOKEN_PATH = "/ditio/identity/connect/token"


def sandbox_urls(port: int, host: str = "127.0.0.1") -> dict[str, str]:
    """Return every address a client needs, by name."""
    base = f"http://{host}:{port}"
    return {
        "base_url": base,
        "fourhse_url": f"{base}/4hse",
        "fourhse_token_url": base + FOURHSE_TOKEN_PATH,
        "ditio_url": f"{base}/ditio/core",
        "ditio_token_url": base + DITIO_TOKEN_PATH,
        "control_url": f"{base}/control",
    }


def connection_variables(port: int, host: str = "127.0.0.1", *, access_token: bool = False) -> dict[str, str]:
    """Return `AIRFLOW_CONN_*` variables (name to JSON text) for a sandbox on `port`.

    Args:
        port: The sandbox's port.
        host: The sandbox's host.
        access_token: Use 4HSE's static `access-token` instead of the OAuth2 password grant.
    """
    urls = sandbox_urls(port, host)
    oauth = {
        "token_url": urls["fourhse_token_url"],
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    fourhse: dict[str, object] = {"conn_type": "fourhse", "host": urls["fourhse_url"]}
    if access_token:
        fourhse["extra"] = {"access_token": ACCESS_TOKEN}
    else:
        fourhse |= {"login": USERNAME, "password": PASSWORD, "extra": oauth}
    ditio = {
        "conn_type": "ditio",
        "host": urls["ditio_url"],
        "login": DITIO_CLIENT_ID,
        "password": DITIO_CLIENT_SECRET,
        "extra": {"token_url": urls["ditio_token_url"], "scope": DITIO_SCOPE},
    }
    return {
        "AIRFLOW_CONN_FOURHSE_DEFAULT": json.dumps(fourhse),
        "AIRFLOW_CONN_DITIO_DEFAULT": json.dumps(ditio),
    }
