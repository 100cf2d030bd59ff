//! Reads the section `forward`, with the checks that concern more than one field.

use std::path::PathBuf;

use bellwether_codec::yaml::{Node, Reader, Value};
use jiff::tz::TimeZone;

use super::route::{RouteSettings, read_route};
use super::tables::FORWARD;

/// What is forwarded, and where to.
#[derive(Clone, Debug)]
pub struct ForwardSettings {
    /// The signals file, where one is named.
    pub signals: Option<PathBuf>,
    /// The zone of the digests' days.
    pub time_zone: TimeZone,
    /// At least one.
    pub routes: Vec<RouteSettings>,
}

/// Reads the section. Where something is wrong, it is written down; then what is returned is of no use.
pub fn read_forward(reader: &mut Reader<'_>, node: &Node) -> ForwardSettings {
    let settings = reader.settings(node, &FORWARD);
    let signals = reader.optional_text_setting(&settings, "signals").map(PathBuf::from);
    let name = reader.text_setting(&settings, "time_zone");
    let time_zone = TimeZone::get(&name).unwrap_or_else(|_| {
        if let Some(node) = settings.get("time_zone") {
            reader.error_with_help(&node.place, format!("there is no time zone `{name}`"), "write a name such as Europe/Berlin or UTC");
        }
        TimeZone::UTC
    });
    let routes = settings.get("routes").map(|node| read_routes(reader, node)).unwrap_or_default();
    ForwardSettings { signals, time_zone, routes }
}

fn read_routes(reader: &mut Reader<'_>, node: &Node) -> Vec<RouteSettings> {
    let items = reader.list(node, "routes");
    if items.is_empty() && matches!(&node.value, Value::List(_)) {
        reader.error(&node.place, "there must be at least one route");
    }
    let mut routes: Vec<RouteSettings> = Vec::new();
    for item in items {
        let Some(route) = read_route(reader, item) else { continue };
        if routes.iter().any(|known| known.name == route.name) {
            let place = item.entry("name").map_or(item.place.clone(), |node| node.place.clone());
            reader.error(&place, format!("there are two routes `{}`", route.name));
        }
        routes.push(route);
    }
    routes
}

#[cfg(test)]
mod tests {
    use bellwether_codec::yaml::{SecretLines, parse, render};

    use super::*;
    use crate::config::Start;

    fn mistakes(text: &str) -> String {
        let mut root = parse(text, "configuration").unwrap();
        let secrets = SecretLines::mark(text, &mut root, &FORWARD);
        let mut reader = Reader::new(text);
        read_forward(&mut reader, &root);
        secrets.hide(render("file", text, reader.mistakes)).to_string()
    }

    #[test]
    fn a_route_has_defaults() {
        let text = "routes:\n  - { name: crm, url: \"https://crm.example/hook\", kinds: [at_risk] }\n";
        let root = parse(text, "configuration").unwrap();
        let mut reader = Reader::new(text);
        let settings = read_forward(&mut reader, &root);
        assert!(reader.mistakes.is_empty(), "{}", mistakes(text));
        let route = &settings.routes[0];
        assert_eq!((route.attempts, route.first_wait.as_secs(), route.longest_wait.as_secs()), (12, 1, 600));
        assert_eq!(
            (route.filter.kinds.as_slice(), route.start, route.digest.is_none()),
            (["at_risk".to_owned()].as_slice(), Start::Beginning, true)
        );
    }

    #[test]
    fn mistakes_are_told_all_at_once_with_the_nearest_name() {
        let told = mistakes(
            "time_zone: Mars/Olympus\nroutes:\n  - { name: a, url: \"ftp://x/\", secret: whsec_c2hvcnQ=, kind: [at_risk] }\n  - { name: a, url: \"http://x/\", severities: [fatal], digest: { at: \"25:00\" } }\n  \
            - { name: B, url: \"https://user:word@x/\", first_wait: 0s, headers: { webhook-id: x, x-team: \"ours\\r\\nx-more: theirs\", \"a b\": c } }\n",
        );
        for expected in [
            "no time zone `Mars/Olympus`",
            "`ftp` is not spoken",
            "24 to 64 bytes",
            "did you mean `kinds`?",
            "two routes `a`",
            "unknown severity `fatal`",
            "`25:00` is no time of day",
            "`B` cannot be the name of a route",
            "first_wait must be more than nothing",
            "`webhook-id` is set by Bellwether",
            "belongs into `headers`",
            "the value of `x-team` has a control character",
            "`a b` cannot be the name of a header",
        ] {
            assert!(told.contains(expected), "{expected}\n{told}");
        }
        assert!(!told.contains("whsec_c2hvcnQ=") && !told.contains("theirs"), "{told}");
    }
}
