//! The adapter on a real broker, which `scripts/test` provides.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod publisher;
