//! Backorders.

mod response;

pub(crate) use response::Row;

use crate::api::Api;
use crate::identifier::Identifier;
use crate::page::{self, PageParamsSchema, PageRequest, PageResponse};
use crate::problem::{Problem, document};
use crate::query::Query;
use crate::resource::Path;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use allocation_access::Scope;
use allocation_ports::{BackorderCursor, BackorderFilter, Queries};
use chrono::{DateTime, Utc};

pub(crate) fn routes() -> [Path; 1] {
    [Path::new("/backorders").get(Scope::Read, list)]
}

document!(ListBackordersProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);

/// List backorders
///
/// Sorted by SKU, then in the order in which the lines are served: higher priority first, then older
/// lines.
#[utoipa::path(
    get,
    path = "/backorders",
    operation_id = "listBackorders",
    tag = "Orders",
    params(("sku" = Option<Identifier>, Query, description = "Only lines of this SKU"), PageParamsSchema),
    responses(
        (status = 200, description = "A page of backorders", body = Vec<Row<'_>>,
            headers(("Link" = String, description = "A link to the next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "sku": "RED-CHAIR", "position": 1, "order_id": "O-8", "qty": 50, "priority": 5,
                "placed_at": "2027-01-10T08:00:00Z"
            }])),
        ListBackordersProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = BackorderFilter { sku: query.take_filter("sku", str::parse) };
    let page = PageRequest::take(&mut query);
    query.finish()?;
    let page = api.search(&request, move |queries, now| read_page(queries, &filter, page, now)).await?;
    Ok(page.into())
}

fn read_page(
    queries: &dyn Queries,
    filter: &BackorderFilter,
    page: PageRequest<BackorderCursor>,
    now: DateTime<Utc>,
) -> Result<PageResponse, Problem> {
    let rows = queries.backorders(filter, page.after.clone(), page.size, now)?;
    let next = page::next(page.size, &rows, |after, size| queries.backorders(filter, after, size, now))?;
    page.response("/backorders", &rows.iter().map(Row::from).collect::<Vec<_>>(), next)
}

#[cfg(test)]
mod tests;
