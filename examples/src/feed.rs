//! A reader of the feed over HTTP, page after page.

use crate::picture::{CloudEvent, Picture};
use anyhow::{Context, bail};
use std::env;
use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::Duration;

/// The seconds that the service waits for the next event before it returns an empty page.
const WAIT: u8 = 20;

/// The pause before a request to an unavailable service is repeated.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the events of the service at `base`, such as `http://127.0.0.1:8000`, from the start.
///
/// Sends the key in the variable `ALLOCATION_KEY`, if it is set. Calls `changed` whenever the picture has changed, and ends when it returns `Break`. While the service is
/// unavailable, requests are repeated.
///
/// # Errors
///
/// Returns an error when the service rejects a request, such as with 410 when the next events are no longer
/// retained.
pub fn follow_feed(base: &str, mut changed: impl FnMut(&Picture) -> ControlFlow<()>) -> anyhow::Result<()> {
    let mut picture = Picture::default();
    let mut page = format!("/events?limit=1000&wait={WAIT}");
    loop {
        let (events, next) = match read(&format!("{base}{page}")) {
            Ok(read) => read,
            Err(ureq::Error::StatusCode(status @ 400..500)) => bail!("the service answers {status}"),
            Err(error) => {
                eprintln!("{error}; trying again");
                sleep(PAUSE);
                continue;
            }
        };
        page = next.context("the answer has no next page")?;
        let mut news = false;
        for event in events {
            news |= picture.count(event);
        }
        if news && changed(&picture).is_break() {
            return Ok(());
        }
    }
}

/// Returns the events of a page, and the path of the next page.
fn read(page: &str) -> Result<(Vec<CloudEvent>, Option<String>), ureq::Error> {
    let mut request = ureq::get(page);
    if let Ok(key) = env::var("ALLOCATION_KEY") {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let mut answer = request.call()?;
    let next = answer.headers().get("link").and_then(|link| next_page(link.to_str().ok()?));
    Ok((answer.body_mut().read_json()?, next))
}

/// Returns the path in `<path>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| path.to_owned())
}
