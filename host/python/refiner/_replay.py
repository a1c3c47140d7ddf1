"""Replays: the arguments of a person in the form that the native part takes."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import _native
from ._errors import IncompleteWarning, UsageError

StrPath = str | os.PathLike[str]
WideNumbers = Literal["string+f64", "string", "f64", "decimal38", "bytes"]

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
class _Request:
    specimens: list[StrPath]
    rules: list[StrPath]
    columns: list[str] | None
    blocks: list[str]
    params: list[tuple[str, str]]
    chain_configs: list[StrPath]
    block_hashes: StrPath | None
    isolate: bool
    threads: int | None
    wide_numbers: str
    children: list[StrPath]


class Replay:
    """Tables by their names, and the table of runs.

    A replay with one table hands its rows on by itself, so that `polars.DataFrame(replay)` works.
    """

    def __init__(self, tables: list[_native.Table], runs: _native.Table, missing: int) -> None:
        self._tables = {table.name: table for table in tables}
        self._runs = runs
        self._missing = missing

    @property
    def runs(self) -> _native.Table:
        """One row for each run of a rule over a specimen, with its verdict; unusable specimens have one too."""
        return self._runs

    @property
    def missing(self) -> int:
        """Number of results that are missing: runs with another verdict than `produced`, and unusable specimens."""
        return self._missing

    @property
    def table(self) -> _native.Table:
        """The table of a replay that has one."""
        if len(self._tables) != 1:
            raise UsageError(f"the replay has {len(self._tables)} tables; name one of {', '.join(self._tables)}")
        return next(iter(self._tables.values()))

    @property
    def tables(self) -> dict[str, _native.Table]:
        """Every table by its name: that of the rule's output, which SQL takes without quotes."""
        return dict(self._tables)

    def __getitem__(self, name: str) -> _native.Table:
        return self._tables[name]

    def __repr__(self) -> str:
        tables = ", ".join(f"{name} ({len(table)} rows)" for name, table in self._tables.items())
        return f"<refiner.Replay of {len(self._runs)} runs: {tables}>"

    def __arrow_c_schema__(self) -> object:
        return self.table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def replay(
    specimens: StrPath | Iterable[StrPath],
    rules: StrPath | Iterable[StrPath],
    *,
    columns: Iterable[str] | None = None,
    blocks: str | Iterable[str] = (),
    params: Mapping[str, str] | None = None,
    wide_numbers: WideNumbers = "string+f64",
    threads: int | None = None,
    isolate: bool = False,
    chain_configs: StrPath | Iterable[StrPath] = (),
    block_hashes: StrPath | None = None,
) -> Replay:
    """Runs rules over specimens and gives the rows that they wrote as tables in memory.

    Rows stand in the order of blocks. A specimen or a run without a result stops no other: the tables lack it, `Replay.runs` has its
    verdict and reason, and an `IncompleteWarning` is given. Settings are those of `refiner replay`, from variables of the environment
    (`REFINER_...`). The interpreter's lock is free meanwhile, and Ctrl-C ends the call.

    specimens: files, directories, patterns or archives, as for `refiner replay`.
    rules: names of built-in rules, component files or sources with a digest. Each output needs columns.
    columns: the columns to keep, where one table is made.
    blocks: heights to take: `17000000`, `17000000:17001000`, `-100:`.
    params: parameters of the rules, part of their identity.
    wide_numbers: the form of numbers of 256 bits; by default decimal text, and doubles beside it.
    threads: specimens worked on at once; as many as there are cores by default.
    isolate: runs rules that are not built in in confined child processes. They are compiled in one always.
    chain_configs: files with chains beyond the built-in ones.
    block_hashes: a list of known block hashes.
    """
    request = _request(specimens, rules, columns, blocks, params, wide_numbers, threads, isolate, chain_configs, block_hashes)
    tables, runs, missing, lines = _native.replay(request)
    if missing > 0:
        more = f"\n  and {missing - len(lines)} more" if missing > len(lines) else ""
        listed = "".join(f"\n  {line}" for line in lines)
        warnings.warn(f"{missing} results are missing; Replay.runs has them all:{listed}{more}", IncompleteWarning, stacklevel=2)
    return Replay(tables, runs, missing)


def specimen(path: StrPath) -> dict[str, Any]:
    """The contents of one specimen, field for field as they are on the wire: what `refiner specimen decode` prints.

    Numbers and bytes are texts where the file has texts. Nothing is checked but that the file is a specimen.

    path: a file or a URL that names one specimen, as for `refiner.replay`.
    """
    return json.loads(_native.specimen(path))


def stream(
    specimens: StrPath | Iterable[StrPath],
    rules: StrPath | Iterable[StrPath],
    *,
    columns: Iterable[str] | None = None,
    blocks: str | Iterable[str] = (),
    params: Mapping[str, str] | None = None,
    wide_numbers: WideNumbers = "string+f64",
    threads: int | None = None,
    isolate: bool = False,
    chain_configs: StrPath | Iterable[StrPath] = (),
    block_hashes: StrPath | None = None,
) -> _native.Stream:
    """Makes a replay ready whose rows are made while they are taken, so that memory stays small however many there are.

    Takes what `replay` takes, with rules that have one table together. The stream is read once: by `duckdb.sql("FROM stream")` for
    instance. No warning is given; `Stream.missing` and `Stream.runs` have what is missing when it was read.
    """
    request = _request(specimens, rules, columns, blocks, params, wide_numbers, threads, isolate, chain_configs, block_hashes)
    return _native.stream(request)


def _request(
    specimens: StrPath | Iterable[StrPath],
    rules: StrPath | Iterable[StrPath],
    columns: Iterable[str] | None,
    blocks: str | Iterable[str],
    params: Mapping[str, str] | None,
    wide_numbers: str,
    threads: int | None,
    isolate: bool,
    chain_configs: StrPath | Iterable[StrPath],
    block_hashes: StrPath | None,
) -> _Request:
    if isinstance(columns, str):
        raise UsageError(f"columns: expected a list of names, found {columns!r}")
    return _Request(
        specimens=_several(specimens),
        rules=_several(rules),
        columns=None if columns is None else list(columns),
        blocks=[str(block) for block in _several(blocks)],
        params=list((params or {}).items()),
        chain_configs=_several(chain_configs),
        block_hashes=block_hashes,
        isolate=isolate,
        threads=threads,
        wide_numbers=wide_numbers,
        children=[sys.executable or "python3", "-I", "-S", "-c", _CHILD, _native.__file__],
    )


def _several(given: StrPath | Iterable[StrPath]) -> list[StrPath]:
    if isinstance(given, (str, os.PathLike)):
        return [given]
    return list(given)
