//! Tables beside other tools: DuckDB reads what `journal export` and `features` write, and writes what `backtest` reads.

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

lines, tables, copy, features = sys.argv[1:]
db = duckdb.connect()
db.sql(f"create view rows as select * from read_parquet('{tables}/*.parquet')")
db.sql(f"create view lines as select * from read_json('{lines}', format = 'newline_delimited', columns = {{id: 'VARCHAR', source: 'VARCHAR',"
       " type: 'VARCHAR', subject: 'VARCHAR', time: 'TIMESTAMPTZ', data: 'JSON'})")
print(json.dumps({
    "types": dict(db.sql("select column_name, column_type from (describe rows)").fetchall()),
    "missing": db.sql("""select count(*) from lines anti join rows on
        lines.id = rows.id and lines.source = rows.source and subject = customer and lines.type = rows.type and lines.time = rows.time
        and (lines.type not like 'subscription.%' or (data->>'mrr_minor')::bigint is not distinct from mrr_minor)
        and (lines.type <> 'usage' or coalesce((data->>'count')::bigint, 1) = count)""").fetchall()[0][0],
    "rows": db.sql("select count(*) from rows").fetchall()[0][0],
    "lines": db.sql("select count(*) from lines").fetchall()[0][0],
    "features": dict(db.sql(f"select column_name, column_type from (describe from '{features}.parquet')").fetchall()),
    "same_features": db.sql(f"""select count(*), count(*) filter (typed.customer = plain.customer and typed.time = plain.time
        and typed.churned = (plain.churned = 1) and typed.mrr is not distinct from plain.mrr
        and typed.days_since_login is not distinct from plain.days_since_login) from
        (select *, row_number() over () as number from '{features}.parquet') as typed full join
        (select *, row_number() over () as number from '{features}.csv') as plain using (number)""").fetchall()[0],
    "revenue": db.sql("select count(*) from rows where mrr_minor > 0 and currency in ('EUR', 'USD')").fetchall()[0][0],
}))
db.sql(f"copy (select * replace (time::timestamp as time, mrr_minor::integer as mrr_minor) from read_parquet('{tables}/*.parquet'))"
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
    for ending in ["csv", "parquet"] {
        run(&["features", "--events", path(&lines), "--out", path(&at("features").with_extension(ending))]);
    }
    let script =
        Command::new(python(&[DUCKDB])).args(["-c", SCRIPT, path(&lines), path(&tables), path(&copy), path(&at("features"))]).output();
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
    for (feature, kind) in [("mrr", "DOUBLE"), ("churned", "BOOLEAN"), ("complete", "BOOLEAN"), ("time", "TIMESTAMP WITH TIME ZONE")] {
        assert_eq!(answers["features"][feature], kind, "{feature}");
    }
    let [all, same] = [0, 1].map(|index| answers["same_features"][index].as_u64().expect("a count"));
    assert!(all > 100 && same == all, "{same} of {all} rows of features are the same");
    let report = |events: &Path| {
        let json = at("report.json");
        run(&["backtest", "--events", path(events), "--json", path(&json)]);
        std::fs::read(json).expect("the report is there")
    };
    // A copy by another tool has lost what we said of the file, so that its users get pseudonyms of pseudonyms; nobody notices.
    assert!(report(&lines) == report(&copy), "the reports differ");
}
