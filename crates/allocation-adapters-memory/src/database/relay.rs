use allocation_ports::ParkedEvent;
use std::collections::BTreeMap;

/// The relay's checkpoint and its parked events by position.
#[derive(Debug, Default)]
pub(crate) struct RelayTable {
    pub(crate) checkpoint: u64,
    pub(crate) parked: BTreeMap<u64, ParkedEvent>,
}
