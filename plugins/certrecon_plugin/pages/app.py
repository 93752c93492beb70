"""Makes the application that Airflow mounts: guarded routes, headers, pages for problems, nothing else.

Nothing of this is imported before the API server asks for the application, so that no other process of
Airflow waits for it. Where the import of Airflow's security fails there is no application at all.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, HTTPException

from certrecon_plugin.pages.access import readers
from certrecon_plugin.pages.headers import Headers
from certrecon_plugin.pages.problems import handle_problems
from certrecon_plugin.pages.routes import assets, claims, files, linking, removals, runs, webhooks, workers, worklist
from certrecon_plugin.pages.warehouse import Warehouse

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

ROUTERS: tuple[APIRouter, ...] = tuple(
    module.router for module in (assets, runs, files, worklist, claims, workers, removals, webhooks, linking)
)


def nothing_here() -> None:
    """Answer whatever is no page.

    Raises:
        HTTPException: Always: 404, once the caller has shown that he may see pages at all.
    """
    raise HTTPException(404)


def create_app() -> FastAPI:
    """Return the application, ready to be mounted; nothing is connected yet."""
    app = FastAPI(
        title="Reconciliation",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=list(readers()),
    )
    app.state.warehouse = Warehouse()
    app.add_middleware(Headers)
    handle_problems(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_api_route("/{path:path}", nothing_here, methods=METHODS)
    return app
