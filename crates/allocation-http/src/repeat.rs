//! Requests that are sent again long after another request may have undone their effect.
//!
//! Most repeats need no key: names identify them. A key is stored as the cause of the events of its request, so a repeat is
//! recognized for as long as events are retained. A request that changed nothing has caused no event, and is decided again.
//! The lookup and the decision are two steps, as for commands from the broker: of two requests with one key at once, the
//! second finds the state as requested.

use crate::api::Api;
use crate::idempotency_key;
use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use allocation_app::UseCaseError;
use allocation_domain::{Event, Outcome};
use allocation_ports::StoreError;

/// Returns whether a request was carried out before, as its key and the events of that show. Without a key it was not.
/// `effects` are the names of the events to look for, and `concerns` returns whether one is the effect of this request.
pub(crate) async fn is_repeat(
    api: &Api,
    request: &HttpRequest,
    effects: &'static [&'static str],
    concerns: impl Fn(&Event) -> bool + Send + 'static,
) -> Result<bool, Problem> {
    let (Some(key), Some(port)) = (idempotency_key::parse(request)?, api.effects.clone()) else { return Ok(false) };
    let caused = move || {
        let asked: Vec<_> = effects.iter().map(|effect| (key.clone(), *effect)).collect();
        let events = port.caused_by(&asked)?;
        Ok::<_, StoreError>((events.is_empty(), events.iter().any(|(_, event)| concerns(event))))
    };
    // Boxed, or the future of every request would have room for it.
    match Box::pin(api.gate.run(request, caused)).await? {
        (true, _) => Ok(false),
        (false, true) => Ok(true),
        (false, false) => Err(Problem::of(Kind::IdempotencyKeyReused)),
    }
}

/// Returns the current state, if a dry run of a repeat finds that its effect is still there.
pub(crate) fn unchanged<T, R>(dry_run: Result<Outcome<T>, UseCaseError<R>>) -> Result<T, Problem> {
    match dry_run {
        Ok(Outcome::Unchanged(state)) => Ok(state),
        Ok(Outcome::Changed(_)) | Err(UseCaseError::Refused(_)) => Err(Problem::of(Kind::AlreadyUndone)),
        Err(UseCaseError::Store(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
