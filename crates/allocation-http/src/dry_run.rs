//! Dry runs of writes.

use crate::query::Query;

/// Takes the parameter `dry_run`: whether the request only asks what would be returned.
pub(crate) fn take(query: &mut Query) -> bool {
    query.take("dry_run", parse).unwrap_or(false)
}

fn parse(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false"),
    }
}
