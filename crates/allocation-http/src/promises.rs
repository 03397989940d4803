//! The choice between promises that improve and promises that are kept.

use crate::choice::choice_schema;
use allocation_domain::Promises;

choice_schema! {
    /// What lines do when units of an earlier batch come free: they move to it, or keep the date that they were
    /// promised.
    PromisesSchema as "Promises": Promises::NAMES
}
