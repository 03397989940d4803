use crate::body::Body;
use crate::fault::Faults;
use crate::hold;
use allocation_domain::HoldDuration;
use deserr::Deserr;
use serde::Deserialize;
use utoipa::ToSchema;

/// For how long an order is to be held.
#[derive(Deserialize, Deserr, ToSchema)]
#[serde(deny_unknown_fields)]
#[deserr(error = Faults, deny_unknown_fields)]
pub(crate) struct HoldExtension {
    /// For how many seconds from now on.
    #[serde(deserialize_with = "hold::deserialize")]
    #[schema(value_type = i32, minimum = 10, maximum = 86_400, example = 900)]
    hold_seconds: HoldDuration,
}

impl Body for HoldExtension {
    type Content = HoldDuration;

    fn content(self) -> Result<HoldDuration, Faults> {
        Ok(self.hold_seconds)
    }
}
