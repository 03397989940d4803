//! The tests of the suite, each named once.

/// Calls a macro with the tests of each module: those that every database passes, then those that need SQL.
macro_rules! suite {
    ($run:ident) => {
        $run! {
            moving {} sql {
                to_lower_a_crowded_batch_by_one_unit_loads_one_line,
                a_crowded_batch_that_is_lowered_far_loses_its_lines_in_steps,
                a_crowded_batch_postponed_and_lowered_a_little_loses_its_last_lines,
                a_crowded_batch_postponed_and_lowered_far_loses_its_lines_in_steps,
                a_crowded_batch_postponed_and_lowered_to_nothing_loses_all_lines,
                a_crowded_batch_below_which_units_were_picked_loses_all_other_lines,
                the_lines_of_a_postponed_crowded_batch_are_notified_in_steps,
                a_line_reviewed_late_keeps_its_promised_date,
                the_lines_of_a_crowded_batch_move_to_a_better_one_in_steps,
                units_of_expired_holds_on_a_batch_that_is_lowered_are_never_free,
                the_first_line_to_leave_is_found_by_adding_up,
                the_remaining_moves_of_a_batch_are_stored_to_the_microsecond,
            }
            movements {} sql {
                a_page_that_ends_where_its_scan_does_repeats_no_movement,
                an_adjustment_of_an_earlier_program_is_no_movement,
            }
            promises {
                lines_of_later_batches_move_to_units_that_come_free,
                promises_of_an_order_and_of_a_product_are_kept_once_stored,
                many_lines_move_in_steps,
            } sql {
                a_bounded_number_of_lines_that_do_not_fit_is_passed_over,
            }
            bounds {} sql {
                expired_holds_are_released_in_steps,
                a_decision_on_a_product_that_is_behind_is_none,
                an_arrival_for_a_long_queue_is_allocated_in_steps,
                lines_that_no_free_unit_fits_are_not_loaded,
                waiting_lines_are_found_in_the_order_of_service,
                a_read_allocates_expired_units_to_waiting_lines,
                many_products_share_the_bound,
            }
            round_trips {
                identifiers_of_every_kind_round_trip,
                the_longest_identifiers_fit,
                dates_and_instants_round_trip,
                the_greatest_quantities_fit,
            } sql {
                a_date_that_would_not_sort_is_refused,
            }
            units_of_work {
                readers_see_nothing_of_a_unit_before_its_commit,
                a_unit_that_failed_cannot_be_committed,
                a_unit_without_changes_writes_nothing,
                a_unit_in_a_panicking_thread_is_rolled_back,
            } sql {
                a_committed_unit_is_stored_and_a_dropped_one_is_not,
                without_a_free_connection_the_store_is_busy,
            }
            locking {
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
                batches_are_found_by_reference,
            } sql {
                a_brief_wait_for_a_product_ends_busy_and_waits_for_a_connection_as_usual,
                a_product_is_registered_once_and_stays,
                each_product_keeps_its_own_instants_whatever_the_clock_does,
            }
            saving {
                a_batch_is_added,
                a_line_is_stored_in_one_batch_or_split,
                a_released_line_is_removed,
                a_batch_can_be_removed_and_added_again,
                several_products_are_saved_in_one_unit,
                a_reference_under_another_sku_is_a_conflict,
                a_batch_that_vanished_is_a_broken_invariant,
                a_second_allocation_of_a_line_is_a_broken_invariant,
            } sql {
                a_line_that_lost_units_is_refilled,
                a_line_can_be_removed_and_added_in_one_unit,
                an_allocation_to_a_batch_that_vanished_is_a_broken_invariant,
                a_batch_that_keeps_an_allocation_is_not_removed,
            }
            outbox {} sql {
                events_are_written_to_the_outbox,
            }
            integrity {} sql {
                an_oversold_batch_is_refused,
                a_second_allocation_of_a_line_is_refused,
                a_batch_without_its_product_is_refused,
                a_batch_with_allocations_cannot_be_deleted,
                quantities_out_of_range_are_refused,
                a_row_that_no_domain_type_can_hold_is_an_error,
            }
            lists {
                batches_are_listed_in_the_order_they_were_added,
                batches_of_one_sku_are_listed,
            } sql {
                overdue_batches_are_listed_the_longest_overdue_first,
                allocations_are_listed_by_bytes,
                every_filter_of_allocations_returns_exactly_the_matching_rows,
                a_cursor_between_rows_or_of_another_list_cuts_at_its_place,
                an_unknown_batch_or_one_of_another_sku_has_no_allocations,
            }
            schema {} sql {
                migrations_up_down_and_up_again_give_the_same_schema,
                up_returns_the_migrations_that_it_ran_and_is_idempotent,
                down_undoes_as_many_steps_as_there_are,
                down_waits_for_servers_and_then_looks_for_their_leases,
                concurrent_ups_run_each_migration_once,
                a_program_goes_on_where_a_later_one_has_expanded_the_schema,
                a_program_is_shut_out_where_a_later_one_has_contracted_the_schema,
                a_program_does_not_migrate_a_schema_with_later_migrations,
                a_store_that_only_reads_runs_no_migrations,
                a_database_from_before_the_baseline_is_rejected_and_unchanged,
                readiness_and_status_report_the_state_and_change_nothing,
                a_database_without_its_tables_fails_without_a_panic,
            }
            orders {
                an_order_is_added_once,
                orders_with_lines_are_returned,
                an_order_that_has_ended_gets_no_line_of_another_product,
                an_order_over_several_products_is_placed_and_cancelled_in_one_unit,
            } sql {
                an_order_round_trips,
                a_closed_line_that_an_older_program_filled_again_is_firm,
            }
            archive {
                an_archived_order_is_found_by_its_id_and_not_listed,
                a_lock_restores_an_archived_order_until_its_unit_is_rolled_back,
                commands_on_an_archived_order_are_answered_as_before,
                a_cancelled_order_of_standalone_lines_stays_cancelled_in_the_archive,
                an_order_is_archived_with_all_its_lines_and_only_once_they_are_complete,
                complete_orders_are_found_once_in_the_order_of_their_completion,
                decisions_are_the_same_whatever_is_archived_in_between,
                an_order_is_never_doubled_while_it_is_archived,
                returned_units_stay_returned_in_the_archive,
            } sql {}
            archive_rows {} sql {
                every_row_of_an_order_moves_to_the_archive_and_back,
                the_archive_is_prepared_in_steps,
                nothing_is_archived_before_programs_that_do_not_look_into_it_are_shut_out,
                faults_in_the_archive_are_found,
                the_first_return_shuts_out_programs_that_lose_what_came_back,
                no_more_units_come_back_than_were_shipped,
                the_archive_survives_a_migration_down,
            }
            order_lines {
                lines_of_every_kind_round_trip,
                every_lock_loads_expired_holds_for_the_next_line,
                the_queue_is_loaded_in_pages_in_its_order,
                new_units_serve_the_queue_in_its_order,
                a_corrected_batch_keeps_its_lines,
                a_batch_that_a_line_holds_units_of_is_loaded_on_demand,
            } sql {
                standalone_lines_have_entries_in_no_partial_index,
                a_long_queue_is_served_in_few_loads,
                totals_equal_sums_after_a_random_history,
            }
            pick_lists {
                a_list_takes_firm_units_in_stock_that_are_on_no_list,
                the_first_lines_of_the_first_batches_are_found,
                a_thousand_batches_are_passed_over_for_the_one_in_stock,
                orders_that_ship_complete_are_found_once_all_of_them_is_in_stock,
                a_list_is_added_once_and_found_with_its_lines,
                the_criteria_of_a_list_are_stored,
                pick_lines_outlive_their_order_line_and_their_batch,
            } sql {
                the_first_lines_of_a_crowded_batch_are_found_in_the_order_in_which_they_are_served,
                a_search_ends_at_its_bound_with_what_it_has_found,
                a_page_of_lists_looks_through_a_bounded_number_of_them,
            }
            shipments {
                a_shipment_is_added_once_and_found_as_it_was,
                shipments_are_listed_in_pages_of_all_and_of_an_order,
                a_page_has_no_more_lines_than_the_largest_shipment,
                a_partly_shipped_pick_line_is_stored,
            } sql {}
            shipment_rows {} sql {
                a_line_that_an_older_program_has_shipped_is_shipped,
                an_older_program_cannot_ship_or_correct_a_partly_shipped_line,
            }
            stock_counts {
                a_count_is_opened_once_and_found_as_it_was,
                a_saved_and_a_removed_count_are_read_as_they_are,
                the_batches_to_count_are_in_stock,
                a_batch_is_in_at_most_one_open_count,
                counts_are_listed_in_pages,
                a_locked_count_waits_for_its_unit,
            } sql {}
            stock_count_rows {} sql {
                an_upgrade_claims_the_batches_of_open_counts,
            }
            stock_documents {
                a_return_is_found_as_it_was_and_shares_no_id_with_other_documents,
                a_document_is_added_once_and_found_as_it_was,
                adjusted_batches_round_trip,
                an_adjustment_of_a_crowded_batch_is_counted_as_its_lines_leave,
                the_products_of_many_batches_are_found,
            } sql {}
            queries {
                reads_after_a_random_history_agree_with_the_domain,
                missing_rows_are_not_found,
                the_largest_order_is_read_whole,
                the_availability_of_a_thousand_open_batches_counts_them_all,
            } sql {
                a_page_looks_through_a_bounded_number_of_orders,
                an_order_of_the_past_does_not_hide_a_later_one,
                a_page_of_large_orders_ends_early,
            }
            expiry {
                products_with_expired_holds_are_found_once_in_the_order_of_their_expiry,
                expired_holds_are_invisible_before_they_are_released,
            } sql {
                thousands_of_expired_lines_of_one_product_do_not_hide_another,
            }
            relay {
                progress_is_atomic_and_the_checkpoint_never_decreases,
                the_backlog_has_the_events_before_and_after_sequencing,
                a_relay_without_the_lease_writes_nothing,
                parked_events_are_marked_to_be_sent_again,
                parked_events_beyond_the_retention_are_removed,
                effects_of_commands_are_found_before_and_after_sequencing,
            } sql {
                writing_renews_the_lease,
                an_event_of_a_later_version_is_read_as_it_is_stored,
                the_author_of_an_event_from_before_authors_were_recorded_is_unknown,
            }
            keys {
                a_key_round_trips,
                every_change_of_a_key_raises_the_version_and_a_use_does_not,
                a_rotated_key_keeps_its_previous_digest,
                a_revoked_key_is_neither_revoked_nor_rotated_again,
                a_day_of_use_never_replaces_a_later_one,
                a_taken_id_is_refused,
            } sql {
                the_number_of_keys_is_bounded,
                a_key_that_is_deleted_by_hand_raises_the_version,
                a_program_that_is_shut_out_changes_no_key,
            }
            event_log {
                a_lease_has_one_holder_until_it_expires,
                a_holder_that_has_lost_its_lease_writes_nothing,
                old_events_are_pruned_from_the_start_and_reported_to_readers,
                a_cursor_beyond_the_log_is_reported,
            } sql {
                all_readers_see_one_order_without_gaps_beside_writers,
                events_are_sequenced_in_chunks_that_begin_with_the_oldest,
                a_lease_ends_though_the_clock_was_set_back,
                small_blocks_become_one_and_their_events_stay_the_same,
                subjects_are_found_across_segments_of_the_index,
                a_search_for_a_subject_stops_after_some_blocks_and_continues,
                a_subject_is_found_beyond_many_pruned_blocks,
                a_long_history_is_paged_in_its_order,
                a_filter_scans_a_bounded_number_of_events,
                an_event_records_the_context_of_its_command,
                a_history_is_the_same_before_and_after_sequencing,
                a_history_is_unavailable_while_too_many_events_have_no_position,
            }
            availability {} sql {
                an_unreachable_database_is_reported_at_once,
            }
            renumbering {} sql {
                renumbered_events_have_new_positions_and_are_found_as_before,
            }
            clock {} sql {
                the_time_of_retention_follows_the_clock_no_faster_than_time_passes,
                events_from_the_future_go_with_old_ones_behind_them_and_stay_without,
                instants_from_the_future_are_found_and_mended,
                holds_that_are_longer_than_allowed_are_shortened_once,
                events_sequenced_by_a_wrong_clock_are_found_and_mended,
                a_thousand_rows_are_mended_at_a_time_and_servers_go_on,
                a_counter_that_is_wrong_is_found,
                a_program_that_is_shut_out_writes_nothing,
                the_clock_of_a_store_follows_the_database,
                without_a_test_the_clock_is_that_of_the_database,
                a_decision_behind_a_lock_has_the_time_of_the_lock,
            }
            invariants {} sql {
                a_batch_that_counts_less_than_its_lines_hold_is_not_decided_on,
                lines_that_hold_more_than_a_batch_counts_together_are_not_decided_on,
                a_line_that_has_more_than_it_ordered_is_not_decided_on,
                an_inspection_names_each_drift,
                a_program_from_before_adjustments_may_correct_an_adjusted_batch,
                a_counter_that_a_constraint_refuses_names_the_constraint,
                a_locked_row_that_is_missing_is_named,
                a_taken_reference_is_a_conflict,
            }
            order_races {} sql {
                a_cancelled_order_keeps_no_line_in_either_order,
                an_order_that_loses_its_first_line_is_still_locked_as_a_whole,
                units_that_meet_at_orders_never_wait_in_a_circle,
            }
            concurrency {
                writers_of_one_line_allocate_it_once,
                of_two_batches_with_one_reference_one_is_added,
                a_moving_order_is_never_seen_partially,
            } sql {
                no_batch_is_oversold_and_counters_equal_sums_after_a_random_history,
                the_same_new_product_is_created_once,
                units_that_add_the_same_orders_in_opposite_orders_never_deadlock,
            }
        }
    };
}
