//! Tables of events beside other tools: DuckDB reads what `journal export` writes, and writes what `backtest` reads.

use std::path::{Path, PathBuf};
use std::process::Command;

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::python::python;
use serde_json::Value;

/// From PyPI.
const DUCKDB: &str = "duckdb==2.0.1";

/// What is asked of DuckDB: the table, then its own reading of the lines from which the table was made; at last a table as others write it.
const SCRIPT: &str = r#"
import json, sys
import duckdb

lines, tables, copy = sys.argv[1:]
db = duckdb.connect(config={"TimeZone": "UTC"})
db.sql(f"create view rows as select * from read_parquet('{tables}/*.parquet')")
db.sql(f"create view lines as select * from read_json('{lines}', format = 'newline_delimited', columns = {{id: 'VARCHAR', source: 'VARCHAR',"
       " type: 'VARCHAR', subject: 'VARCHAR', time: 'TIMESTAMPTZ', data: 'JSON'})")
print(json.dumps({
    "types": dict(db.sql("select column_name, column_type from (describe rows)").fetchall()),
    "missing": db.sql("""select count(*) from lines anti join rows on
        lines.id = rows.id and lines.source = rows.source and subject = customer and lines.type = rows.type and lines.time = rows.time
        and (lines.type not like 'subscription.%' or (data->>'mrr_minor')::bigint is not distinct from mrr_minor)
        and (lines.type <> 'usage' or coalesce((data->>'count')::bigint, 1) = count)""").fetchone()[0],
    "rows": db.sql("select count(*) from rows").fetchone()[0],
    "lines": db.sql("select count(*) from lines").fetchone()[0],
    "revenue": db.sql("select count(*) from rows where mrr_minor > 0 and currency in ('EUR', 'USD')").fetchone()[0],
}))
db.sql(f"copy (select * replace (time::timestamp as time, mrr_minor::integer as mrr_minor) from read_parquet('{tables}/*.parquet') order by journal_time)"
       f" to '{copy}' (format parquet, compression zstd, row_group_size 10000)")
"#;

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn run(arguments: &[&str]) -> String {
    let output = binary().args(arguments).output().expect("the product runs: build its binary first");
    succeeded(&output);
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn duckdb_reads_what_is_exported_and_writes_what_can_be_judged() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| -> PathBuf { directory.path().join(name) };
    run(&["simulate", "--customers", "60", "--months", "8", "--seed", "5", "--out", path(&at("company"))]);
    let lines = at("company").join("events.jsonl.zst");
    let (tables, copy) = (at("tables"), at("copy.parquet"));
    run(&["journal", "export", "--events", path(&lines), "--to", path(&tables)]);
    let script = Command::new(python(&[DUCKDB])).args(["-c", SCRIPT, path(&lines), path(&tables), path(&copy)]).output();
    let output = script.expect("Python runs");
    succeeded(&output);
    let answers: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    for (column, kind) in [
        ("customer", "VARCHAR"),
        ("time", "TIMESTAMP WITH TIME ZONE"),
        ("journal_time", "TIMESTAMP WITH TIME ZONE"),
        ("type", "VARCHAR"),
        ("mrr_minor", "BIGINT"),
        ("ok", "BOOLEAN"),
        ("value", "DOUBLE"),
        ("period_end", "TIMESTAMP WITH TIME ZONE"),
    ] {
        assert_eq!(answers["types"][column], kind, "{column}");
    }
    assert_eq!((&answers["missing"], &answers["rows"]), (&0.into(), &answers["lines"]));
    assert!(answers["revenue"].as_u64().expect("a count") > 50, "{answers}");
    let report = |events: &Path| {
        let json = at("report.json");
        run(&["backtest", "--events", path(events), "--json", path(&json)]);
        std::fs::read(json).expect("the report is there")
    };
    // A copy by another tool has lost what we said of the file, so that its users get pseudonyms of pseudonyms; nobody notices.
    assert!(report(&lines) == report(&copy), "the reports differ");
}
