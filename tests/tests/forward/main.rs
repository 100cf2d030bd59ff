//! `bellwether forward` as the binary, with real receivers over HTTP, from a signals file and from a real Kafka.

mod answers;
mod crash;
mod digest;
mod file;
mod receiver;
mod setup;
mod tls;
mod topic;
