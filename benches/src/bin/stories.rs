//! The quality of the default rule pack on simulated companies: what is printed is kept in `benches/README.md`.
//!
//! `stories [--customers N] [--months M] [--rules FILE] [--brief] [SEED...]`; by default 3,000 customers over 24 months of three seeds. The seeds
//! of the report are for reporting; thresholds are tuned on others, `--brief`: without what the pack is compared with.

use std::error::Error;
use std::sync::Arc;

use bellwether_backtest::stories::{
    ACTIVITY_RULES, Base, Company, Episode, Judgement, Overall, Truth, alarms_by_rule, comings_at_risk_kcm, customer_months, overall,
    own_stories, pairs_beside, story_table,
};
use bellwether_benches::{RULES, company};
use bellwether_codec::rules::RuleFile;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::rule::Kind;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::{DAY_MS, Time};

/// Seeds of the report.
const SEEDS: [u64; 3] = [101, 102, 103];
/// Days without login for which there is a rule to compare with.
const NO_LOGIN_DAYS: [u32; 14] = [2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 25, 30];
/// Notice is certain, and no warning.
const NOTICE_RULES: [&str; 2] = ["notice-given", "cancel-unacknowledged"];
/// An outage may show so long after its end.
const AFTERMATH_MS: i64 = 35 * DAY_MS;
/// Pairs of rules that are shown, of those that speak beside each other.
const PAIRS: usize = 30;
/// Stories without any sign of leaving before it.
const WITHOUT_SIGNS: [&str; 1] = ["silent"];

struct Arguments {
    customers: u32,
    months: u32,
    rules: String,
    brief: bool,
    seeds: Vec<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let pack = compile(&with_settings(&arguments.rules)?)?;
    let simple = compile(&no_login_rules())?;
    for seed in &arguments.seeds {
        if arguments.brief {
            brief(&arguments, *seed, &pack)?;
        } else {
            judge(&arguments, *seed, &[pack.clone(), simple.clone()])?;
        }
    }
    Ok(())
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments { customers: 3_000, months: 24, rules: RULES.to_owned(), brief: false, seeds: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--brief" {
            arguments.brief = true;
            continue;
        }
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--customers" => arguments.customers = value()?.parse()?,
            "--months" => arguments.months = value()?.parse()?,
            "--rules" => arguments.rules = std::fs::read_to_string(value()?)?,
            seed => arguments.seeds.push(seed.parse()?),
        }
    }
    if arguments.seeds.is_empty() {
        arguments.seeds.extend(SEEDS);
    }
    Ok(arguments)
}

fn compile(text: &str) -> Result<Arc<RuleSet>, Box<dyn Error>> {
    let file = RuleFile::parse("rules.yaml", text).map_err(|errors| errors.to_string())?;
    Ok(Arc::new(file.rule_set(1)))
}

/// When offices are closed for long, where nothing else is said: the weeks of Christmas, and August in France and Spain.
const CLOSED: [(&str, &str); 7] = {
    const CHRISTMAS: &str = "2023-12-24..2024-01-06, 2024-12-24..2025-01-06, 2025-12-24..2026-01-06";
    const AND_AUGUST: &str =
        "2023-12-24..2024-01-06, 2024-08-01..2024-08-31, 2024-12-24..2025-01-06, 2025-08-01..2025-08-31, 2025-12-24..2026-01-06";
    [("DE", CHRISTMAS), ("FR", AND_AUGUST), ("NL", CHRISTMAS), ("ES", AND_AUGUST), ("IE", CHRISTMAS), ("US", CHRISTMAS), ("CA", CHRISTMAS)]
};

/// The pack with the settings that a company must make itself: what its plans pay for, and the calendars of its customers' countries.
fn with_settings(rules: &str) -> Result<String, Box<dyn Error>> {
    let example = "plan_features: { example: [example-report] }";
    if !rules.contains(example) {
        return Err(format!("the rules do not have `{example}`").into());
    }
    let rules = rules.replace(example, "plan_features: { business: [audit-log], enterprise: [audit-log] }");
    let calendars = CLOSED.map(|(country, days)| format!("  {country}: [{days}]\n"));
    Ok(format!("{rules}\nholidays:\n{}", calendars.concat()))
}

/// "No login for N days" as a pack of its own, for several N.
fn no_login_rules() -> String {
    let rules = NO_LOGIN_DAYS.map(|days| {
        format!(
            "  - {{ name: no-login-{days}d, kind: at_risk, params: {{ days: {days} }}, when: days_since_login >= days, \
             until: logins_7d > 0 && active_days_28d >= 2, cooldown: 14d, needs: [login], summary: silent, playbook: call }}\n"
        )
    });
    format!("settings: {{ warm_up: 28d }}\nsignals:\n{}", rules.concat())
}

fn judge(arguments: &Arguments, seed: u64, rule_sets: &[Arc<RuleSet>]) -> Result<(), Box<dyn Error>> {
    let (with, without) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let totals = company::make(arguments.customers, arguments.months, seed, true, with.path())?;
    company::make(arguments.customers, arguments.months, seed, false, without.path())?;
    let (read, calm) = std::thread::scope(|scope| {
        let calm = scope.spawn(|| company::read(without.path(), &rule_sets[..1]).map_err(|error| error.to_string()));
        (company::read(with.path(), rule_sets), calm.join())
    });
    let (read, calm) = (read?, calm.map_err(|_| "the reading of the company without outage panicked")??);
    let truths = company::truth(with.path())?;
    let judgement = Judgement::until(Time((read.log_end.0 / DAY_MS + 1) * DAY_MS));
    let base = Base::of(&truths, &judgement);
    let months = customer_months(truths.values(), &judgement);
    println!(
        "## Seed {seed}: {} customers, {} events, {months:.0} customer-months, churn {:.2} % a month",
        truths.len(),
        totals.events,
        100.0 * f64::from(totals.ended) / months
    );
    let pack = |episode: &Episode| !NOTICE_RULES.contains(&episode.rule.as_str());
    stories(&truths, &read.episodes[0], &judgement, pack);
    whole(&truths, &read, &judgement, base, pack);
    groups(&truths, &read.episodes[0], &judgement);
    sources(&truths, &read.episodes[0], &judgement);
    if let Some(outage) = &totals.outage {
        println!("outage of {} from {} until {}; silences told:", outage.source, outage.from, outage.until);
        for (source, from, until) in &read.silences {
            println!("  {source} from {} until {}", format_time(*from), until.map_or_else(|| "-".to_owned(), format_time));
        }
        let until = Time(company::midnight(&outage.until)?.0 + AFTERMATH_MS);
        after_outage(&truths, [&read.episodes[0], &calm.episodes[0]], company::midnight(&outage.from)?, until);
    }
    rules(&truths, &read.episodes[0], &judgement, months);
    Ok(())
}

/// The figures of the pack alone.
fn brief(arguments: &Arguments, seed: u64, pack: &Arc<RuleSet>) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    company::make(arguments.customers, arguments.months, seed, true, directory.path())?;
    let mut read = company::read(directory.path(), std::slice::from_ref(pack))?;
    read.episodes.push(Vec::new());
    let truths = company::truth(directory.path())?;
    let judgement = Judgement::until(Time((read.log_end.0 / DAY_MS + 1) * DAY_MS));
    println!("## Seed {seed}, {} customers", truths.len());
    let pack = |episode: &Episode| !NOTICE_RULES.contains(&episode.rule.as_str());
    stories(&truths, &read.episodes[0], &judgement, pack);
    whole(&truths, &read, &judgement, Base::of(&truths, &judgement), pack);
    groups(&truths, &read.episodes[0], &judgement);
    sources(&truths, &read.episodes[0], &judgement);
    rules(&truths, &read.episodes[0], &judgement, customer_months(truths.values(), &judgement));
    Ok(())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
}

fn stories(truths: &Company, episodes: &[Episode], judgement: &Judgement, pack: impl Fn(&Episode) -> bool) {
    println!("\n| story | customers | left | recall | median lead to the decision | to notice or end | false alarms /kcm |");
    println!("|---|---|---|---|---|---|---|");
    for (story, row) in story_table(truths, episodes, judgement, pack) {
        let recall = if row.left == 0 { "-".to_owned() } else { format!("{:.2}", row.recall()) };
        let (decision, churn) = (number(row.lead_to_decision_days), number(row.lead_to_churn_days));
        println!("| {story} | {} | {} | {recall} | {decision} | {churn} | {:.1} |", row.customers, row.left, row.false_alarms_kcm);
    }
}

fn whole(truths: &Company, read: &company::Read, judgement: &Judgement, base: Base, pack: impl Fn(&Episode) -> bool) {
    println!("\nbase rate {:.2} %", 100.0 * base.rate());
    let print = |name: &str, figures: &Overall| {
        let [is_true, late, is_false, censored] = figures.outcomes;
        println!(
            "{name}: at risk {is_true} true, {late} late, {is_false} false, {censored} censored; precision {:.3}, lift {:.2}, recall {:.2}, \
             median lead {} days; {:.1} at risk and {:.1} in all /kcm",
            figures.precision,
            figures.lift,
            figures.recall,
            number(figures.lead_days),
            figures.at_risk_kcm,
            figures.burden_kcm
        );
    };
    let of_pack = overall(truths, &read.episodes[0], judgement, base, &pack);
    print("pack without notice-given", &of_pack);
    let signs: Company =
        truths.iter().filter(|(_, truth)| !WITHOUT_SIGNS.contains(&&*truth.story)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let with_signs = overall(&signs, &read.episodes[0], judgement, base, &pack);
    println!("recall of those with signs {:.2}", with_signs.recall);
    let whole = overall(truths, &read.episodes[0], judgement, base, |_| true);
    let kinds = [Kind::AtRisk, Kind::Attention, Kind::Return, Kind::Upsell, Kind::Advocacy].map(|kind| {
        let of_kind = overall(truths, &read.episodes[0], judgement, base, |episode| episode.kind == kind);
        format!("{} {:.1}", kind.name(), of_kind.burden_kcm)
    });
    println!("whole pack: {:.1} alerts /kcm ({})", whole.burden_kcm, kinds.join(", "));
    println!(
        "customers come to be at risk {:.1} times /kcm (alarms raised while no other is open; {:.1} without notice-given)",
        comings_at_risk_kcm(truths, &read.episodes[0], judgement, |_| true),
        comings_at_risk_kcm(truths, &read.episodes[0], judgement, pack)
    );
    let simple = NO_LOGIN_DAYS.map(|days| {
        let name = format!("no-login-{days}d");
        let figures = overall(truths, &read.episodes[1], judgement, base, |episode| episode.rule == name);
        (name, figures)
    });
    let difference = |figures: &Overall| (figures.at_risk_kcm - of_pack.at_risk_kcm).abs();
    if let Some((name, figures)) = simple.iter().min_by(|one, other| difference(&one.1).total_cmp(&difference(&other.1))) {
        print(&format!("{name}, at the nearest burden"), figures);
    }
    if let Some((name, figures)) = simple.last() {
        print(name, figures);
    }
}

/// Alarms of the rules of logins and use on those who look odd and stay.
fn groups(truths: &Company, episodes: &[Episode], judgement: &Judgement) {
    println!();
    for story in ["healthy", "holidays", "seasonal", "api-only", "intranet"] {
        let stays = |truth: &Truth| truth.story == story && truth.churn().is_none();
        let months = customer_months(truths.values().filter(|truth| stays(truth)), judgement);
        let of_group = |episode: &&Episode| episode.kind == Kind::AtRisk && truths.get(&episode.customer).is_some_and(stays);
        let of_every_kind = episodes.iter().filter(|episode| truths.get(&episode.customer).is_some_and(stays)).count();
        let all = episodes.iter().filter(of_group).count();
        let activity = episodes.iter().filter(of_group).filter(|episode| ACTIVITY_RULES.contains(&episode.rule.as_str())).count();
        let logins = episodes.iter().filter(of_group).filter(|episode| matches!(&*episode.rule, "no-login-30d" | "unusual-gap")).count();
        let kcm = |count: usize| count as f64 * 1_000.0 / months;
        println!(
            "{story} who stay, {months:.0} customer-months: {:.2} false alarms /kcm, {:.2} by the rules of logins and use, {:.2} by those of logins; {:.1} alerts of every kind",
            kcm(all),
            kcm(activity),
            kcm(logins),
            kcm(of_every_kind)
        );
    }
}

/// Which rules the alarms about those who stay are from, and which alarms came beside an open one.
fn sources(truths: &Company, episodes: &[Episode], judgement: &Judgement) {
    println!("\n| who stay | at-risk alarms /kcm by rule |");
    println!("|---|---|");
    for story in ["healthy", "holidays", "seasonal", "api-only", "intranet"] {
        let stays = |truth: &Truth| truth.story == story && truth.churn().is_none();
        let months = customer_months(truths.values().filter(|truth| stays(truth)), judgement);
        let rules = alarms_by_rule(truths, episodes, stays).into_iter();
        let rules = rules.map(|(rule, count)| format!("{rule} {:.1}", count as f64 * 1_000.0 / months));
        println!("| {story} | {} |", rules.collect::<Vec<_>>().join(", "));
    }
    let months = customer_months(truths.values(), judgement);
    println!("\n| alarm | beside the open one of | /kcm |");
    println!("|---|---|---|");
    for ((rule, open), count) in pairs_beside(episodes).into_iter().take(PAIRS) {
        println!("| {rule} | {open} | {:.1} |", count as f64 * 1_000.0 / months);
    }
    println!();
}

/// At-risk alarms with the outage and without, of the customers that were there.
fn after_outage(truths: &Company, [with, without]: [&[Episode]; 2], from: Time, until: Time) {
    let there = truths.values().filter(|truth| truth.start < until && truth.end.is_none_or(|end| end > from));
    let months = there.count() as f64 * until.since_ms(from) as f64 / DAY_MS as f64 / 30.4375;
    let count = |episodes: &[Episode]| {
        let in_time = |episode: &&Episode| episode.kind == Kind::AtRisk && (from..until).contains(&episode.raised);
        episodes.iter().filter(in_time).count() as f64 * 1_000.0 / months
    };
    println!(
        "outage and 35 days after, {months:.0} customer-months: {:.2} at-risk alarms /kcm, {:.2} without the outage",
        count(with),
        count(without)
    );
}

fn rules(truths: &Company, episodes: &[Episode], judgement: &Judgement, months: f64) {
    println!("\n| rule | alarms /kcm | precision | own stories: customers it spoke about |");
    println!("|---|---|---|---|");
    let base = Base { true_days: 1, false_days: 0 };
    for own in own_stories(truths, episodes) {
        let figures = overall(truths, episodes, judgement, base, |episode| episode.rule == own.rule);
        let precision = if figures.precision.is_nan() { "-".to_owned() } else { format!("{:.2}", figures.precision) };
        let stories = if own.stories.is_empty() { "any".to_owned() } else { own.stories.join(", ") };
        println!("| {} | {:.1} | {precision} | {stories}: {} |", own.rule, own.episodes as f64 * 1_000.0 / months, own.customers);
    }
    println!();
}
