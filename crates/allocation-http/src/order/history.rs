//! The history of an order.

mod describe;
mod entry;
mod schema;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse};
use crate::path_identifier;
use crate::percent::encode;
use crate::problem::{Problem, document};
use crate::query::Query;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_domain::OrderId;
use allocation_ports::{EventCursor, PageSize, Queries, StoreError, Subject};
use entry::HistoryEntry;

document!(OrderHistoryProblems: Validation, OrderNotFound, Overloaded, DatabaseUnavailable, InternalError);

/// Get order history
///
/// Returns the events of its lines, oldest first, as far as they are retained.
#[utoipa::path(
    get,
    path = "/orders/{order_id}/history",
    operation_id = "getOrderHistory",
    tag = "Orders",
    params(("order_id" = Identifier, Path, description = "The order", example = "O-7"), PageParamsSchema),
    responses(
        (status = 200, description = "A page of events", body = Vec<HistoryEntry<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([
                { "at": "2027-01-10T08:00:00.250000Z", "event": "line_placed", "sku": "LAMP", "by": "key:3kVdR0sUwQa",
                    "qty": 2, "expires_at": "2027-01-10T08:10:00.250000Z", "priority": 0, "on_shortage": "reject",
                    "allow_split": true, "detail": "2 units ordered, to be held until 2027-01-10T08:10:00.250000Z" },
                { "at": "2027-01-10T08:00:00.250000Z", "event": "allocated", "sku": "LAMP", "by": "key:3kVdR0sUwQa",
                    "reference": "B-5", "qty": 2, "reason": "new_line", "detail": "2 units allocated from batch B-5" }
            ])),
        OrderHistoryProblems,
    ),
)]
pub(crate) async fn history(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let page = PageRequest::take(&mut query);
    let order_id = path_identifier::beside_query(&request, query, "order_id")?;
    let page = api.read(&request, move |queries, _| read_page(queries, &order_id, page)).await?;
    Ok(page.into())
}

fn read_page(
    queries: &dyn Queries,
    order_id: &OrderId,
    page: PageRequest<EventCursor>,
) -> Result<PageResponse, Problem> {
    let subject = Subject::Order(order_id.clone());
    let rows = queries.history(&subject, page.after.clone(), page.size)?;
    if rows.is_empty() && !is_known(queries, order_id, &subject)? {
        return Err(Problem::order_not_found(order_id));
    }
    let next = page::next(page.size, &rows, |after, size| queries.history(&subject, after, size))?;
    let path = format!("/orders/{}/history", encode(order_id.as_str()));
    page.response(&path, &rows.iter().map(HistoryEntry::from).collect::<Vec<_>>(), next)
}

/// Returns whether the order exists or has existed: a deallocated standalone line is removed, but its
/// history is not.
fn is_known(queries: &dyn Queries, order_id: &OrderId, subject: &Subject) -> Result<bool, StoreError> {
    Ok(queries.order(order_id)?.is_some() || !queries.history(subject, None, PageSize::ONE)?.is_empty())
}

#[cfg(test)]
mod tests;
