"""Tokens and signatures are compared in constant time: a caller cannot find one out character by character."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from certrecon_plugin.webhooks import app, bodies, receiver

SECRETIVE = {module.__name__.rpartition(".")[2]: Path(str(module.__file__)) for module in (app, bodies, receiver)}
"""The modules through whose hands tokens, their digests and signatures go."""
COMPARES = {"receiver": "_event", "bodies": "fits"}
"""Which function decides in each of the modules that decide."""


def told_apart(tree: ast.AST) -> list[str]:
    """The comparisons by value of two things of which neither is a constant: these stop at the first difference."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(one, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for one in node.ops)
        and not any(isinstance(one, ast.Constant) for one in (node.left, *node.comparators))
    ]


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", SECRETIVE)
def test_nothing_is_compared_by_value_but_with_a_constant(name: str) -> None:
    assert told_apart(ast.parse(SECRETIVE[name].read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name", COMPARES)
def test_what_decides_is_compared_in_constant_time(name: str) -> None:
    body = functions(SECRETIVE[name])[COMPARES[name]]
    called = [ast.unparse(node.func) for node in ast.walk(body) if isinstance(node, ast.Call)]
    assert called.count("hmac.compare_digest") == 1


@pytest.mark.parametrize("line", ["kept == digest", "wanted.encode() != given", "digest in known", "a < b and c == d"])
def test_such_a_comparison_is_found(line: str) -> None:
    assert told_apart(ast.parse(line))
