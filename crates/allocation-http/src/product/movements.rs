//! The movements of a product.

mod movement;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{MovementCursor, PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Problem, document};
use crate::query::Query;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::Sku;
use allocation_ports::Queries;
use chrono::{DateTime, Utc};
use movement::Movement;

document!(MovementsProblems: Validation, ProductNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// Get product movements
///
/// Returns what has changed the units of a product, oldest first, as far as the events are retained: batches that were
/// added, restocked, corrected, adjusted, received or deleted, and units that were missing, found or shipped. The sum
/// of all changes is `in_stock` plus `on_its_way` of the product. A movement is listed once its event is in the log,
/// usually within a second.
///
/// A page that is not the last may be shorter than `limit`.
#[utoipa::path(
    get,
    path = "/products/{sku}/movements",
    operation_id = "getProductMovements",
    tag = "Products",
    params(("sku" = Identifier, Path, description = "The product", example = "RED-CHAIR"), PageParamsSchema),
    responses(
        (status = 200, description = "A page of movements", body = Vec<Movement<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([
                { "at": "2027-01-10T08:00:00.250000Z", "event": "batch_added", "reference": "B-1", "change": 5,
                    "eta": null, "by": "key:3kVdR0sUwQa" },
                { "at": "2027-01-12T16:30:00Z", "event": "batch_adjusted", "reference": "B-1", "change": -1,
                    "adjustment_id": "DAMAGE-12", "reason": "damaged", "by": "key:3kVdR0sUwQa" },
                { "at": "2027-01-13T09:12:30Z", "event": "shipped", "reference": "B-1", "change": -2,
                    "order_id": "O-7", "pick_list_id": "P-1", "line": 1, "by": "key:3kVdR0sUwQa" }
            ])),
        MovementsProblems,
    ),
)]
pub(crate) async fn movements(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    let sku: Sku = path_identifier::beside_query(&request, query, "sku")?;
    let page = api.read(&request, move |queries, now| read_page(queries, &sku, page, now)).await?;
    Ok(page.into())
}

fn read_page(
    queries: &dyn Queries,
    sku: &Sku,
    page: PageRequest<MovementCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let found = queries.movements(sku, page.after.as_ref().map_or(0, |after| after.0), page.size)?;
    if found.movements.is_empty() && queries.product(sku, now)?.is_none() {
        return Err(Problem::product_not_found(sku));
    }
    let rows: Vec<_> = found.movements.iter().map(|(_, recorded)| Movement::from(recorded)).collect();
    page.response(&format!("/products/{}/movements", encode(sku.as_str())), &rows, found.next.map(MovementCursor))
}

#[cfg(test)]
mod tests;
