"""Every error message is read by a test."""

import ast
import re
from functools import cache
from pathlib import Path

from matinee import errors

ROOT = Path(__file__).resolve().parent.parent
RAISED = {"ValueError", *(name for name in vars(errors) if name.endswith("Error"))}
RUN = 3
"""How many consecutive words of a message, between its values, a test must contain."""


def runs(text: str, length: int) -> set[tuple[str, ...]]:
    """All sequences of `length` words of a text or of a pattern that matches it."""
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\\[A-Za-z]|\\", " ", text))
    return {tuple(words[n : n + length]) for n in range(len(words) - length + 1)}


def literals(node: ast.expr) -> list[str]:
    """The constant parts of a message."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return [text for part in parts for text in literals(part)]
        case ast.BinOp(left=left, right=right):
            return literals(left) + literals(right)
    return []


def messages():
    for path in sorted((ROOT / "matinee").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[message, *_]):
                    texts = [text for text in literals(message) if runs(text, 1)]
                    if name in RAISED and texts:
                        where = f"{path.relative_to(ROOT)}:{node.lineno}"
                        yield where, texts


@cache
def read_by_tests(length: int) -> set[tuple[str, ...]]:
    sequences = set()
    for path in (ROOT / "tests").rglob("*.py"):
        tree = ast.parse(path.read_text())
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                sequences |= set() if id(node) in prose else runs(node.value, length)
    return sequences


def is_read(texts: list[str]) -> bool:
    length = min(RUN, max(len(re.findall(r"[A-Za-z0-9]+", text)) for text in texts))
    return bool(set().union(*(runs(text, length) for text in texts)) & read_by_tests(length))


def test_every_message_is_read_by_a_test():
    found = list(messages())
    assert len(found) > 200
    assert [where for where, texts in found if not is_read(texts)] == []
