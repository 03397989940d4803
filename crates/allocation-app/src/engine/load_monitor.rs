use super::EngineCounters;
use std::sync::Arc;

/// The mean group size from which load is high: commands then arrive faster than commits follow each other.
const HIGH_LOAD_GROUP_SIZE: u64 = 32;

/// Reports to deferrable work whether commands queue up for the engine.
#[derive(Debug)]
pub struct LoadMonitor {
    counters: Arc<EngineCounters>,
    /// Lines and groups at the last check.
    seen: (u64, u64),
}

impl LoadMonitor {
    /// Returns a monitor over the counters of an engine.
    #[must_use]
    pub const fn new(counters: Arc<EngineCounters>) -> Self {
        Self { counters, seen: (0, 0) }
    }

    /// Returns whether the groups since the last check indicate high load.
    pub fn is_overloaded(&mut self) -> bool {
        let groups = self.counters.snapshot().group_size;
        let (lines, count) = (groups.sum - self.seen.0, groups.count - self.seen.1);
        self.seen = (groups.sum, groups.count);
        count > 0 && lines >= count * HIGH_LOAD_GROUP_SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::counters::GroupMeasure;
    use std::time::Duration;

    #[test]
    fn load_is_high_while_groups_are_large() {
        let counters = Arc::new(EngineCounters::default());
        let mut load = LoadMonitor::new(counters.clone());
        let mut decide = |sizes: &[usize]| {
            for lines in sizes {
                let took = Duration::from_millis(5);
                counters.group(GroupMeasure { lines: *lines, refused: 0, waiting: 0, took, failed: false });
            }
            load.is_overloaded()
        };
        assert!(!decide(&[]), "nothing was ever decided");
        assert!(!decide(&[1, 1, 40]));
        assert!(decide(&[60, 60, 4]));
        assert!(!decide(&[]), "that was before the last look");
        assert!(decide(&[32]));
        assert!(!decide(&[31]));
    }
}
