//! Availability of products.

mod series;

pub(crate) use series::Availability;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::path_identifier;
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::respond;
use crate::{eta, quantity};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::{Quantity, Sku};
use allocation_ports::Queries;
use chrono::NaiveDate;

document!(AvailabilityProblems: Validation, ProductNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// The query parameters.
struct Params {
    /// The quantity whose earliest date is requested.
    qty: Option<Quantity>,
    /// The day whose available units are requested.
    by: Option<NaiveDate>,
}

/// Get availability
///
/// Returns the units available to promise by date. They are not reserved: another order may take them before
/// yours does. Units of overdue batches are available today at the earliest.
#[utoipa::path(
    get,
    path = "/products/{sku}/availability",
    operation_id = "getAvailability",
    tag = "Products",
    params(
        ("sku" = Identifier, Path, description = "The product", example = "RED-CHAIR"),
        ("qty" = Option<i32>, Query, minimum = 1, description = "Also return the earliest date on which this many units are available"),
        ("by" = Option<String>, Query, format = Date, description = "Also return the units available on this day"),
    ),
    responses(
        (status = 200, description = "The available units by date", body = Availability<'_>, example = json!({
            "sku": "RED-CHAIR",
            "series": [{ "eta": null, "available": 5 }, { "eta": "2027-01-15", "available": 15 }],
            "qty": 10, "earliest": { "eta": "2027-01-15" }, "by": "2027-01-14", "available_by": 5
        })),
        AvailabilityProblems,
    ),
)]
pub(crate) async fn availability(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let params = Params { qty: query.take("qty", quantity::parse), by: query.take("by", eta::parse_day) };
    let sku: Sku = path_identifier::beside_query(&request, query, "sku")?;
    let today = api.today();
    let read = move |queries: &dyn Queries, now| match queries.availability(&sku, now)? {
        Some(found) => respond::bytes(&Availability::of(&sku, &found.promised_on(today), &params)),
        None => Err(Problem::product_not_found(&sku)),
    };
    Ok(respond::builder(StatusCode::OK).body(api.read(&request, read).await?))
}

#[cfg(test)]
mod tests;
