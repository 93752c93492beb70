"""What stops the quick start; the message is one sentence that says what to do."""

from __future__ import annotations

from certrecon.errors import FixableError


class QuickstartError(FixableError):
    """A command of the quick start cannot go on."""


class ServiceError(QuickstartError):
    """A service did not start; the message names its log."""
