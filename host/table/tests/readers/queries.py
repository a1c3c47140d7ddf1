"""Runs every query of a folder with DuckDB over the tables of another, which are views by their names without ending.

Prints each answer as JSON: a list of the columns' names, and the rows as text.
"""

import json
import sys
from pathlib import Path

import duckdb

queries, tables = map(Path, sys.argv[1:])
connection = duckdb.connect()
for table in tables.glob("*.parquet"):
    connection.execute(f"CREATE VIEW {table.stem} AS FROM '{table}'")
answers = {}
for query in sorted(queries.glob("*.sql")):
    answer = connection.sql(query.read_text())
    rows = [["" if value is None else str(value) for value in row] for row in answer.fetchall()]
    answers[query.stem] = [answer.columns, *rows]
print(json.dumps(answers))
