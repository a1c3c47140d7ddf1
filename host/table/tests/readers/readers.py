"""Opens every table of a folder with DuckDB, Polars and pandas, and prints what each of them has of it as JSON.

Wide columns are named in the folder's wide.json, by the name of the table.
"""

import datetime
import json
import sys
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa

folder = Path(sys.argv[1])
wide = json.loads((folder / "wide.json").read_text())


def arrow(path):
    with pa.memory_map(str(path)) as source:
        if path.suffix == ".arrow":
            return pa.ipc.open_file(source).read_all()
        return pa.ipc.open_stream(source).read_all()


def with_duckdb(path, columns):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    if path.suffix == ".parquet":
        rows = connection.read_parquet(str(path))
    elif path.suffix == ".csv":
        # What looks like a number would be read as a double.
        rows = connection.read_csv(str(path), dtype={name: "VARCHAR" for name in columns})
    else:
        rows = connection.from_arrow(arrow(path))
    sums = {
        name: str(rows.query("t", f"SELECT coalesce(sum({name}::BIGNUM), 0)::VARCHAR FROM t").fetchall()[0][0])
        for name in columns
    }
    times = [name for name, kind in zip(rows.columns, rows.types) if "TIMESTAMP" in str(kind)]
    # pytz is what DuckDB's client would need for the values themselves.
    first = rows.query("t", f"SELECT epoch(min({times[0]}))::BIGINT FROM t").fetchall()[0][0] if times else None
    return {"columns": rows.columns, "rows": len(rows), "sums": sums, "first": first}


def with_polars(path, columns):
    if path.suffix == ".parquet":
        rows = pl.read_parquet(path)
    elif path.suffix == ".csv":
        rows = pl.read_csv(path, schema_overrides={name: pl.String for name in columns}, infer_schema_length=None)
    elif path.suffix == ".arrow":
        rows = pl.read_ipc(path)
    else:
        rows = pl.read_ipc_stream(path)
    sums = {name: str(sum(int(value) for value in rows[name].drop_nulls())) for name in columns}
    times = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
    first = rows[times[0]].min() if times else None
    return {"columns": rows.columns, "rows": rows.height, "sums": sums, "first": seconds(first)}


def with_pandas(path, columns):
    if path.suffix == ".parquet":
        rows = pd.read_parquet(path)
    elif path.suffix == ".csv":
        rows = pd.read_csv(path, dtype={name: str for name in columns})
    else:
        rows = arrow(path).to_pandas()
    sums = {name: str(sum(int(value) for value in rows[name].dropna())) for name in columns}
    times = [name for name in rows.columns if isinstance(rows[name].dtype, pd.DatetimeTZDtype)]
    first = rows[times[0]].min().to_pydatetime() if times and len(rows) else None
    return {"columns": list(rows.columns), "rows": len(rows), "sums": sums, "first": seconds(first)}


def seconds(time):
    if time is None:
        return None
    assert time.tzinfo is not None and time.utcoffset() == datetime.timedelta(0), time
    return int(time.timestamp())


found = {}
for path in sorted(folder.iterdir()):
    if path.suffix == ".json":
        continue
    columns = wide[path.stem]
    for reader, read in [("duckdb", with_duckdb), ("polars", with_polars), ("pandas", with_pandas)]:
        try:
            found[f"{path.name} {reader}"] = read(path, columns)
        except Exception as error:
            found[f"{path.name} {reader}"] = {"error": f"{type(error).__name__}: {error}"}
keywords = duckdb.sql("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'").fetchall()
print(json.dumps({"tables": found, "reserved": [name for (name,) in keywords]}))
