//! The instances of a product that run at a time.

use std::fs;

use bellwether_tests::product::{Product, Running};

use crate::support::log;

/// Worker threads of each kind in an instance.
const WORKERS: usize = 1;

const NAMES: [&str; 3] = ["i1", "i2", "i3"];

/// Instances, each with a data directory of its own.
pub struct Fleet<'p> {
    product: &'p Product,
    running: Vec<(&'static str, Running)>,
}

impl<'p> Fleet<'p> {
    pub fn new(product: &'p Product) -> Self {
        Self { product, running: Vec::new() }
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Starts or stops instances until so many run. Those that are stopped end in good order.
    pub fn scale(&mut self, count: usize) {
        while self.running.len() < count {
            let is_free = |name: &&&str| !self.running.iter().any(|(running, _)| running == *name);
            let name = NAMES.iter().find(is_free).expect("there is a name for each");
            self.start(name);
        }
        while self.running.len() > count {
            let (name, instance) = self.running.remove(0);
            assert_eq!(instance.stop(), Some(0), "{name} stops\n{}", log(self.product, name));
        }
    }

    /// Kills an instance and starts it again.
    pub fn kill(&mut self, index: usize, keeps_its_data: bool) {
        let (name, instance) = self.running.remove(index);
        instance.kill();
        if !keeps_its_data {
            fs::remove_dir_all(self.product.data(name)).expect("the data can be removed");
        }
        self.start(name);
    }

    /// The instance, and the name of its clients.
    pub fn get(&self, index: usize) -> (&Running, String) {
        let (name, instance) = &self.running[index];
        (instance, format!("{}-{name}", self.product.application))
    }

    /// Stops all of them in good order.
    pub fn stop(&mut self) {
        self.scale(0);
    }

    /// No instance ends by itself, whatever happens around it.
    pub fn assert_alive(&mut self) {
        let ended: Vec<_> = self.running.iter_mut().filter_map(|(name, instance)| Some(format!("{name}: {}", instance.ended()?))).collect();
        assert!(ended.is_empty(), "{ended:?} have ended\n{}", self.logs());
    }

    /// What they logged at last.
    pub fn logs(&self) -> String {
        self.running.iter().map(|(name, _)| format!("{name}:\n{}", log(self.product, name))).collect::<Vec<_>>().join("\n")
    }

    /// What all instances have logged of their transactions and of where they began.
    pub fn told_of_transactions(&self) -> String {
        const WORDS: [&str; 4] = ["WARN", "ERROR", "catching up", "nothing to replay"];
        let is_of_them = |line: &&str| WORDS.iter().any(|word| line.contains(word));
        let told = |name: &str| {
            let text = fs::read_to_string(self.product.log(name)).unwrap_or_default();
            text.lines().filter(is_of_them).map(|line| format!("{name}: {line}\n")).collect::<String>()
        };
        NAMES.into_iter().map(told).collect()
    }

    fn start(&mut self, name: &'static str) {
        self.running.push((name, self.product.start(name, "all", WORKERS)));
    }
}
