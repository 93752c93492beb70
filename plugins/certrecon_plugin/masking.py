"""Keeps Airflow's own log from showing the secrets that it is asked to mask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any


def _without_value(message: Any) -> list[tuple[str, object]]:
    return [("name", message.name)]


def mask_quietly() -> None:
    """Let the message by which a task asks Airflow to mask a secret be printed without the secret.

    `airflow dags test`, and so `make run`, logs every message of a task at DEBUG, this one included; the
    scheduler's own task runner leaves it out. To be called in a task before a connection is asked for.
    """
    from airflow.sdk.execution_time.comms import MaskSecret

    MaskSecret.__repr_args__ = _without_value  # type: ignore[method-assign,assignment]


class Hiding:
    """The last processor of a log, with texts taken out of the line that it makes."""

    def __init__(self, renderer: Callable[[Any, str, Any], Any]) -> None:
        """Take what makes the line."""
        self._renderer = renderer
        self.texts: set[str] = set()

    def __call__(self, logger: Any, method: str, event: Any) -> Any:
        """Return the line without the texts, the longest first: one may be a part of another."""
        line = self._renderer(logger, method, event)
        for text in sorted(self.texts, key=len, reverse=True):
            line = line.replace(text.encode(), b"***") if isinstance(line, bytes) else line.replace(text, "***")
        return line


def mask_all(texts: Iterable[str]) -> None:
    """Keep texts out of every log line from now on, whoever writes it.

    Airflow masks what a task's supervisor writes. `airflow dags test` has no supervisor and masks nothing.
    """
    from airflow.sdk.log import mask_secret

    hidden = frozenset(texts)
    mask_quietly()
    for text in sorted(hidden):
        mask_secret(text)
    for lines in _lines_of_this_process():
        lines.texts |= hidden


def _lines_of_this_process() -> Iterable[Hiding]:
    """Return what makes the lines of structlog's loggers and of the standard ones in this process."""
    import structlog

    processors = structlog.get_config()["processors"]
    if isinstance(processors, list):
        processors[-1] = _hiding(processors[-1])  # in its place: loggers that exist have this very list
        yield processors[-1]
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
            *first, last = handler.formatter.processors
            hiding = _hiding(last)
            handler.formatter.processors = (*first, hiding)
            yield hiding


def _hiding(renderer: Any) -> Hiding:
    return renderer if isinstance(renderer, Hiding) else Hiding(renderer)
