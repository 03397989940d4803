//! What an orchestrator asks: is the process alive, can it serve.

use crate::answer;
use crate::api::Api;
use crate::openapi::document;
use crate::problem::{Kind, Problem};
use crate::resource::Path;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use allocation_ports::{MOST_CLOCK_DIFFERENCE, SchemaState};
use chrono::TimeDelta;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Says that all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: what is not well is a problem.
    #[schema(example = "ok")]
    status: &'static str,
}

const WELL: Health = Health { status: "ok" };

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    Path::new("/livez").get(livez).register(cfg);
    Path::new("/readyz").get(readyz).register(cfg);
}

document!(ReadinessProblems: SchemaNotCurrent, ClockOff, DatabaseUnavailable, Overloaded, InternalError);

/// Tell whether the process is alive
///
/// It asks nothing of the database. Parameters of the query are ignored: probes add some to get past
/// caches.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "getLiveness",
    tag = "Service",
    responses((status = 200, description = "The process is alive", body = Health)),
)]
pub(crate) async fn livez() -> Result<HttpResponse, Problem> {
    answer::json(StatusCode::OK, &WELL)
}

/// Tell whether requests can be served
///
/// They can when the database answers, its schema is the one this version was built for, and the clock of
/// the process differs from that of the database by two seconds at most.
/// Parameters of the query are ignored.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "getReadiness",
    tag = "Service",
    responses((status = 200, description = "Requests can be served", body = Health), ReadinessProblems),
)]
pub(crate) async fn readyz(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let readiness = Arc::clone(&api.readiness);
    let schema = api.probe.run(&request, move || readiness.schema()).await?;
    match schema {
        SchemaState::Current => {}
        SchemaState::Older | SchemaState::Newer => return Err(Problem::of(Kind::SchemaNotCurrent)),
    }
    check_clock(api.readiness.clock_ahead())?;
    answer::json(StatusCode::OK, &WELL)
}

/// Refuses to be ready with a clock that is wrong.
fn check_clock(ahead: TimeDelta) -> Result<(), Problem> {
    if ahead.abs() <= MOST_CLOCK_DIFFERENCE {
        return Ok(());
    }
    let direction = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
    let seconds = grouped(ahead.num_milliseconds().unsigned_abs().saturating_add(500) / 1_000);
    Err(Problem::new(Kind::ClockOff, format!("The clock is off by {seconds} s: {direction} that of the database")))
}

/// A number with a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
