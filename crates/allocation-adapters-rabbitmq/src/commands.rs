//! Commands in.

mod command;
mod envelope;
mod problem;
