//! What subscribers are promised: schemas that are true, topics as they are described, and nothing taken away again.

mod asyncapi;
mod compare;
mod compatible;
mod complete;
mod current;
mod openapi;
mod outputs;
mod real;
mod subscribers;
mod topics;
