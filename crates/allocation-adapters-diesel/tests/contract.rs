//! One suite for both databases: what the ports promise, and what the schema refuses.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(unreachable_pub, reason = "a test's modules have no public")]

#[path = "contract/availability.rs"]
mod availability;
#[path = "contract/bounds.rs"]
mod bounds;
#[path = "contract/clock.rs"]
mod clock;
#[path = "contract/concurrency.rs"]
mod concurrency;
#[path = "contract/database.rs"]
mod database;
#[path = "contract/event_log.rs"]
mod event_log;
#[path = "contract/expiry.rs"]
mod expiry;
#[path = "contract/integrity.rs"]
mod integrity;
#[path = "contract/invariants.rs"]
mod invariants;
#[path = "contract/lists.rs"]
mod lists;
#[path = "contract/locking.rs"]
mod locking;
#[path = "contract/moving.rs"]
mod moving;
#[path = "contract/order_lines.rs"]
mod order_lines;
#[path = "contract/order_races.rs"]
mod order_races;
#[path = "contract/orders.rs"]
mod orders;
#[path = "contract/outbox.rs"]
mod outbox;
#[path = "contract/pick_lists.rs"]
mod pick_lists;
#[path = "contract/picking.rs"]
mod picking;
#[path = "contract/plans.rs"]
mod plans;
#[path = "contract/postgres_leases.rs"]
mod postgres_leases;
#[path = "contract/postgres_locks.rs"]
mod postgres_locks;
#[path = "contract/queries.rs"]
mod queries;
#[path = "contract/relay.rs"]
mod relay;
#[path = "contract/round_trips.rs"]
mod round_trips;
#[path = "contract/saving.rs"]
mod saving;
#[path = "contract/schema.rs"]
mod schema;
#[path = "contract/shop.rs"]
mod shop;
#[path = "contract/units_of_work.rs"]
mod units_of_work;
#[path = "contract/world.rs"]
mod world;

/// Makes a test of each function for each database, in modules named for the databases.
macro_rules! on_both_databases {
    ($($module:ident: $($test:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $module {
                $(#[test] fn $test() { crate::$module::$test(allocation_test_support::TestDatabase::sqlite()); })+
            })+
        }
        mod postgres {
            $(mod $module {
                $(#[test] fn $test() { crate::$module::$test(allocation_test_support::TestDatabase::postgres()); })+
            })+
        }
    };
}

on_both_databases! {
    moving:
        to_lower_a_crowded_batch_by_one_unit_loads_one_line,
        a_crowded_batch_that_is_lowered_far_loses_its_lines_in_steps,
        a_crowded_batch_that_comes_later_and_is_lowered_a_little_loses_its_last_lines,
        a_crowded_batch_that_comes_later_and_is_lowered_far_loses_its_lines_in_steps,
        a_crowded_batch_that_comes_later_and_is_lowered_to_nothing_loses_all_lines,
        a_crowded_batch_below_which_units_were_picked_loses_all_other_lines,
        the_lines_of_a_crowded_batch_that_comes_later_are_told_in_steps,
        a_line_that_is_reviewed_late_has_the_promise_that_it_was_given,
        the_lines_of_a_crowded_batch_move_to_a_better_one_in_steps,
        units_of_expired_holds_on_a_batch_that_is_lowered_are_never_free,
        the_first_line_to_leave_is_found_by_adding_up,
        what_is_left_to_be_done_with_a_batch_is_kept_to_the_microsecond;
    bounds:
        expired_holds_are_released_in_steps,
        a_decision_on_a_product_that_is_behind_is_none,
        an_arrival_for_a_long_queue_is_given_out_in_steps,
        lines_that_cannot_take_what_is_free_are_not_loaded,
        waiting_lines_are_found_in_the_order_of_service,
        a_read_gives_what_expired_to_those_who_wait,
        many_products_share_the_bound;
    round_trips:
        identifiers_of_every_kind_come_back_as_they_were,
        the_longest_identifiers_fit,
        dates_and_instants_come_back_as_they_were,
        a_date_that_would_not_sort_is_refused,
        the_greatest_quantities_fit;
    units_of_work:
        what_is_committed_is_there_and_what_is_dropped_is_not,
        readers_see_nothing_of_a_unit_before_its_commit,
        a_unit_that_failed_cannot_be_committed,
        a_unit_without_changes_writes_nothing,
        when_no_connection_becomes_free_it_is_busy,
        a_unit_in_a_panicking_thread_is_rolled_back;
    locking:
        products_that_others_have_locked_are_told_without_a_wait_and_the_rest_is_locked,
        a_product_that_was_unlocked_just_now_is_locked_as_it_is,
        a_brief_wait_for_a_product_ends_busy_and_waits_for_a_connection_as_usual,
        a_sku_without_a_product_is_left_out_unless_it_is_to_be_created,
        every_lock_counts_the_version_up,
        a_product_is_registered_once_and_stays,
        each_product_keeps_its_own_instants_whatever_the_clock_does,
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
        a_line_that_lost_units_is_refilled,
        a_line_may_leave_and_come_back_in_one_unit,
        a_batch_is_removed_and_may_come_back,
        several_products_are_saved_in_one_unit,
        a_reference_under_another_sku_is_a_conflict,
        a_batch_that_vanished_is_a_broken_invariant,
        an_allocation_to_a_batch_that_vanished_is_a_broken_invariant,
        a_batch_that_keeps_an_allocation_is_not_removed,
        a_second_allocation_of_a_line_is_a_broken_invariant;
    outbox:
        events_are_written_to_the_outbox;
    integrity:
        an_oversold_batch_is_refused,
        a_second_allocation_of_a_line_is_refused,
        a_batch_without_its_product_is_refused,
        a_batch_with_allocations_cannot_be_deleted,
        quantities_out_of_range_are_refused,
        a_row_that_no_domain_type_can_hold_is_an_error;
    lists:
        batches_are_listed_in_the_order_they_were_added,
        batches_of_one_sku_are_listed,
        overdue_batches_are_listed_the_longest_overdue_first,
        allocations_are_listed_by_bytes,
        every_filter_of_allocations_pages_through_exactly_what_fits,
        a_cursor_between_rows_or_of_another_list_cuts_at_its_place,
        an_unknown_batch_or_one_of_another_sku_has_no_allocations;
    schema:
        migrations_up_down_and_up_again_give_the_same_schema,
        up_tells_what_it_ran_and_is_idempotent,
        down_undoes_as_many_steps_as_there_are,
        down_waits_for_servers_and_then_looks_for_their_leases,
        concurrent_ups_run_each_migration_once,
        a_newer_schema_is_detected_and_left_alone,
        a_database_from_before_the_baseline_is_rejected_and_left_alone,
        readiness_and_status_tell_the_state_and_change_nothing,
        a_database_without_its_tables_fails_without_a_panic;
    orders:
        an_order_comes_back_as_it_was_placed,
        an_order_is_added_once,
        orders_that_have_lines_are_told,
        an_order_that_has_ended_gets_no_line_of_another_product,
        an_order_over_several_products_is_placed_and_cancelled_in_one_unit;
    order_lines:
        lines_of_every_kind_come_back_as_they_were,
        lines_that_were_sent_alone_have_entries_in_no_partial_index,
        every_lock_loads_expired_holds_for_the_next_line,
        the_queue_is_loaded_in_pages_in_its_order,
        units_that_come_go_to_the_queue_in_its_order,
        a_long_queue_is_served_in_few_loads,
        a_batch_that_is_corrected_takes_its_lines_along,
        a_batch_that_a_line_holds_units_of_is_loaded_on_demand,
        totals_equal_sums_after_a_random_history;
    pick_lists:
        a_list_takes_what_is_firm_and_in_stock_and_on_no_list,
        the_first_lines_of_the_first_batches_are_found,
        a_thousand_batches_are_passed_over_for_the_one_in_stock,
        the_first_lines_of_a_crowded_batch_are_found_in_the_order_in_which_they_are_served,
        a_search_ends_at_its_bound_with_what_it_has_found,
        a_list_is_added_once_and_found_with_its_lines,
        what_a_list_was_asked_to_be_made_of_is_kept,
        pick_lines_outlive_their_order_line_and_their_batch,
        a_page_of_lists_looks_through_a_bounded_number_of_them;
    queries:
        what_is_read_after_a_random_history_is_what_the_domain_says,
        what_is_not_there_is_not_found,
        a_page_looks_through_a_bounded_number_of_orders,
        an_order_of_the_past_does_not_hide_a_later_one,
        the_largest_order_is_read_whole,
        a_page_of_large_orders_ends_early,
        the_availability_of_a_thousand_open_batches_counts_them_all;
    expiry:
        products_with_expired_holds_are_found_once_in_the_order_of_their_expiry,
        thousands_of_expired_lines_of_one_product_do_not_hide_another,
        what_has_expired_is_gone_before_anybody_notices;
    relay:
        progress_is_written_whole_and_the_bookmark_never_goes_back,
        who_has_lost_the_lease_writes_nothing,
        writing_renews_the_lease,
        parked_events_are_marked_to_be_sent_again,
        an_event_of_a_later_version_is_read_as_it_is_stored,
        parked_events_that_are_not_retained_are_forgotten,
        what_commands_have_caused_is_found_before_and_after_it_is_numbered;
    event_log:
        all_readers_see_one_order_without_gaps_beside_writers,
        a_round_sees_every_product_and_begins_with_its_oldest_event,
        a_lease_is_held_by_one_and_taken_when_it_ends,
        a_lease_ends_though_the_clock_was_set_back,
        a_holder_that_has_lost_its_lease_writes_nothing,
        old_events_are_forgotten_from_the_start_and_a_reader_is_told,
        a_reader_who_has_seen_more_than_there_is_is_told,
        events_that_fit_are_found_by_looking_through_so_many,
        an_event_tells_where_its_command_came_from,
        a_history_is_the_same_before_and_after_its_events_are_numbered;
    availability:
        an_unreachable_database_is_told_at_once;
    clock:
        the_time_of_retention_follows_the_clock_no_faster_than_time_passes,
        events_from_the_future_go_with_old_ones_behind_them_and_stay_without,
        instants_from_the_future_are_found_and_mended,
        a_thousand_rows_are_mended_at_a_time_and_servers_go_on,
        a_counter_that_is_wrong_is_found,
        a_program_of_another_generation_writes_nothing,
        the_clock_of_a_store_follows_the_database,
        without_a_test_the_clock_is_that_of_the_database,
        who_waits_for_a_lock_decides_when_it_is_given;
    invariants:
        a_batch_that_counts_less_than_its_lines_hold_is_not_decided_on,
        lines_that_hold_more_than_a_batch_counts_together_are_not_decided_on,
        a_line_that_has_more_than_it_ordered_is_not_decided_on,
        a_counter_that_a_constraint_refuses_names_the_constraint,
        a_locked_row_that_is_missing_is_named,
        a_name_that_is_taken_is_a_conflict;
    order_races:
        a_cancelled_order_keeps_no_line_in_either_order,
        units_that_meet_at_orders_never_wait_in_a_circle;
    concurrency:
        no_batch_is_oversold_and_counters_equal_sums_after_a_random_history,
        writers_of_one_line_allocate_it_once,
        the_same_new_product_is_created_once,
        of_two_batches_of_one_name_one_is_added,
        an_order_that_moves_is_always_seen_whole,
        units_that_add_the_same_orders_in_opposite_orders_never_deadlock;
}
