//! The contract suite in memory: the tests of the suite for SQL databases that run no SQL of their own.
//!
//! Both crates compile the same tests, each with its own `database`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(unreachable_pub, reason = "a test's modules have no public")]
#![expect(dead_code, reason = "tests and words of the suite that need SQL are left out")]

macro_rules! suite {
    ($($module:ident: $($test:ident),+ $(,)?;)+) => {
        mod memory {
            $(mod $module {
                $(#[test] fn $test() { crate::$module::$test(crate::database::TestDatabase::memory()); })+
            })+
        }
    };
}

#[path = "../../allocation-adapters-diesel/tests/contract/concurrency.rs"]
mod concurrency;
#[path = "contract/database.rs"]
mod database;
#[path = "../../allocation-adapters-diesel/tests/contract/event_log.rs"]
mod event_log;
#[path = "../../allocation-adapters-diesel/tests/contract/expiry.rs"]
mod expiry;
#[path = "../../allocation-adapters-diesel/tests/contract/lists.rs"]
mod lists;
#[path = "../../allocation-adapters-diesel/tests/contract/locking.rs"]
mod locking;
#[path = "../../allocation-adapters-diesel/tests/contract/order_lines.rs"]
mod order_lines;
#[path = "../../allocation-adapters-diesel/tests/contract/orders.rs"]
mod orders;
#[path = "../../allocation-adapters-diesel/tests/contract/pick_lists.rs"]
mod pick_lists;
#[path = "../../allocation-adapters-diesel/tests/contract/picking.rs"]
mod picking;
#[path = "../../allocation-adapters-diesel/tests/contract/queries.rs"]
mod queries;
#[path = "../../allocation-adapters-diesel/tests/contract/relay.rs"]
mod relay;
#[path = "../../allocation-adapters-diesel/tests/contract/round_trips.rs"]
mod round_trips;
#[path = "../../allocation-adapters-diesel/tests/contract/saving.rs"]
mod saving;
#[path = "../../allocation-adapters-diesel/tests/contract/shop.rs"]
mod shop;
#[path = "../../allocation-adapters-diesel/tests/contract/units_of_work.rs"]
mod units_of_work;
#[path = "../../allocation-adapters-diesel/tests/contract/world.rs"]
mod world;

suite! {
    units_of_work:
        readers_see_nothing_of_a_unit_before_its_commit,
        a_unit_that_failed_cannot_be_committed,
        a_unit_without_changes_writes_nothing,
        a_unit_in_a_panicking_thread_is_rolled_back;
    locking:
        products_locked_by_others_are_returned_without_a_wait_and_the_rest_is_locked,
        a_product_that_was_unlocked_just_now_is_locked_as_it_is,
        a_sku_without_a_product_is_left_out_unless_it_is_to_be_created,
        every_lock_increments_the_version,
        only_the_most_preferred_open_batches_are_loaded,
        all_open_batches_can_be_loaded_afterwards,
        named_batches_and_lines_are_loaded_whatever_they_hold,
        several_products_are_loaded_each_with_its_own,
        a_lock_excludes_others_and_sees_what_they_committed,
        a_lock_blocks_other_products_only_under_a_single_writer,
        batches_are_found_by_reference;
    saving:
        a_batch_is_added,
        a_line_is_stored_in_one_batch_or_split,
        a_released_line_is_removed,
        a_batch_can_be_removed_and_added_again,
        several_products_are_saved_in_one_unit,
        a_reference_under_another_sku_is_a_conflict,
        a_batch_that_vanished_is_a_broken_invariant,
        a_second_allocation_of_a_line_is_a_broken_invariant;
    round_trips:
        identifiers_of_every_kind_round_trip,
        the_longest_identifiers_fit,
        dates_and_instants_round_trip,
        the_greatest_quantities_fit;
    lists:
        batches_are_listed_in_the_order_they_were_added,
        batches_of_one_sku_are_listed;
    orders:
        an_order_is_added_once,
        orders_with_lines_are_returned,
        an_order_that_has_ended_gets_no_line_of_another_product,
        an_order_over_several_products_is_placed_and_cancelled_in_one_unit;
    order_lines:
        lines_of_every_kind_round_trip,
        every_lock_loads_expired_holds_for_the_next_line,
        the_queue_is_loaded_in_pages_in_its_order,
        new_units_serve_the_queue_in_its_order,
        a_corrected_batch_keeps_its_lines,
        a_batch_that_a_line_holds_units_of_is_loaded_on_demand;
    pick_lists:
        a_list_takes_firm_units_in_stock_that_are_on_no_list,
        the_first_lines_of_the_first_batches_are_found,
        a_thousand_batches_are_passed_over_for_the_one_in_stock,
        a_list_is_added_once_and_found_with_its_lines,
        the_criteria_of_a_list_are_stored,
        pick_lines_outlive_their_order_line_and_their_batch;
    queries:
        reads_after_a_random_history_agree_with_the_domain,
        missing_rows_are_not_found,
        the_largest_order_is_read_whole,
        the_availability_of_a_thousand_open_batches_counts_them_all;
    expiry:
        products_with_expired_holds_are_found_once_in_the_order_of_their_expiry,
        expired_holds_are_invisible_before_they_are_released;
    concurrency:
        writers_of_one_line_allocate_it_once,
        of_two_batches_with_one_reference_one_is_added,
        a_moving_order_is_never_seen_partially;
    relay:
        progress_is_atomic_and_the_checkpoint_never_decreases,
        a_relay_without_the_lease_writes_nothing,
        parked_events_are_marked_to_be_sent_again,
        parked_events_beyond_the_retention_are_removed,
        effects_of_commands_are_found_before_and_after_sequencing;
    event_log:
        a_lease_has_one_holder_until_it_expires,
        a_holder_that_has_lost_its_lease_writes_nothing,
        old_events_are_pruned_from_the_start_and_reported_to_readers,
        a_cursor_beyond_the_log_is_reported;
}
