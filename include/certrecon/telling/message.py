"""A message to people, as text and as HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from certrecon.telling.occasions import Occasion

LONGEST_SUBJECT: Final = 150
_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One message about one run or one problem; no names of persons are in it.

    Attributes:
        occasions: Why it is sent.
        subject: One line.
        paragraphs: What happened and what to do, plain text.
        link: Where to look; None where Airflow does not know its own address.
        counts: The figures, by name.
        run_seq: The run it is about; None where it is about none.
    """

    occasions: tuple[Occasion, ...]
    subject: str
    paragraphs: tuple[str, ...]
    link: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    run_seq: int | None = None

    @property
    def line(self) -> str:
        """The subject without anything that could begin another header of a mail."""
        return _LINE_ENDS.sub(" ", self.subject).strip()[:LONGEST_SUBJECT]

    @property
    def text(self) -> str:
        """The message as plain text."""
        return "\n\n".join([*self.paragraphs, *([self.link] if self.link else [])])

    @property
    def html(self) -> str:
        """The message as HTML, everything in it escaped."""
        said = "".join(f"<p>{html.escape(one)}</p>" for one in self.paragraphs)
        if self.link is None:
            return said
        address = html.escape(self.link, quote=True)
        return f'{said}<p><a href="{address}">{address}</a></p>'

    def to_template(self) -> dict[str, Any]:
        """Return what a notifier's template finds under `certrecon`."""
        return {
            "subject": self.line,
            "text": self.text,
            "html": self.html,
            "link": self.link or "",
            "occasions": [str(one) for one in self.occasions],
            "counts": dict(self.counts),
            "run_seq": self.run_seq,
        }
