"""Rules over block specimens, into tables that DuckDB, Polars and pandas read without a copy.

    import duckdb, refiner

    transfers = refiner.replay("specimens/", "token-transfers")
    duckdb.sql("SELECT token, sum(amount::BIGNUM) FROM transfers GROUP BY token")
"""

from ._errors import Error, HostError, IncompleteWarning, InputError, InternalError, RuleRefusedError, UsageError
from ._native import Stream, Table, __version__
from ._replay import Replay, replay, specimen, stream

__all__ = [
    "Error",
    "HostError",
    "IncompleteWarning",
    "InputError",
    "InternalError",
    "Replay",
    "RuleRefusedError",
    "Stream",
    "Table",
    "UsageError",
    "__version__",
    "replay",
    "specimen",
    "stream",
]
