//! Follows the events over HTTP: `follow-feed http://127.0.0.1:8000`.

use allocation_examples::follow_feed;
use std::ops::ControlFlow;

fn main() -> anyhow::Result<()> {
    let base = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8000".to_owned());
    follow_feed(&base, |picture| {
        println!("{picture}");
        ControlFlow::Continue(())
    })
}
