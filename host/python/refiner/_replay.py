"""Replays, and the contents of one specimen."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, KeysView, Mapping
from typing import Any

from . import _native
from ._errors import IncompleteWarning, UsageError
from ._request import Block, StrPath, WideNumbers, path as path_of, request


class Replay:
    """Tables by their names, and the table of runs.

    A replay with one table hands its rows on by itself, so that `polars.DataFrame(replay)` works. Otherwise it is a mapping of names to
    tables.
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
        """Every table by its name: that of the rule's output, as SQL takes it without quotes."""
        return dict(self._tables)

    def keys(self) -> KeysView[str]:
        """Names of the tables."""
        return self._tables.keys()

    def __getitem__(self, name: str) -> _native.Table:
        if name not in self._tables:
            raise KeyError(f"no table {name!r}; there are: {', '.join(self._tables)}")
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

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
    blocks: Block | Iterable[Block] = (),
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
    blocks: heights to take: `17000000`, `"17000000:17001000"`, `"-100:"`, or several of them.
    params: parameters of the rules, part of their identity.
    wide_numbers: the form of numbers of 256 bits; by default decimal text, and doubles beside it.
    threads: specimens worked on at once; as many as there are cores by default.
    isolate: runs rules that are not built in in confined child processes. They are compiled in one always.
    chain_configs: files with chains beyond the built-in ones.
    block_hashes: a list of known block hashes.
    """
    asked = request(specimens, rules, columns, blocks, params, wide_numbers, threads, isolate, chain_configs, block_hashes)
    tables, runs, missing, lines = _native.replay(asked)
    if missing > 0:
        more = f"\n  and {missing - len(lines)} more" if missing > len(lines) else ""
        listed = "".join(f"\n  {line}" for line in lines)
        results = "1 result is" if missing == 1 else f"{missing} results are"
        warnings.warn(f"{results} missing; Replay.runs has all runs:{listed}{more}", IncompleteWarning, stacklevel=2)
    return Replay(tables, runs, missing)


def specimen(path: StrPath) -> dict[str, Any]:
    """The contents of one specimen, field for field as they are on the wire: what `refiner specimen decode` prints.

    Numbers and bytes are texts where the file has texts. Nothing is checked but that the file is a specimen.

    path: a file or a URL that names one specimen, as for `refiner.replay`.
    """
    return json.loads(_native.specimen(path_of("path", path)))


def stream(
    specimens: StrPath | Iterable[StrPath],
    rules: StrPath | Iterable[StrPath],
    *,
    columns: Iterable[str] | None = None,
    blocks: Block | Iterable[Block] = (),
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
    asked = request(specimens, rules, columns, blocks, params, wide_numbers, threads, isolate, chain_configs, block_hashes)
    return _native.stream(asked)
