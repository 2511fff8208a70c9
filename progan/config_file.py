"""Reading the reference's config.py, which people edited and kept, without running it.

It is Python, but all that such a file does is to assign numbers, texts, lists and dicts to names. So it is parsed, and
the assignments are followed; anything that would do something else ends with one line that says where it stands.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Mapping
from pathlib import Path

from shared_scripts.cli import UserError

MAX_FILE = 1_000_000  # bytes
MAX_SIZE = 100_000  # letters of a text, items of a list, parts of all settings together
MAX_NUMBER = 10**18
MAX_DEPTH = 50  # of expressions in expressions
MAKERS = ("EasyDict", "dict")
CONVERTERS = {"str": str, "int": int, "float": float}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def read_config(path: str | Path) -> dict[str, object]:
    """The public variables of a config.py, {name: value}; an EasyDict is a plain dict.

    What is followed: assignments, to names, attributes and items, several at once, and with +=; literals, also in
    lists, tuples and dicts; EasyDict(…) and dict(…); arithmetic on numbers, + for texts and lists; str, int and float;
    `if` with a literal. Imports, docstrings, and the definition of EasyDict are passed over.
    UserError, with file and line, where there is anything else, where it is no Python, or where the file is missing.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    source = path.read_bytes()
    if len(source) > MAX_FILE:
        raise UserError(f"{path} is no config.py: it is far too large")
    try:
        tree = ast.parse(source)
    except SyntaxError as problem:
        raise UserError(f"{path} line {problem.lineno or 1}: this is no Python ({problem.msg})") from None
    except (ValueError, MemoryError, RecursionError):
        raise UserError(f"{path} is no config.py: it cannot be parsed") from None
    reader = Reader(path)
    reader.run(tree.body)
    found = {name: value for name, value in reader.variables.items() if not name.startswith("_")}
    if size_of(found) > MAX_SIZE:
        raise UserError(f"{path} is no config.py: its settings are absurdly large")
    return found


def size_of(value: object, depth: int = 0) -> int:
    """How many parts a value has; more than MAX_SIZE where it holds itself, or the same again and again."""
    if depth > MAX_DEPTH:
        return MAX_SIZE + 1
    total = 1
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for part in parts:
        total += size_of(part, depth + 1)
        if total > MAX_SIZE:
            break
    return total


class Reader:
    """Follows statements, and keeps the variables."""

    def __init__(self, path: Path):
        self.path = path
        self.variables: dict[str, object] = {}
        self.depth = 0

    def fail(self, node: ast.AST, what: str) -> UserError:
        """The error for a place in the file."""
        return UserError(f"{self.path} line {getattr(node, 'lineno', 1)}: {what}")

    def refuse(self, node: ast.AST) -> UserError:
        """The error for what is more than a setting."""
        try:
            text = " ".join(ast.unparse(node).split())
        except (RecursionError, ValueError):
            text = type(node).__name__
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
        text = text if len(text) <= 50 else f"{text[:47]}..."
        return self.fail(node, f"only settings are read, {text} is not run")

    # ---- statements

    def run(self, statements: list[ast.stmt]) -> None:
        """Follow them in order."""
        for statement in statements:
            self.follow(statement)

    def follow(self, node: ast.stmt) -> None:
        """One statement."""
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Pass)):
            return
        if isinstance(node, ast.ClassDef) and node.name == "EasyDict":
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring, or a text that switches some lines off
        if isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.value(node.value))
        elif isinstance(node, ast.AugAssign):
            before = self.value(node.target)
            after = self.combine(node, before, self.value(node.value))
            if isinstance(before, list):  # grows where it is: other names for it see that, too
                before[:] = after
                after = before
            self.assign(node.target, after)
        elif isinstance(node, ast.If):
            self.run(node.body if self.value(node.test) else node.orelse)
        else:
            raise self.refuse(node)

    def assign(self, target: ast.expr, value: object) -> None:
        """Give a name, an attribute or an item its value."""
        if isinstance(target, ast.Name):
            self.variables[target.id] = value
        elif isinstance(target, ast.Attribute):
            self.container(target)[target.attr] = value
        elif isinstance(target, ast.Subscript):
            self.container(target)[self.key(target.slice)] = value
        else:
            raise self.refuse(target)

    def container(self, node: ast.Attribute | ast.Subscript) -> dict:
        """The dict that an attribute or item is in."""
        found = self.value(node.value)
        if not isinstance(found, dict):
            raise self.refuse(node)
        return found

    # ---- expressions

    def value(self, node: ast.expr) -> object:
        """What an expression stands for."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(node, "this is nested too deeply to be a setting")
        try:
            return self.evaluate(node)
        finally:
            self.depth -= 1

    def evaluate(self, node: ast.expr) -> object:
        """The same; `value` counts how deep it goes."""
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str, type(None))):
            return self.bounded(node, node.value)
        if isinstance(node, ast.List):
            return [self.value(part) for part in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self.value(part) for part in node.elts)
        if isinstance(node, ast.Dict) and None not in node.keys:  # None stands for **
            return {self.key(key): self.value(part) for key, part in zip(node.keys, node.values, strict=True)}
        if isinstance(node, ast.Name):
            if node.id not in self.variables:
                raise self.fail(node, f"{node.id} has no value here; only settings are read, imports are not run")
            return self.variables[node.id]
        if isinstance(node, ast.Attribute) and not node.attr.startswith("__"):
            return self.item(node, node.attr)
        if isinstance(node, ast.Subscript):
            return self.item(node, self.value(node.slice))
        if isinstance(node, ast.UnaryOp):
            return self.sign(node)
        if isinstance(node, ast.BinOp):
            return self.combine(node, self.value(node.left), self.value(node.right))
        if isinstance(node, ast.Call):
            return self.call(node)
        raise self.refuse(node)

    def key(self, node: ast.expr) -> object:
        """What may be a dict's key: a text or a number."""
        found = self.value(node)
        if not isinstance(found, (str, int, float)):
            raise self.refuse(node)
        return found

    def item(self, node: ast.Attribute | ast.Subscript, key: object) -> object:
        """A part of a dict, list or tuple that was set before."""
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            raise self.refuse(node)
        found = self.value(node.value)
        whole = isinstance(found, (list, tuple)) and isinstance(key, int) and not isinstance(node, ast.Attribute)
        if not whole and not isinstance(found, dict):
            raise self.refuse(node)
        try:
            return found[key]
        except (KeyError, IndexError, TypeError):
            raise self.fail(node, f"{ast.unparse(node)} has not been set") from None

    def sign(self, node: ast.UnaryOp) -> object:
        """-x, +x, not x."""
        found = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not found
        if isinstance(node.op, (ast.USub, ast.UAdd)) and isinstance(found, (int, float)):
            return -found if isinstance(node.op, ast.USub) else +found
        raise self.refuse(node)

    def combine(self, node: ast.BinOp | ast.AugAssign, left: object, right: object) -> object:
        """Arithmetic on numbers; + on texts and lists."""
        numbers = all(isinstance(part, (int, float)) for part in (left, right))
        alike = type(left) is type(right) and isinstance(left, (str, list, tuple)) and isinstance(node.op, ast.Add)
        if type(node.op) not in OPERATORS or not (numbers or alike):
            raise self.refuse(node)
        try:
            return self.bounded(node, OPERATORS[type(node.op)](left, right))
        except (ZeroDivisionError, OverflowError):
            raise self.fail(node, "this cannot be computed") from None

    def bounded(self, node: ast.AST, value: object) -> object:
        """The value, where it is not absurdly large."""
        large = len(value) > MAX_SIZE if isinstance(value, (str, list, tuple)) else False
        if large or (isinstance(value, (int, float)) and abs(value) > MAX_NUMBER and value == value):
            raise self.fail(node, "this is too large to be a setting")
        return value

    def call(self, node: ast.Call) -> object:
        """EasyDict(…), dict(…), str(…), int(…), float(…)."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in self.variables or (name not in MAKERS and name not in CONVERTERS):
            raise self.refuse(node)
        positional = [self.value(part) for part in node.args]
        if name in CONVERTERS:
            return self.convert(node, name, positional)
        if len(positional) > 1 or not all(isinstance(part, Mapping) for part in positional):
            raise self.refuse(node)
        found = dict(positional[0]) if positional else {}
        for keyword in node.keywords:
            if keyword.arg is None:  # **something
                raise self.refuse(node)
            found[keyword.arg] = self.value(keyword.value)
        return found

    def convert(self, node: ast.Call, name: str, positional: list) -> object:
        """A number as a text, or the other way round."""
        plain = len(positional) == 1 and isinstance(positional[0], (int, float, str, type(None)))
        if not plain or node.keywords:
            raise self.refuse(node)
        try:
            return self.bounded(node, CONVERTERS[name](positional[0]))
        except (ValueError, TypeError, OverflowError):
            raise self.fail(node, f"{positional[0]!r} is no number") from None
