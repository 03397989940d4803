//! Over HTTP: page after page, for ever.

use crate::picture::{CloudEvent, Picture};
use anyhow::Context;
use std::ops::ControlFlow;

/// How many seconds the service may wait for the next event before it answers that there is none.
const WAIT: u8 = 20;

/// Follows the events of the service at `base`, such as `http://127.0.0.1:8000`, from the start, until
/// `changed` says so. It is told whenever the picture has changed.
///
/// # Errors
///
/// When the service does not answer.
pub fn follow_feed(base: &str, mut changed: impl FnMut(&Picture) -> ControlFlow<()>) -> anyhow::Result<()> {
    let mut picture = Picture::default();
    let mut page = format!("/events?limit=1000&wait={WAIT}");
    loop {
        let mut answer = ureq::get(format!("{base}{page}")).call().context("the service does not answer")?;
        let next = answer.headers().get("link").and_then(|link| next_page(link.to_str().ok()?));
        page = next.context("the answer has no next page")?;
        let events: Vec<CloudEvent> = answer.body_mut().read_json()?;
        let mut news = false;
        for event in events {
            news |= picture.count(event);
        }
        if news && changed(&picture).is_break() {
            return Ok(());
        }
    }
}

/// The path in `<path>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| path.to_owned())
}
