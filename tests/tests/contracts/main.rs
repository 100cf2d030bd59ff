//! What subscribers are promised: schemas that are true, topics as they are described, and nothing taken away again.

mod asyncapi;
mod compare;
mod compatible;
mod current;
mod mutate;
mod real;
mod schema;
mod subscribers;
mod topics;
mod validate;
