"""Runs kpis.sql and ratios.sql over a file of events at the end of each given day, and prints `day, name, value` as lines with tabs."""

import sys
from pathlib import Path

import duckdb

path, days = sys.argv[1], sys.argv[2:]
here = Path(__file__).parent
database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'; SET threads = 1; SET preserve_insertion_order = true")


def run(script, parameters):
    result = None
    for statement in duckdb.extract_statements((here / script).read_text()):
        wanted = {name: parameters[name] for name in statement.named_parameters}
        result = database.execute(statement, wanted or None)
    return result


run("load.sql", {"path": path})
for day in days:
    for script in ["kpis.sql", "ratios.sql"]:
        for name, value in run(script, {"day": day}).fetchall():
            print(day, name, value, sep="\t")
