//! What goes wrong, in a seeded order in which every kind has its turn.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_tests::broker::Broker;
use bellwether_tests::company::Random;
use bellwether_tests::proxy::Proxy;

use crate::fleet::Fleet;
use crate::support::LONG;

/// Something that goes wrong, and is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// An instance is killed, and starts again on its data.
    Kill,
    /// An instance is killed, and starts again without its data.
    KillAndLose,
    /// An instance is frozen until its groups have given it up, and goes on as if nothing had been.
    Zombie,
    /// The broker is killed, and starts again.
    BrokerKill,
    /// The broker stops in good order, and starts again.
    BrokerStop,
    /// The broker is down for longer than anybody waits for a heartbeat.
    BrokerDown,
    /// The broker hangs for some seconds.
    BrokerHangs,
    /// All connections are cut until the groups have given everybody up, while the broker goes on.
    CutOff,
    /// There are three instances, or two, or one.
    Scale(usize),
}

/// The session timeout of the instances is 6 s.
const LONGER_THAN_A_SESSION: Duration = Duration::from_secs(8);

/// How long an instance has to join its groups before it is stopped again.
const JOINING: Duration = Duration::from_secs(5);
const DOWN: Duration = Duration::from_secs(20);
/// Shorter than the time after which the controller gives the broker up, which loses transactions: see the broker's settings.
const HANGS: Duration = Duration::from_secs(3);

impl Mishap {
    pub const ALL: [Mishap; 10] = [
        Mishap::Scale(3),
        Mishap::Kill,
        Mishap::BrokerKill,
        Mishap::Zombie,
        Mishap::KillAndLose,
        Mishap::BrokerDown,
        Mishap::Scale(2),
        Mishap::BrokerStop,
        Mishap::BrokerHangs,
        Mishap::CutOff,
    ];
}

/// What mishaps happen to.
pub struct Ground<'a, 'p> {
    pub broker: &'a mut Broker,
    pub proxy: &'a Proxy,
    pub fleet: &'a mut Fleet<'p>,
}

/// The order of mishaps, and those that happened.
#[derive(Debug)]
pub struct Mishaps {
    random: Random,
    next: Vec<Mishap>,
    happened: Vec<Mishap>,
}

impl Mishaps {
    /// They start with more instances.
    pub fn new(random: Random) -> Self {
        Self { random, next: vec![Mishap::Scale(2), Mishap::Scale(3)], happened: Vec::new() }
    }

    /// How often it happened.
    pub fn count(&self, mishap: Mishap) -> usize {
        self.happened.iter().filter(|happened| **happened == mishap).count()
    }

    /// A short while.
    pub fn wait(&mut self) -> Duration {
        Duration::from_millis(500 + self.random.below(3_000))
    }

    /// The next mishap, from its beginning to its end.
    pub fn happen(&mut self, ground: &mut Ground<'_, '_>) -> Mishap {
        let Ground { broker, proxy, fleet } = ground;
        if self.next.is_empty() {
            self.next.extend(Mishap::ALL);
            self.next.extend([Mishap::Kill, Mishap::Kill, Mishap::Zombie, Mishap::Scale(1)]);
        }
        let chosen = if self.happened.is_empty() { 1 } else { self.random.below(self.next.len() as u64) as usize };
        let mishap = self.next.swap_remove(chosen);
        let index = self.random.below(fleet.len() as u64) as usize;
        match mishap {
            Mishap::Kill => fleet.kill(index, true),
            Mishap::KillAndLose => fleet.kill(index, false),
            Mishap::Zombie => zombie(broker, fleet, index),
            Mishap::BrokerKill => broker.restart(),
            Mishap::BrokerStop => {
                broker.stop();
                broker.restart();
            }
            Mishap::BrokerDown => {
                broker.kill();
                sleep(DOWN);
                broker.restart();
            }
            Mishap::BrokerHangs => {
                broker.suspend();
                sleep(HANGS);
                broker.resume();
            }
            Mishap::CutOff => {
                assert!(proxy.cut_off() > 0, "nobody was connected");
                sleep(LONGER_THAN_A_SESSION);
                proxy.let_through();
            }
            Mishap::Scale(count) => fleet.scale(count),
        }
        self.happened.push(mishap);
        mishap
    }
}

fn zombie(broker: &Broker, fleet: &Fleet<'_>, index: usize) {
    let (instance, client) = fleet.get(index);
    let (before, started) = (broker.members_given_up(&client), Instant::now());
    let is_given_up = || broker.members_given_up(&client) != before;
    loop {
        let stopped = Instant::now();
        instance.signal("STOP");
        while stopped.elapsed() < LONGER_THAN_A_SESSION || (stopped.elapsed() < 2 * LONGER_THAN_A_SESSION && !is_given_up()) {
            sleep(Duration::from_millis(200));
        }
        instance.signal("CONT");
        if is_given_up() {
            return;
        }
        // It was in no group, as for a while after a restart of the broker: it joins first.
        assert!(started.elapsed() < LONG, "the groups never give {client} up");
        sleep(JOINING);
    }
}
