//! The binary beside a real Kafka: what it publishes is the replay of its journal, whatever dies.

mod keeping;
mod straight;
mod support;
