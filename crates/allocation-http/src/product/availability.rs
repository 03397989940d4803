//! What is free of a product, and when.

mod series;

pub(crate) use series::Availability;

use crate::answer;
use crate::api::Api;
use crate::identifier::{Identifier, PathIdentifiers};
use crate::openapi::document;
use crate::problem::Problem;
use crate::query::Query;
use crate::{eta, quantity};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{Quantity, Sku};
use allocation_ports::Queries;
use chrono::NaiveDate;

document!(AvailabilityProblems: Validation, ProductNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// What a client wants to know of the availability.
struct Asked {
    /// From when on so many units are free.
    qty: Option<Quantity>,
    /// How many units are free on a day.
    by: Option<NaiveDate>,
}

/// Tell what is free of a product, and when
///
/// A promise to nobody: what is free now may be allocated to another order by the time yours comes. Units
/// of batches that are overdue come today at the earliest.
#[utoipa::path(
    get,
    path = "/products/{sku}/availability",
    operation_id = "getAvailability",
    tag = "Products",
    params(
        ("sku" = Identifier, Path, description = "The product", example = "RED-CHAIR"),
        ("qty" = Option<i32>, Query, minimum = 1, description = "Also return the earliest date on which this many units are available"),
        ("by" = Option<String>, Query, format = Date, description = "Tell how many units are free on this day"),
    ),
    responses(
        (status = 200, description = "What is free, and when", body = Availability<'_>, example = json!({
            "sku": "RED-CHAIR",
            "series": [{ "eta": null, "available": 5 }, { "eta": "2027-01-15", "available": 15 }],
            "qty": 10, "earliest": { "eta": "2027-01-15" }, "by": "2027-01-14", "available_by": 5
        })),
        AvailabilityProblems,
    ),
)]
pub(crate) async fn availability(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let asked = Asked { qty: query.take("qty", quantity::parse), by: query.take("by", eta::parse_day) };
    let mut path = PathIdentifiers::beside(&request, query);
    let found = path.take(2, "sku");
    let sku: Sku = path.finish(found)?;
    let today = api.today();
    let read = move |queries: &dyn Queries, now| match queries.availability(&sku, now)? {
        Some(found) => answer::bytes(&Availability::of(&sku, &found.promised_on(today), &asked)),
        None => Err(Problem::product_not_found(&sku)),
    };
    Ok(answer::builder(StatusCode::OK).body(api.read(&request, read).await?))
}

#[cfg(test)]
mod tests;
