//! The commands around a Kafka run, as the binary beside a real Kafka.

mod dead_letters;
mod erased;
mod import;
mod inspect;
mod lookup;
mod publish;
mod quiet;
mod ranges;
mod silences;
mod support;
mod topics;
