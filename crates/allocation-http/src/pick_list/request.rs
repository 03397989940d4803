mod max_lines;
mod names;

use crate::body::{Body, Given};
use crate::identifier;
use crate::identifier::Identifier;
use crate::validation_error::ValidationErrors;
use allocation_domain::{BatchReference, NewPickList, OrderId, PickCriteria, PickListId, Sku};
use deserr::Deserr;
use max_lines::MaxLines;
use names::Names;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A new pick list, with the units that match all given criteria.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = ValidationErrors, deny_unknown_fields)]
#[schema(as = NewPickList)]
pub(crate) struct ListToMake {
    /// The id of the list. With an id, repeating the request changes nothing. Without one, the service
    /// generates an id, and every request creates a list.
    #[serde(default, deserialize_with = "name")]
    #[deserr(default)]
    #[schema(value_type = Identifier, required = false)]
    pick_list_id: Given<PickListId>,
    /// Only units of these batches.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    references: Given<Names<BatchReference>>,
    /// Only units of these SKUs.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    skus: Given<Names<Sku>>,
    /// Only units for these orders.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = Vec<Identifier>, required = false, min_items = 1, max_items = 1000)]
    order_ids: Given<Names<OrderId>>,
    /// The maximum number of lines.
    #[serde(default)]
    #[deserr(default)]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 1000, default = 1000)]
    max_lines: Given<MaxLines>,
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Given<PickListId>, D::Error> {
    identifier::deserialize(deserializer).map(|name| Given(Some(name)))
}

/// A new pick list that may still need an id.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct Unnamed {
    pub(super) list_id: Option<PickListId>,
    criteria: PickCriteria,
    max_lines: MaxLines,
}

impl Unnamed {
    /// Returns the list with an id.
    pub(super) fn named(self, list_id: PickListId) -> NewPickList {
        self.max_lines.limit(NewPickList::new(list_id, self.criteria))
    }
}

impl Body for ListToMake {
    /// Three criteria of 1,000 identifiers of 255 characters take 8.8 MiB when each is escaped as a surrogate pair.
    const MAX_BYTES: usize = 10 * 1024 * 1024;

    type Content = Unnamed;

    fn content(self) -> Result<Unnamed, ValidationErrors> {
        let criteria = PickCriteria {
            references: self.references.0.map(Names::into_set),
            skus: self.skus.0.map(Names::into_set),
            order_ids: self.order_ids.0.map(Names::into_set),
        };
        let max_lines = self.max_lines.0.unwrap_or_default();
        Ok(Unnamed { list_id: self.pick_list_id.0, criteria, max_lines })
    }
}
