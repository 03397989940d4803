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
        products_that_others_have_locked_are_told_without_a_wait_and_the_rest_is_locked,
        a_product_that_was_unlocked_just_now_is_locked_as_it_is,
        a_sku_without_a_product_is_left_out_unless_it_is_to_be_created,
        every_lock_counts_the_version_up,
        only_the_most_preferred_open_batches_are_loaded,
        all_open_batches_can_be_loaded_afterwards,
        named_batches_and_lines_are_loaded_whatever_they_hold,
        several_products_are_loaded_each_with_its_own,
        a_lock_excludes_others_and_sees_what_they_committed,
        products_do_not_wait_for_each_other_longer_than_they_must,
        batches_are_found_by_reference;
    saving:
        a_batch_is_added,
        a_line_goes_into_one_batch_or_is_split,
        a_line_is_freed_and_forgotten,
        a_batch_is_removed_and_may_come_back,
        several_products_are_saved_in_one_unit,
        a_reference_under_another_sku_is_a_conflict,
        a_second_allocation_of_a_line_is_a_broken_invariant;
    round_trips:
        identifiers_of_every_kind_come_back_as_they_were,
        the_longest_identifiers_fit,
        dates_and_instants_come_back_as_they_were,
        the_greatest_quantities_fit;
    lists:
        batches_are_listed_in_the_order_they_were_added,
        batches_of_one_sku_are_listed;
    orders:
        an_order_is_added_once,
        orders_that_have_lines_are_told,
        an_order_that_has_ended_gets_no_line_of_another_product,
        an_order_over_several_products_is_placed_and_cancelled_in_one_unit;
    order_lines:
        lines_of_every_kind_come_back_as_they_were,
        every_lock_loads_expired_holds_for_the_next_line,
        the_queue_is_loaded_in_pages_in_its_order,
        units_that_come_go_to_the_queue_in_its_order,
        a_batch_that_is_corrected_takes_its_lines_along,
        a_batch_that_a_line_holds_units_of_is_loaded_on_demand;
    pick_lists:
        a_list_takes_what_is_firm_and_in_stock_and_on_no_list,
        the_first_lines_of_the_first_batches_are_found,
        a_thousand_batches_are_passed_over_for_the_one_in_stock,
        a_list_is_added_once_and_found_with_its_lines,
        what_a_list_was_asked_to_be_made_of_is_kept,
        pick_lines_outlive_their_order_line_and_their_batch;
    queries:
        what_is_read_after_a_random_history_is_what_the_domain_says,
        what_is_not_there_is_not_found,
        the_largest_order_is_read_whole,
        the_availability_of_a_thousand_open_batches_counts_them_all;
    expiry:
        products_with_expired_holds_are_found_once_in_the_order_of_their_expiry,
        what_has_expired_is_gone_before_anybody_notices;
    concurrency:
        writers_of_one_line_allocate_it_once,
        of_two_batches_of_one_name_one_is_added,
        an_order_that_moves_is_always_seen_whole;
    relay:
        progress_is_written_whole_and_the_bookmark_never_goes_back,
        who_has_lost_the_lease_writes_nothing,
        parked_events_are_marked_to_be_sent_again,
        parked_events_that_are_not_retained_are_forgotten,
        what_commands_have_caused_is_found_before_and_after_it_is_numbered;
    event_log:
        a_lease_is_held_by_one_and_taken_when_it_ends,
        a_holder_that_has_lost_its_lease_writes_nothing,
        old_events_are_forgotten_from_the_start_and_a_reader_is_told,
        a_reader_who_has_seen_more_than_there_is_is_told;
}
