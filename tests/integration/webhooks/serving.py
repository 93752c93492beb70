"""The receiver as an application for uvicorn, impatient with slow bodies: what the tests' server processes run."""

from __future__ import annotations

from airflow.api_fastapi.common.http_access_log import HttpAccessLogMiddleware
from fastapi import FastAPI

from certrecon_plugin.webhooks.app import PREFIX, create_app
from certrecon_plugin.webhooks.bodies import Limits

BODY_SECONDS = 1.5


def app() -> FastAPI:
    """The receiver where Airflow mounts it, below the middleware that writes Airflow's log of requests."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    inner = create_app(limits=Limits(seconds=BODY_SECONDS))
    outer.mount(PREFIX, inner)
    outer.add_middleware(HttpAccessLogMiddleware)
    outer.router.lifespan_context = lambda _: inner.router.lifespan_context(inner)
    return outer
