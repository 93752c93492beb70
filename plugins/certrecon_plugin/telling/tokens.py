"""What in a notifier's arguments may let somebody in, so that no log shows it: tokens in addresses, headers, bodies.

Nobody says which argument is secret: the token of a chat is often part of its address. So everything counts that looks
like one. To hide a harmless word from a log does less harm than to show a token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_PUBLIC: Final = frozenset(
    {"to", "cc", "bcc", "from_email", "subject", "html_content", "text", "message", "body", "method", "channel"}
)
"""Arguments that are addresses of people or texts for them."""
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BETWEEN: Final = re.compile(r"[^\w.~+=-]+")
_SHORTEST: Final = 6
_LONGEST_WORD: Final = 19
_WORD: Final = re.compile(r"[A-Z]?[a-z.-]*|\d{1,5}|\d{1,3}(?:\.\d{1,3}){3}")


def tokens_of(kwargs: Mapping[str, Any]) -> frozenset[str]:
    """Return every text of a notifier's arguments that must not be shown: whole ones, and the parts of them.

    Args:
        kwargs: The arguments; what is nested in them is looked at too.
    """
    return frozenset(token for text in _texts(kwargs) for token in _tokens(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _PUBLIC and not str(name).endswith("conn_id"):
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _tokens(text: str) -> Iterator[str]:
    """Return a text without its templates, as a whole where a part may be secret, and each such part."""
    parts = [part for piece in _TEMPLATE.split(text) for part in _BETWEEN.split(piece)]
    if all(_is_word(part) for part in parts):
        return
    yield from (piece.strip() for piece in _TEMPLATE.split(text) if len(piece.strip()) >= _SHORTEST)
    yield from (part for part in parts if len(part) >= _SHORTEST and not _is_word(part))


def _is_word(part: str) -> bool:
    """Return whether anybody might write a part: a word with dots and dashes, a short number, or an IP address."""
    return len(part) <= _LONGEST_WORD and _WORD.fullmatch(part) is not None
