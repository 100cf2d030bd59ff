//! Backtests: their rate against the bare decode, on one thread and two, and what a sweep costs.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use bellwether_backtest::evaluate::{ChurnAt, DEFAULT_HORIZON_MS, DEFAULT_MIN_LEAD_MS, EvaluationOptions, Side, evaluate};
use bellwether_backtest::plan::{Plan, Sweep};
use bellwether_benches::RULES;
use bellwether_benches::observing::observe;
use bellwether_codec::rules::RuleFile;

use crate::{bare_decode, write_lines};

/// Runs that count, per measurement; each point is a median.
const RUNS: usize = 5;

/// Twenty points.
const SWEEP: &str = "no-login-30d.days=10..67:3";

/// What one backtest took.
#[derive(Clone, Copy)]
struct Took {
    all: Duration,
    /// Of that, the pass over the log.
    pass: Duration,
}

/// Full backtests with the default pack, evaluation included, against the bare decode of the same lines.
pub fn rates(lines: &[String]) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("sample.jsonl");
    write_lines(&path, lines.iter().map(String::as_str))?;
    let (bare_rate, _) = bare_decode(lines);
    println!("bare decode, one core: {bare_rate:.0} lines/s");
    let file = RuleFile::parse("default.yaml", RULES)?;
    let rate = |took: Duration| lines.len() as f64 / took.as_secs_f64();
    let mut single = Vec::new();
    for threads in [1, 2] {
        let took = median(&path, &file, None, threads)?;
        println!(
            "backtest, {threads} thread(s): {:.0} events/s, {:.0} % of the bare decode per core (limit 60); {:.2} s, of which the pass takes {:.2} s",
            rate(took.all),
            100.0 * rate(took.all) / bare_rate / threads as f64,
            took.all.as_secs_f64(),
            took.pass.as_secs_f64()
        );
        single.push(took);
    }
    println!(
        "  two threads against one: {:.2} (limit 1.8); the pass alone {:.2}",
        single[0].all.as_secs_f64() / single[1].all.as_secs_f64(),
        single[0].pass.as_secs_f64() / single[1].pass.as_secs_f64()
    );
    let sweep: Sweep = SWEEP.parse()?;
    let points = sweep.values.len();
    let swept = median(&path, &file, Some(&sweep), 2)?;
    println!(
        "sweep of {points} points, 2 threads: {:.2} s, {:.2} times a single backtest (limit 4)",
        swept.all.as_secs_f64(),
        swept.all.as_secs_f64() / single[1].all.as_secs_f64()
    );
    Ok(())
}

/// The median of some backtests, after one that does not count.
fn median(path: &Path, file: &RuleFile, sweep: Option<&Sweep>, threads: usize) -> Result<Took, Box<dyn Error>> {
    // The evaluation is to have as many threads as the pass.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let run = || pool.install(|| backtest(path, file, sweep, threads)).map_err(|error| error.to_string());
    run()?;
    let mut all = (0..RUNS).map(|_| run()).collect::<Result<Vec<Took>, String>>()?;
    all.sort_by_key(|took| took.all);
    Ok(all[RUNS / 2])
}

fn backtest(path: &Path, file: &RuleFile, sweep: Option<&Sweep>, threads: usize) -> Result<Took, Box<dyn Error + Send + Sync>> {
    let started = Instant::now();
    let plan = Plan::new(file, sweep.cloned())?;
    let pass = observe(path, &plan, threads)?;
    let passed = started.elapsed();
    let observed = pass.observed.first().ok_or("nothing was observed")?;
    let side = Side {
        file: "default.yaml".to_owned(),
        hash: String::new(),
        rules: &plan.rules,
        observed,
        amber_from: file.settings.health.for_others().amber_from,
        sweep: plan.sweep.clone().map(|(sweep, current)| (sweep.rule, sweep.param, current, sweep.values)),
    };
    let options = EvaluationOptions {
        horizon_ms: DEFAULT_HORIZON_MS,
        min_lead_ms: DEFAULT_MIN_LEAD_MS,
        churn_at: ChurnAt::Notice,
        from: None,
        warm_up_ms: file.settings.warm_up_ms,
        seed: 1,
    };
    let evaluated = evaluate(pass.log, pass.refused, &side, None, None, &options);
    // A backtest that has found nothing would be quick for nothing.
    if evaluated.report.log.events != pass.lines || evaluated.report.by_rule.iter().all(|rule| rule.figures.signals == 0) {
        return Err("events are missing, or no rule has spoken".into());
    }
    Ok(Took { all: started.elapsed(), pass: passed })
}
