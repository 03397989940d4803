//! The response to a bulk request: a line for each item, and the totals.

use super::item::{Bulk, BulkItem, Done};
use crate::body::Items;
use crate::problem::Problem;
use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use std::convert::Infallible;
use std::rc::Rc;

/// The number of items of one request that are under way at a time, and answers that wait for earlier ones.
pub(super) const WINDOW: usize = 512;

/// The size from which the items under way keep further ones from being taken, in bytes. The list of the errors of
/// an item can be ten times its size.
const WINDOW_BYTES: usize = 256 * 1024;

/// The size from which answers are sent although more are ready, in bytes.
const PIECE_BYTES: usize = 16 * 1024;

/// Returns the lines of the response.
///
/// An item is taken when the stream is polled, which the server does only while the client reads.
pub(super) fn stream<T: BulkItem>(bulk: Bulk, items: Items) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let bulk = Rc::new(bulk);
    let answerer = Rc::clone(&bulk);
    let answer = move |text: Bytes| {
        let bulk = Rc::clone(&answerer);
        async move { (text.len(), bulk.answer::<T>(text).await) }
    };
    let under_way = FuturesOrdered::new();
    let lines = Lines { bulk, items, answer, under_way, bytes: 0, done: 0, failed: 0, is_over: false };
    stream::unfold(Box::pin(lines), |mut lines| async {
        let piece = lines.next_piece().await?;
        Some((Ok(piece), lines))
    })
}

/// The lines of a response.
struct Lines<A, F: Future> {
    bulk: Rc<Bulk>,
    items: Items,
    /// Answers an item, and returns its size with the answer.
    answer: A,
    under_way: FuturesOrdered<F>,
    /// The size of the items under way.
    bytes: usize,
    done: usize,
    failed: usize,
    is_over: bool,
}

impl<A, F> Lines<A, F>
where
    A: FnMut(Bytes) -> F + Unpin,
    F: Future<Output = (usize, Result<Done, Problem>)>,
{
    /// Waits for an answer, and returns it with those that are ready; `None` after the totals.
    async fn next_piece(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let mut next = self.next_answer().await;
        while let Some(answer) = next {
            self.write(&mut piece, answer);
            if piece.len() >= PIECE_BYTES {
                return Some(piece.into());
            }
            match self.next_answer().now_or_never() {
                Some(ready) => next = ready,
                None => return Some(piece.into()),
            }
        }
        self.is_over = true;
        piece.extend_from_slice(format!("{{\"done\":{},\"failed\":{}}}\n", self.done, self.failed).as_bytes());
        Some(piece.into())
    }

    /// Takes the items that the window has room for, and waits for the answer to the oldest one; `None` after the last.
    async fn next_answer(&mut self) -> Option<Result<Done, Problem>> {
        while self.under_way.len() < WINDOW
            && self.bytes < WINDOW_BYTES
            && let Some(text) = self.items.next()
        {
            self.bytes += text.len();
            self.under_way.push_back((self.answer)(text));
        }
        let (bytes, answer) = self.under_way.next().await?;
        self.bytes -= bytes;
        Some(answer)
    }

    fn write(&mut self, piece: &mut Vec<u8>, answer: Result<Done, Problem>) {
        match answer {
            Ok((status, body)) => {
                self.done += 1;
                write_line(piece, status, "body", &body);
            }
            Err(problem) => {
                self.failed += 1;
                write_line(piece, problem.status_code(), "problem", &self.bulk.body_of(&problem));
            }
        }
    }
}

fn write_line(piece: &mut Vec<u8>, status: StatusCode, name: &str, value: &[u8]) {
    for part in [b"{\"status\":", status.as_str().as_bytes(), b",\"", name.as_bytes(), b"\":", value, b"}\n"] {
        piece.extend_from_slice(part);
    }
}
