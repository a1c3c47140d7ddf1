"""Arguments of a person, checked, and in the form that the native part takes."""

from __future__ import annotations

import operator
import os
import reprlib
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex, TypeVar

from . import _native
from ._errors import UsageError

StrPath = str | os.PathLike[str]
Block = str | SupportsIndex
WideNumbers = Literal["string+f64", "string", "f64", "decimal38", "bytes"]

_Item = TypeVar("_Item")

# What the native part counts threads with.
_THREADS_MAX = 2**16 - 1

# Long enough for a path, short enough for a line.
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 120

# Children that compile rules, or run them, are this interpreter again. They load the native part alone, and confine themselves before
# they read a rule; what the interpreter puts into its own environment is taken out first.
_CHILD = """
import importlib.util, os, sys
os.environ.clear()
spec = importlib.util.spec_from_file_location("refiner._native", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.serve_child(sys.argv[2])
"""


@dataclass
class Request:
    """The arguments of a replay."""

    specimens: list[str]
    rules: list[str]
    columns: list[str] | None
    blocks: list[str]
    params: list[tuple[str, str]]
    chain_configs: list[str]
    block_hashes: str | None
    isolate: bool
    threads: int | None
    wide_numbers: str
    children: list[str]


def request(
    specimens: StrPath | Iterable[StrPath],
    rules: StrPath | Iterable[StrPath],
    columns: Iterable[str] | None,
    blocks: Block | Iterable[Block],
    params: Mapping[str, str] | None,
    wide_numbers: str,
    threads: int | None,
    isolate: bool,
    chain_configs: StrPath | Iterable[StrPath],
    block_hashes: StrPath | None,
) -> Request:
    """The arguments of a replay, or `UsageError` with the name of the first that is none."""
    if isinstance(columns, str):
        raise wrong("columns", "a list of names", columns)
    if not isinstance(isolate, bool):
        raise wrong("isolate", "True or False", isolate)
    named = _several("rules", rules, path)
    if not named:
        raise UsageError("rules: expected at least one, found none")
    return Request(
        specimens=_several("specimens", specimens, path),
        rules=named,
        columns=None if columns is None else _several("columns", columns, _text),
        blocks=_several("blocks", blocks, _block),
        params=_params(params),
        chain_configs=_several("chain_configs", chain_configs, path),
        block_hashes=None if block_hashes is None else path("block_hashes", block_hashes),
        isolate=isolate,
        threads=None if threads is None else _threads(threads),
        wide_numbers=_text("wide_numbers", wide_numbers),
        children=_children(),
    )


def wrong(name: str, expected: str, found: object) -> UsageError:
    """The error of an argument that is something else than was expected."""
    return UsageError(f"{name}: expected {expected}, found {_SHOWN.repr(found)}")


def path(name: str, given: Any) -> str:
    """A path as text."""
    try:
        found = os.fspath(given)
    except TypeError:
        found = None
    if not isinstance(found, str):
        raise wrong(name, "a path", given)
    return found


def _several(name: str, given: Any, one: Callable[[str, Any], _Item]) -> list[_Item]:
    """One item, or each of several."""
    if isinstance(given, (str, bytes, os.PathLike)) or not isinstance(given, Iterable):
        return [one(name, given)]
    return [one(name, item) for item in given]


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str):
        raise wrong(name, "text", given)
    try:
        given.encode()
    except UnicodeEncodeError:
        raise wrong(name, "text without lone surrogates", given) from None
    return given


def _whole(given: Any) -> int | None:
    """A whole number, also one of NumPy; `True` is none."""
    try:
        return None if isinstance(given, bool) else operator.index(given)
    except TypeError:
        return None


def _block(name: str, given: Any) -> str:
    if isinstance(given, str):
        return _text(name, given)
    height = _whole(given)
    if height is None:
        raise wrong(name, "a height or a range such as '17000000:17001000'", given)
    return str(height)


def _threads(given: Any) -> int:
    number = _whole(given)
    if number is None or not 1 <= number <= _THREADS_MAX:
        raise wrong("threads", f"a number from 1 to {_THREADS_MAX}", given)
    return number


def _params(given: Any) -> list[tuple[str, str]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise wrong("params", "a mapping of names to texts", given)
    return [(_text("params", name), _text(f"params[{name!r}]", value)) for name, value in given.items()]


def _children() -> list[str]:
    interpreter = _interpreter()
    return [] if interpreter is None else [interpreter, "-I", "-S", "-c", _CHILD, _native.__file__]


def _interpreter() -> str | None:
    """The interpreter for children. Where it is inside of another program, `sys.executable` is that program, which would start again."""
    if os.path.basename(sys.executable or "").startswith("python"):
        return sys.executable
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = os.path.join(sys.exec_prefix, "bin", name)
    return beside if os.access(beside, os.X_OK) else shutil.which(name) or shutil.which("python3")
