"""What the routes of one sandbox share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from certrecon_sandbox.auth import TokenStore
from certrecon_sandbox.faults.switchboard import Switchboard
from certrecon_sandbox.journal import Journal
from certrecon_sandbox.options import SandboxOptions
from certrecon_sandbox.world import World


@dataclass
class Sandbox:
    """One running sandbox.

    Attributes:
        world: The vendors' state; replaced by a reset.
        options: How the servers behave.
        journal: What was asked.
        rebuild: Makes the first world again.
        faults: What goes wrong on the way.
    """

    world: World
    rebuild: Callable[[], World]
    options: SandboxOptions = field(default_factory=SandboxOptions)
    journal: Journal = field(default_factory=Journal)
    fourhse_tokens: TokenStore = field(default_factory=TokenStore)
    ditio_tokens: TokenStore = field(default_factory=TokenStore)
    faults: Switchboard = field(default_factory=Switchboard)


def sandbox_of(request: Request) -> Sandbox:
    """Return the sandbox that a request belongs to."""
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox
