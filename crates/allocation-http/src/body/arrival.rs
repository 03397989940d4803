//! Receives bodies within their limits of size, time and shared memory.

use crate::api::Api;
use crate::body_memory::Share;
use crate::connection::ConnectionState;
use crate::problem::{Kind, Problem};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::rt::time::{Instant, timeout};
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::{FutureExt, StreamExt};
use std::future::poll_fn;
use std::mem::take;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

/// The time for a body to arrive; a longer transfer must keep up [`MIN_BYTES_PER_SECOND`].
const BODY_TIME: Duration = Duration::from_secs(10);

/// The minimum rate of a body once [`BODY_TIME`] is over.
const MIN_BYTES_PER_SECOND: usize = 64 * 1024;

/// The size up to which a body is not counted in flight: the connection limit bounds small bodies.
const SMALL_BYTES: usize = 4 * 1024;

/// Reads the whole body of a request, of at most `limit` bytes.
pub(super) async fn collect(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    within(limit, announced(request.headers()))?;
    let body = read(request, payload, limit).await?;
    if let Some(state) = request.conn_data::<Rc<ConnectionState>>() {
        state.body_was_read(&body, request.headers().contains_key(TRANSFER_ENCODING));
    }
    Ok(body)
}

async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let first = first_piece(&mut payload).await;
    let second = if first.is_some() { payload.next().now_or_never() } else { None };
    match (first, second) {
        // A small body usually comes in one piece, with its head. It needs no timer, no copy and no share.
        (Some(None), _) => Ok(Bytes::new()),
        (Some(Some(Ok(body))), Some(None)) if body.len() <= SMALL_BYTES => within(limit, body.len()).map(|()| body),
        // Boxed, or the future of every request would have room for it.
        (first, second) => Box::pin(await_rest(request, payload, [first, second], limit)).await,
    }
}

/// Returns the first piece of a body, `None` if it has not arrived yet.
///
/// The server calls a handler once it has read the head, and only then reads a body that came along with it. Such a
/// body is there when the handler runs for the second time.
async fn first_piece(payload: &mut Payload) -> Option<Option<Result<Bytes, PayloadError>>> {
    let mut is_first_run = true;
    poll_fn(|cx| match payload.poll_next_unpin(cx) {
        Poll::Ready(piece) => Poll::Ready(Some(piece)),
        Poll::Pending if take(&mut is_first_run) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Reads a body of which up to two pieces have arrived.
async fn await_rest(
    request: &HttpRequest,
    mut payload: Payload,
    arrived: [Option<Option<Result<Bytes, PayloadError>>>; 2],
    limit: usize,
) -> Result<Bytes, Problem> {
    let mut arriving = Arriving::of(request, limit)?;
    for piece in arrived.into_iter().flatten().flatten() {
        arriving.push(&piece.map_err(cut_off)?)?;
    }
    while let Some(piece) = next_piece(&mut payload, arriving.time_left()).await? {
        arriving.push(&piece)?;
    }
    Ok(arriving.keep(request))
}

/// Returns the next piece of a body, `None` at its end.
async fn next_piece(payload: &mut Payload, time: Duration) -> Result<Option<Bytes>, Problem> {
    let piece = timeout(time, payload.next()).await.map_err(|_| too_slow())?;
    piece.transpose().map_err(cut_off)
}

/// A partially received body.
struct Arriving {
    begun: Instant,
    bytes: Vec<u8>,
    share: Share,
    limit: usize,
}

impl Arriving {
    fn of(request: &HttpRequest, limit: usize) -> Result<Self, Problem> {
        let api = request.app_data::<Data<Api>>().ok_or_else(|| Problem::of(Kind::InternalError))?;
        Ok(Self { begun: Instant::now(), bytes: Vec::new(), share: api.bodies.share(), limit })
    }

    /// Appends a piece. The buffer at least doubles when it grows, to bound copying; its whole capacity counts.
    fn push(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let needed = self.bytes.len().saturating_add(piece.len());
        within(self.limit, needed)?;
        if needed > self.bytes.capacity() {
            let capacity = needed.max(2 * self.bytes.capacity()).max(SMALL_BYTES).min(self.limit);
            if capacity > SMALL_BYTES {
                self.share.grow_to(capacity)?;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Returns the time that the next piece may take.
    fn time_left(&self) -> Duration {
        let seconds = u64::try_from(self.bytes.len() / MIN_BYTES_PER_SECOND).unwrap_or(u64::MAX);
        BODY_TIME.saturating_add(Duration::from_secs(seconds)).saturating_sub(self.begun.elapsed())
    }

    /// Returns the body. Its bytes count as in flight until the request finishes.
    fn keep(self, request: &HttpRequest) -> Bytes {
        if self.bytes.len() > SMALL_BYTES {
            request.extensions_mut().insert(self.share);
        }
        self.bytes.into()
    }
}

/// Returns the announced length of the body; 0 if it is not announced.
fn announced(headers: &HeaderMap) -> usize {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or_default()
}

fn too_slow() -> Problem {
    let (seconds, rate) = (BODY_TIME.as_secs(), MIN_BYTES_PER_SECOND / 1024);
    Problem::new(
        Kind::RequestTimeout,
        format!("The body did not come within {seconds} seconds, nor at {rate} KiB a second from then on"),
    )
}

fn within(limit: usize, bytes: usize) -> Result<(), Problem> {
    if bytes <= limit {
        return Ok(());
    }
    Err(Problem::new(Kind::BodyTooLarge, format!("The body of this request may have {} KiB at most", limit / 1024)))
}

fn cut_off(_: PayloadError) -> Problem {
    Problem::new(Kind::MalformedJson, "The body ended before it was complete")
}
