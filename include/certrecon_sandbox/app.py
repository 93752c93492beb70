"""The whole sandbox as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from certrecon_sandbox.bodies import BodyError, ContentTypeError
from certrecon_sandbox.control import control_router
from certrecon_sandbox.ditio.app import ditio_app
from certrecon_sandbox.fourhse.app import fourhse_app
from certrecon_sandbox.instrument import Instrument
from certrecon_sandbox.options import OptionError, SandboxOptions
from certrecon_sandbox.state import Sandbox
from certrecon_sandbox.world import World


def create_app(world: World | Callable[[], World], options: SandboxOptions | None = None) -> FastAPI:
    """Build the application.

    Args:
        world: The vendors' state, or a function that makes it (then a reset can make it again).
        options: How the servers behave.

    Returns:
        The application; `app.state.sandbox` is its `Sandbox`.
    """
    rebuild = world if callable(world) else lambda: world
    sandbox = Sandbox(rebuild(), rebuild, options or SandboxOptions())
    app = FastAPI(title="Certrecon sandbox", docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    app.include_router(control_router())
    app.mount("/4hse", fourhse_app(sandbox))
    app.mount("/ditio", ditio_app(sandbox))
    app.add_middleware(Instrument, sandbox=sandbox)
    for wrong in (OptionError, BodyError, ContentTypeError):
        app.add_exception_handler(wrong, _bad_request)
    return app


def _bad_request(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 400)
