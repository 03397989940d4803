//! Backorders.

mod row;

pub(crate) use row::Row;

use crate::answer;
use crate::api::Api;
use crate::identifier::Identifier;
use crate::openapi::document;
use crate::page::{self, Page, PageAnswer, PageParameters};
use crate::problem::Problem;
use crate::query::Query;
use crate::resource::Path;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use allocation_domain::Sku;
use allocation_ports::{BackorderCursor, BackorderFilter, Queries};
use chrono::{DateTime, Utc};

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    Path::new("/backorders").get(list).register(cfg);
}

document!(ListBackordersProblems: Validation, Overloaded, DatabaseUnavailable, InternalError);

/// List the lines that wait
///
/// By SKU, and within it in the order in which they are served: the higher priority first, then the
/// line that was placed first.
#[utoipa::path(
    get,
    path = "/backorders",
    operation_id = "listBackorders",
    tag = "Orders",
    params(("sku" = Option<Identifier>, Query, description = "Only lines of this SKU"), PageParameters),
    responses(
        (status = 200, description = "A page of lines that wait", body = Vec<Row<'_>>,
            headers(("Link" = String, description = "The next page, if there is one: `<...>; rel=\"next\"`")),
            example = json!([{
                "sku": "RED-CHAIR", "position": 1, "order_id": "O-8", "qty": 50, "priority": 5,
                "placed_at": "2027-01-10T08:00:00Z"
            }])),
        ListBackordersProblems,
    ),
)]
pub(crate) async fn list(api: Data<Api>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request);
    let filter = BackorderFilter { sku: query.take("sku", str::parse) };
    let page = Page::take(&mut query);
    query.faults().check(Some(()))?;
    let page = api.search(&request, move |queries, now| read_page(queries, &filter, page, now)).await?;
    Ok(page.into())
}

fn read_page(
    queries: &dyn Queries,
    filter: &BackorderFilter,
    page: Page<BackorderCursor>,
    now: DateTime<Utc>,
) -> Result<PageAnswer, Problem> {
    let rows = queries.backorders(filter, page.after, page.size, now)?;
    let next = page::next(page.size, &rows, |after, size| queries.backorders(filter, after, size, now))?;
    let filters = [("sku", filter.sku.as_ref().map(Sku::as_str))];
    let link = next.and_then(|cursor| page::link("/backorders", &filters, page.size, &cursor));
    Ok(PageAnswer { body: answer::bytes(&rows.iter().map(Row::from).collect::<Vec<_>>())?, link })
}

#[cfg(test)]
mod tests;
