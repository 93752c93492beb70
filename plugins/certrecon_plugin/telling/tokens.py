"""What in a notifier's arguments may let somebody in, so that no log shows it: tokens in addresses, headers, bodies.

Nobody says which argument is secret: the token of a chat is often part of its address. So every text counts but those
that are for people. To hide a harmless word from a log does less harm than to show a token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PUBLIC: Final = frozenset(
    {"to", "cc", "bcc", "from_email", "subject", "html_content", "text", "message", "body", "method", "channel"}
)
"""Arguments that are addresses of people or texts for them."""
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_SHORTEST: Final = 6


def tokens_of(kwargs: Mapping[str, Any]) -> frozenset[str]:
    """Return every text of a notifier's arguments that is not to be shown, without the templates in it.

    Args:
        kwargs: The arguments; what is nested in them is looked at too. Names of connections are shown.
    """
    pieces = (piece.strip() for text in _texts(kwargs) for piece in _TEMPLATE.split(text))
    return frozenset(piece for piece in pieces if len(piece) >= _SHORTEST)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping) or not (name in _PUBLIC or str(name).endswith("conn_id")):
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
