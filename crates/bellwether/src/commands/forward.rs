//! `bellwether forward`: signals to webhooks, and daily digests.

use std::path::PathBuf;
use std::sync::Arc;

use bellwether_forward::config::{ForwardSettings, RouteSettings};
use bellwether_forward::metrics::ForwardMetrics;
use bellwether_forward::{ForwardOptions, Origin};
use bellwether_live::kafka::Connect;
use clap::Args;

use super::run::SIGNALS_FILE;
use crate::configuration::{Configuration, ConfigurationFile, host_name};
use crate::failure::{Failure, Outcome};
use crate::metrics_server::{self, MetricsAddress};
use crate::sizes::count;
use crate::stop;
use crate::terminal::tell;

/// The directory of positions and dead letters within the data directory.
const DIRECTORY: &str = "forward";

/// Send signals to webhooks, signed and at least once, and daily digests to owners
///
/// The section `forward` of the configuration has the routes. Signals come from the signals file, which is followed as it grows, or from the topic of
/// signals. Each route remembers its position. What a receiver refuses, or does not take in any of its attempts, goes to DATA/forward/ROUTE.dead-letters.jsonl.
/// Ctrl-C or SIGTERM ends it in good order: what is on its way is tried once more, and what is not settled is sent by the next start.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether forward --config bellwether.yaml
  bellwether forward --config bellwether.yaml --once --route daily --metrics off")]
pub struct Arguments {
    /// The configuration file, with a section `forward`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The signals file to read [default: what the configuration says]
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,

    /// Only this route; may be repeated
    #[arg(long = "route", value_name = "NAME")]
    routes: Vec<String>,

    /// End when all signals that there are have been delivered; digests of today are sent now, unless they have been
    #[arg(long)]
    once: bool,

    /// Where to serve GET /metrics and /livez, or `off` [default: what the configuration says]
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<MetricsAddress>,
}

/// Runs until a signal comes, or all is delivered.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let ConfigurationFile { name, configuration, .. } = ConfigurationFile::read(&arguments.config)?;
    let missing = || Failure::Usage(format!("{name} has no section `forward`: it says where signals go"));
    let settings = configuration.forward.clone().ok_or_else(missing)?;
    let options = ForwardOptions {
        origin: origin(arguments, &configuration, &settings)?,
        settings: ForwardSettings { routes: chosen(&arguments.routes, &settings.routes)?, ..settings },
        data: configuration.data.join(DIRECTORY),
        once: arguments.once,
    };
    let stop = stop::flag_of_signals()?;
    let metrics = Arc::new(ForwardMetrics::new());
    let served = Arc::clone(&metrics);
    let address = arguments.metrics.as_ref().unwrap_or(&configuration.metrics);
    if let Some(address) = metrics_server::serve_text(address, Arc::new(move || served.render()))? {
        tell(&format!("metrics are at http://{address}/metrics"));
    }
    let counts = bellwether_forward::run(&options, &metrics, &stop)?;
    tell(&format!("{} messages delivered, {} dead letters", count(counts.delivered), count(counts.dead)));
    if counts.dead > 0 {
        tell(&format!("dead letters are in {}", options.data.display()));
    }
    Ok(Outcome::of(arguments.once && counts.dead > 0))
}

fn origin(arguments: &Arguments, configuration: &Configuration, settings: &ForwardSettings) -> Result<Origin, Failure> {
    match (arguments.signals.as_ref().or(settings.signals.as_ref()), &configuration.kafka) {
        (Some(path), _) => Ok(Origin::File(path.clone())),
        (None, Some(kafka)) => {
            let connect = Connect::new(kafka, &host_name()).map_err(|error| Failure::Usage(error.to_string()))?;
            Ok(Origin::Topic(Box::new(connect)))
        }
        (None, None) => Ok(Origin::File(configuration.data.join(SIGNALS_FILE))),
    }
}

fn chosen(names: &[String], routes: &[RouteSettings]) -> Result<Vec<RouteSettings>, Failure> {
    if let Some(unknown) = names.iter().find(|name| !routes.iter().any(|route| route.name == **name)) {
        let known: Vec<&str> = routes.iter().map(|route| route.name.as_str()).collect();
        return Err(Failure::Usage(format!("there is no route `{unknown}`; known are {}", known.join(", "))));
    }
    Ok(routes.iter().filter(|route| names.is_empty() || names.contains(&route.name)).cloned().collect())
}
