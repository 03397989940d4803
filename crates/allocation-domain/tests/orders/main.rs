//! What holds after every history of orders, batches, holds and pick lists over several products, with a store
//! in between that restores only part of them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod checks;
mod command;
mod picking;
mod store;
mod turns;
mod world;

use command::{Unit, busy_units, units};
use proptest::prelude::*;
use world::World;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// After each command: units are conserved, nothing is oversold, no line is lost, nobody
    /// overtakes, no line waits for what it could take, no expired hold counts, an order is placed
    /// whole or not at all, pick lists say what is reserved, and what was picked is never undone. After each unit of work: a product of which only part was loaded has
    /// decided as one of which all was, what was written down is the product, and the events alone
    /// tell the same.
    #[test]
    fn the_rules_hold_after_every_history(history in units()) {
        let mut world = World::default();
        for unit in &history {
            world.run(unit);
        }
    }

    /// The same where a lot is picked.
    #[test]
    fn the_rules_hold_in_a_busy_warehouse(history in busy_units()) {
        let mut world = World::default();
        for unit in &history {
            world.run(unit);
        }
    }

    /// The same commands in units of one and in units of many come to the same.
    #[test]
    fn commands_that_share_a_unit_of_work_are_decided_as_one_by_one(history in prop_oneof![units(), busy_units()]) {
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
