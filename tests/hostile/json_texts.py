"""Bodies that are nearly what a vendor sends: JSON as text, so that it may hold what no value can."""

from __future__ import annotations

import json

from hypothesis import strategies as st

LITERALS = [
    "null", "true", "false", "0", "-0", "1.5", "1e400", "-1e400", "1e-400", "9" * 400, "-" + "9" * 400, "0." + "9" * 400,
    "9223372036854775808", "18446744073709551616", "NaN", "Infinity", "-Infinity", "0x10", "01", "+1", ".5", "1_000",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u001b[2J"', '"\\u202e"', '"\x00"', '"\x1b"',
    '"\\x"', '"\\"', '"', "'a'", "undefined", "{}", "[]", "[" * 3_000 + "]" * 3_000, '{"a":' * 3_000 + "1" + "}" * 3_000,
    '"2024-02-30"', '"0000-00-00"', '"t1"', '"other"', '"c1"', '"HEALTH"', '" health "', '"PERSON"', '""', '" "',
]  # fmt: skip
"""Values as they may be written, by a careless vendor or a hostile one."""

VALUES = st.one_of(
    st.sampled_from(LITERALS),
    st.text(max_size=12).map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(
        lambda text: json.dumps(text, ensure_ascii=False)
    ),
    st.integers().map(str),
    st.lists(st.sampled_from(LITERALS[:12]), max_size=3).map(lambda items: f"[{','.join(items)}]"),
)


def objects(names: list[str]) -> st.SearchStrategy[str]:
    """Return objects with these names and others; a name may be there twice."""
    name = st.one_of(
        st.sampled_from(names).map(json.dumps), st.text(max_size=5).map(json.dumps), st.sampled_from(LITERALS)
    )
    member = st.tuples(name, VALUES).map(": ".join)
    return st.lists(member, max_size=6).map(lambda members: "{" + ", ".join(members) + "}")


def arrays(element: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return arrays of such elements, of other values among them."""
    return st.lists(st.one_of(element, element, element, VALUES), max_size=5).map(
        lambda rows: "[" + ",".join(rows) + "]"
    )


def _damaged(text: str, damage: tuple[str, int, bytes]) -> bytes:
    kind, place, piece = damage
    body = text.encode("utf-8", "surrogatepass")
    at = place % (len(body) + 1)
    return {
        "none": body,
        "cut": body[:at],
        "torn": body[at:],
        "pierced": body[:at] + piece + body[at:],
        "marked": b"\xef\xbb\xbf" + body,
        "wide": text.encode("utf-16", "replace"),
        "twice": body + body,
    }[kind]


def bodies(text: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    """Return such texts as bytes, whole or damaged."""
    kinds = st.sampled_from(["none", "none", "none", "cut", "torn", "pierced", "marked", "wide", "twice"])
    return st.builds(_damaged, text, st.tuples(kinds, st.integers(0, 500), st.binary(max_size=4)))


HEADER_VALUES = st.one_of(
    st.sampled_from(["", "0", "1", "2", "3", "-1", "1e3", "٣", "99999999999999999999", "1" * 400, "1.0", "NaN", " 1 ", "0x1", "1;2"]),
    st.integers(-5, 300_000).map(str),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_categories=["Cc"]), max_size=12),
)  # fmt: skip
