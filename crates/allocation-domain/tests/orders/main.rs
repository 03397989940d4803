//! The invariants after any history of orders, batches, holds, pick lists and counts over several products. A store in
//! between restores only part of their rows.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod checks;
mod command;
mod counting;
mod picking;
mod store;
mod turns;
mod world;

use command::{Unit, busy_units, units};
use proptest::prelude::*;
use world::World;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// After each command: units are conserved, nothing is oversold, no line is lost or overtaken, no line waits for
    /// units that it could take, no expired hold counts, an order is placed whole or not at all, pick lists agree
    /// with allocations, and no pick is undone. After each unit of work: a partially loaded product has decided like
    /// a complete one, the saved rows are the product, and the events alone give the same state.
    #[test]
    fn the_rules_hold_after_every_history(history in units()) {
        let mut world = World::default();
        for unit in &history {
            world.run(unit);
        }
    }

    /// The same with many picks.
    #[test]
    fn the_rules_hold_in_a_busy_warehouse(history in busy_units()) {
        let mut world = World::default();
        for unit in &history {
            world.run(unit);
        }
    }

    /// The number of commands in a unit of work does not change the result.
    #[test]
    fn commands_in_one_unit_of_work_are_decided_as_one_by_one(history in prop_oneof![units(), busy_units()]) {
        let (mut grouped, mut single) = (World::default(), World::default());
        for unit in &history {
            grouped.run(unit);
            for (number, command) in unit.commands.iter().enumerate() {
                let one = Unit { commands: vec![command.clone()], ..*unit };
                if number == 0 { single.run(&one) } else { single.run_locked(&one) }
            }
        }
        prop_assert_eq!(grouped.store.state(), single.store.state());
    }
}
