//! The operations of the API.

use crate::resource::Path;
use crate::{
    adjustment, allocation, backorder, batch, bulk, event, goods_return, health, key, metrics_route, order, pick_list,
    problem_type, product, shipment, stock_count, whoami,
};

/// Returns the documented paths. The router tries them in this order, and most requests are for allocations.
pub(crate) fn all() -> Vec<Path> {
    let mut paths = Vec::new();
    paths.extend(allocation::routes());
    paths.extend(bulk::routes());
    paths.extend(order::routes());
    paths.extend(batch::routes());
    paths.extend(adjustment::routes());
    paths.extend(goods_return::routes());
    paths.extend(product::routes());
    paths.extend(backorder::routes());
    paths.extend(event::routes());
    paths.extend(pick_list::routes());
    paths.extend(shipment::routes());
    paths.extend(stock_count::routes());
    paths.extend(key::routes());
    paths.extend(whoami::routes());
    paths.extend(health::routes());
    paths.extend(metrics_route::routes());
    paths.extend(problem_type::routes());
    paths
}
