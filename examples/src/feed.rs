//! Over HTTP: page after page, for ever.

use crate::picture::{CloudEvent, Picture};
use anyhow::{Context, bail};
use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::Duration;

/// How many seconds the service may wait for the next event before it answers that there is none.
const WAIT: u8 = 20;

/// How long to wait for a service that is away.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the events of the service at `base`, such as `http://127.0.0.1:8000`, from the start, until
/// `changed` says so. It is told whenever the picture has changed. A service that is away is asked again.
///
/// # Errors
///
/// When the service refuses to answer, as it does to a reader who was away for longer than it retains
/// events (410).
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

/// The events of a page, and where the next one is.
fn read(page: &str) -> Result<(Vec<CloudEvent>, Option<String>), ureq::Error> {
    let mut answer = ureq::get(page).call()?;
    let next = answer.headers().get("link").and_then(|link| next_page(link.to_str().ok()?));
    Ok((answer.body_mut().read_json()?, next))
}

/// The path in `<path>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (path, rest) = link.strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| path.to_owned())
}
