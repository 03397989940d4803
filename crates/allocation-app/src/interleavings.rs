//! Interleavings of use cases.
//!
//! A scheduler explores them: at every call of a port, another use case may continue. The replies and the stored
//! state must equal the outcome of the same commands in some sequential order. Each promise of the ports is broken
//! once, to prove that the exploration notices it.

mod command;
mod explorer;

use allocation_adapters_memory::Faults;
use allocation_domain::Promises;
use command::Command::{
    Abandon, AddBatch, AddInbound, Adjust, Advance, Allocate, Archive, Cancel, Change, Close, CloseCount, Confirm,
    CreateShipment, Deallocate, Enter, MakeList, OpenCount, Pick, PickAndShip, Place, PlaceComplete, PlaceHeld,
    PutBack, Read, Receive, Reinstate, ReleaseExpired, ReleaseLine, RemoveBatch, SetComplete, SetPromises, Ship,
    TakeBack,
};
use explorer::Scenario;

/// An order with a line, and a product that it has no line of.
fn an_order_and_another_product() -> Scenario {
    Scenario::after([AddBatch("LAMP", "L", 5), AddBatch("SOFA", "S", 5), Allocate("O", "LAMP", 1)])
}

fn the_last_unit() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 1)]);
    scenario.with([Allocate("O-1", "LAMP", 1)]).with([Allocate("O-2", "LAMP", 1)])
}

fn a_line_for_an_order_that_is_cancelled() -> Scenario {
    an_order_and_another_product().with([Cancel("O")]).with([Allocate("O", "SOFA", 1)])
}

fn a_line_for_an_order_that_loses_its_last() -> Scenario {
    an_order_and_another_product().with([Change("O", &[("LAMP", 0)])]).with([Allocate("O", "SOFA", 1)])
}

fn a_line_for_an_order_that_is_closed() -> Scenario {
    an_order_and_another_product().with([Close("O")]).with([Allocate("O", "SOFA", 1)])
}

fn one_order_id_twice() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 5), AddBatch("SOFA", "S", 5)]);
    scenario.with([Place("O", &[("LAMP", 1)])]).with([Place("O", &[("SOFA", 2)])])
}

fn a_line_that_its_caller_reads() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 5)]);
    scenario.with([Allocate("O-1", "LAMP", 1), Read("O-1")]).with([Allocate("O-2", "LAMP", 1)])
}

#[test]
fn a_cancelled_order_keeps_no_line_that_is_added_meanwhile() {
    a_line_for_an_order_that_is_cancelled().assert_sequential();
}

#[test]
fn the_last_unit_is_allocated_once() {
    the_last_unit().assert_sequential();
}

#[test]
fn an_order_id_is_used_once() {
    one_order_id_twice().assert_sequential();
}

#[test]
fn a_batch_reference_is_used_once() {
    Scenario::after([]).with([AddBatch("LAMP", "B", 1)]).with([AddBatch("SOFA", "B", 2)]).assert_sequential();
}

#[test]
fn a_caller_reads_its_own_committed_result() {
    a_line_that_its_caller_reads().assert_sequential();
}

#[test]
fn an_order_is_placed_before_or_after_it_is_cancelled() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    scenario.with([Place("O", &[("LAMP", 2), ("SOFA", 1)])]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn a_standalone_line_comes_before_or_after_the_order_with_its_id() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    scenario.with([Place("O", &[("LAMP", 2)])]).with([Allocate("O", "SOFA", 1)]).assert_sequential();
}

#[test]
fn a_line_is_allocated_before_or_after_the_stock_arrives() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 1)]);
    let scenario = scenario.with([AddBatch("LAMP", "M", 1)]).with([Allocate("O-1", "LAMP", 2)]);
    scenario.with([Allocate("O-2", "LAMP", 1)]).assert_sequential();
}

#[test]
fn a_hold_is_confirmed_or_expires() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), PlaceHeld("CART", &[("LAMP", 2)], 10)]);
    scenario.with([Confirm("CART")]).with([ReleaseExpired]).with([Advance(20)]).assert_sequential();
}

/// An order whose hold has expired, and another line that wants some of the same units.
fn a_late_payment() -> Scenario {
    Scenario::after([
        AddBatch("LAMP", "L", 2),
        AddBatch("SOFA", "S", 2),
        PlaceHeld("CART", &[("LAMP", 2), ("SOFA", 2)], 10),
        Advance(20),
    ])
}

#[test]
fn the_units_of_an_expired_order_are_allocated_again_or_to_another_line() {
    a_late_payment().with([Reinstate("CART")]).with([Allocate("O", "SOFA", 1)]).assert_sequential();
}

#[test]
fn an_expired_order_is_reinstated_once_and_before_or_after_it_is_cancelled() {
    a_late_payment().with([Reinstate("CART")]).with([Reinstate("CART")]).assert_sequential();
    a_late_payment().with([Reinstate("CART")]).with([Cancel("CART")]).with([ReleaseExpired]).assert_sequential();
}

/// A line of another product joins an order that lives, or is rejected because the order has expired.
#[test]
fn a_line_joins_an_order_before_or_after_it_is_reinstated() {
    let scenario = Scenario::after([
        AddBatch("LAMP", "L", 2),
        AddBatch("SOFA", "S", 2),
        PlaceHeld("CART", &[("LAMP", 2)], 10),
        Advance(20),
    ]);
    scenario.with([Reinstate("CART")]).with([Allocate("CART", "SOFA", 1)]).assert_sequential();
}

#[test]
fn a_cancelled_line_is_on_no_pick_list() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)])]);
    scenario.with([MakeList("P")]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn a_line_is_on_one_pick_list() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)])]);
    scenario.with([MakeList("P")]).with([MakeList("Q")]).assert_sequential();
}

/// The order is in stock before the other command, and not after it or cancelled.
#[test]
fn an_order_that_ships_complete_is_listed_whole_or_not_at_all() {
    let order = || {
        let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 1)]);
        scenario.and_before([PlaceComplete("O", &[("LAMP", 1), ("SOFA", 1)])])
    };
    order().with([MakeList("P")]).with([Deallocate("O", "S")]).assert_sequential();
    order().with([MakeList("P")]).with([Adjust("A", &[("S", -1)])]).assert_sequential();
    order().with([MakeList("P")]).with([Cancel("O")]).assert_sequential();
}

/// The line that joins the order is in transit, so the order is then no longer in stock.
#[test]
fn an_order_that_ships_complete_gets_no_line_while_it_is_listed() {
    let scenario =
        Scenario::after([AddBatch("LAMP", "L", 2), AddInbound("BED", "B", 2), PlaceComplete("O", &[("LAMP", 1)])]);
    scenario.clone().with([MakeList("P")]).with([Allocate("O", "BED", 1)]).assert_sequential();
    scenario.with([MakeList("P")]).with([Change("O", &[("BED", 1)])]).assert_sequential();
}

#[test]
fn an_order_ships_complete_before_or_after_a_pick_list_is_made() {
    let stock = || Scenario::after([AddBatch("LAMP", "L", 2), AddInbound("BED", "B", 2)]);
    let lines = &[("BED", 1), ("LAMP", 1)];
    stock().with([MakeList("P")]).with([PlaceComplete("O", lines)]).assert_sequential();
    for (placed, complete) in [(Place("O", lines), true), (PlaceComplete("O", lines), false)] {
        let scenario = stock().and_before([placed]);
        scenario.with([MakeList("P")]).with([SetComplete("O", complete)]).assert_sequential();
    }
}

/// Once the bed is received, all of the order is in stock.
#[test]
fn an_order_becomes_complete_before_or_after_a_pick_list_is_made() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddInbound("BED", "B", 2)]);
    let scenario = scenario.and_before([PlaceComplete("O", &[("BED", 1), ("LAMP", 1)])]);
    scenario.with([MakeList("P")]).with([Receive("R", "B", 2)]).assert_sequential();
}

#[test]
fn a_pick_line_is_picked_or_released() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 3), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    let scenario = scenario.with([Pick("P", 1)]).with([ReleaseLine("P")]);
    scenario.assert_sequential();
}

#[test]
fn a_line_is_picked_before_its_list_is_shipped_or_released_with_it() {
    let scenario = Scenario::after([
        AddBatch("LAMP", "L", 2),
        AddBatch("SOFA", "S", 2),
        Place("O", &[("LAMP", 2), ("SOFA", 1)]),
        MakeList("P"),
        Pick("P", 2),
    ]);
    scenario.with([Ship("P")]).with([MakeList("Q")]).with([Close("O")]).assert_sequential();
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    scenario.with([Ship("P")]).with([Pick("P", 1)]).assert_sequential();
}

/// An order of which two units are picked, and another that waits for a unit.
fn a_picked_order() -> Scenario {
    Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P"), Pick("P", 2)])
}

#[test]
fn picked_units_are_put_back_or_shipped() {
    a_picked_order().with([PutBack("P", 1)]).with([Ship("P")]).assert_sequential();
    a_picked_order().with([PutBack("P", 2)]).with([Ship("P")]).with([MakeList("Q")]).assert_sequential();
}

#[test]
fn picked_units_are_shipped_once() {
    a_picked_order().with([CreateShipment("S", "P", 2)]).with([CreateShipment("T", "P", 1)]).assert_sequential();
    a_picked_order().with([CreateShipment("S", "P", 0)]).with([Ship("P")]).with([Close("O")]).assert_sequential();
}

#[test]
fn picked_units_are_put_back_or_shipped_with_a_shipment() {
    a_picked_order().with([CreateShipment("S", "P", 1)]).with([PutBack("P", 1)]).assert_sequential();
    a_picked_order()
        .with([CreateShipment("S", "P", 0)])
        .with([PutBack("P", 1)])
        .with([Pick("P", 1)])
        .assert_sequential();
}

#[test]
fn a_shipment_is_made_once() {
    a_picked_order().with([CreateShipment("S", "P", 1)]).with([CreateShipment("S", "P", 1)]).assert_sequential();
}

/// Two shipments of one id, of lines of different products.
fn one_shipment_id_twice() -> Scenario {
    let scenario = Scenario::after([
        AddBatch("LAMP", "L", 1),
        Place("O", &[("LAMP", 1)]),
        MakeList("P"),
        Pick("P", 1),
        AddBatch("SOFA", "S", 1),
        Place("N", &[("SOFA", 1)]),
        MakeList("Q"),
        Pick("Q", 1),
    ]);
    scenario.with([CreateShipment("S", "P", 1)]).with([CreateShipment("S", "Q", 1)])
}

#[test]
fn a_shipment_id_is_used_once() {
    one_shipment_id_twice().assert_sequential();
}

#[test]
fn without_unique_keys_a_shipment_id_is_used_twice() {
    one_shipment_id_twice().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

#[test]
fn picked_units_are_put_back_once() {
    a_picked_order().with([PutBack("P", 1)]).with([PutBack("P", 1)]).with([Close("O")]).assert_sequential();
}

#[test]
fn a_pick_is_corrected_before_or_after_its_order_is_cancelled_or_its_list_is_shipped() {
    let nothing_found =
        Scenario::after([AddBatch("LAMP", "L", 3), Place("O", &[("LAMP", 2)]), MakeList("P"), Pick("P", 0)]);
    nothing_found.with([Pick("P", 2)]).with([Cancel("O")]).assert_sequential();
    a_picked_order().with([Pick("P", 1)]).with([Ship("P")]).assert_sequential();
    a_picked_order().with([Pick("P", 1)]).with([PutBack("P", 2)]).with([Allocate("N", "LAMP", 1)]).assert_sequential();
}

#[test]
fn a_released_pick_line_is_on_one_list() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    let scenario = scenario.with([ReleaseLine("P")]).with([MakeList("Q")]).with([Cancel("O")]);
    scenario.assert_sequential();
}

#[test]
fn an_order_is_changed_before_or_after_it_is_cancelled() {
    let scenario = an_order_and_another_product();
    scenario.with([Change("O", &[("SOFA", 2)])]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn a_line_is_added_by_a_change_or_by_itself() {
    let scenario = an_order_and_another_product();
    scenario.with([Change("O", &[("SOFA", 2)])]).with([Allocate("O", "SOFA", 1)]).assert_sequential();
}

#[test]
fn a_line_is_removed_before_or_after_another_is_added() {
    let scenario = an_order_and_another_product().with([Change("O", &[("LAMP", 0), ("SOFA", 1)])]);
    scenario.with([Allocate("O", "SOFA", 1)]).assert_sequential();
    let scenario = Scenario::after([AddBatch("LAMP", "L", 5), AddBatch("SOFA", "S", 5), AddBatch("BED", "B", 5)]);
    let scenario = scenario.with([Place("O", &[("LAMP", 1), ("BED", 1)]), Change("O", &[("BED", 0)])]);
    scenario.with([Allocate("O", "SOFA", 1)]).assert_sequential();
}

#[test]
fn two_changes_of_an_order_have_an_order() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 5), Place("O", &[("LAMP", 1)])]);
    scenario.with([Change("O", &[("LAMP", 3)])]).with([Change("O", &[("LAMP", 2)])]).assert_sequential();
}

#[test]
fn a_lowered_line_is_on_a_pick_list_with_what_it_has() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)])]);
    scenario.with([MakeList("P")]).with([Change("O", &[("LAMP", 1)])]).assert_sequential();
}

#[test]
fn an_order_that_loses_its_last_line_keeps_no_line_that_is_added_meanwhile() {
    a_line_for_an_order_that_loses_its_last().assert_sequential();
}

#[test]
fn orders_without_locks_keep_lines_after_they_have_lost_their_last() {
    a_line_for_an_order_that_loses_its_last().assert_broken_by(Faults { no_order_locks: true, ..Faults::default() });
}

#[test]
fn a_closed_order_keeps_no_line_that_is_added_meanwhile() {
    a_line_for_an_order_that_is_closed().assert_sequential();
}

#[test]
fn orders_without_locks_keep_lines_after_they_are_closed() {
    a_line_for_an_order_that_is_closed().assert_broken_by(Faults { no_order_locks: true, ..Faults::default() });
}

#[test]
fn an_order_is_picked_before_or_after_it_is_closed() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    scenario.with([Close("O")]).with([Pick("P", 2)]).assert_sequential();
}

#[test]
fn an_order_is_closed_or_cancelled() {
    an_order_and_another_product().with([Close("O")]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn an_order_is_repeated_before_or_after_it_is_closed() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)])]);
    scenario.with([Close("O")]).with([Place("O", &[("LAMP", 2)])]).assert_sequential();
}

#[test]
fn an_order_is_closed_twice() {
    an_order_and_another_product().with([Close("O")]).with([Close("O")]).assert_sequential();
}

/// An order that is shipped, and a product that it has no line of.
fn a_shipped_order() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 5), AddBatch("SOFA", "S", 5), Place("O", &[("LAMP", 2)])]);
    scenario.and_before([MakeList("P"), PickAndShip("P", 2)])
}

#[test]
fn an_order_is_repeated_while_it_is_archived() {
    a_shipped_order().with([Archive]).with([Place("O", &[("LAMP", 2)])]).with([Read("O")]).assert_sequential();
}

#[test]
fn the_id_of_an_order_stays_taken_while_it_is_archived() {
    a_shipped_order().with([Archive]).with([Place("O", &[("SOFA", 1)])]).assert_sequential();
}

#[test]
fn a_line_is_added_before_or_after_its_order_is_archived() {
    a_shipped_order().with([Archive]).with([Allocate("O", "SOFA", 1)]).assert_sequential();
}

#[test]
fn an_order_is_archived_before_or_after_it_is_changed_or_closed() {
    a_shipped_order().with([Archive]).with([Change("O", &[("SOFA", 1)])]).assert_sequential();
    a_shipped_order().with([Archive]).with([Close("O")]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn an_order_is_archived_once() {
    a_shipped_order().with([Archive]).with([Archive]).assert_sequential();
}

#[test]
fn an_order_is_archived_only_once_it_has_ended() {
    an_order_and_another_product()
        .with([Archive])
        .with([Cancel("O")])
        .with([Allocate("O", "SOFA", 1)])
        .assert_sequential();
}

#[test]
fn a_batch_is_received_before_or_after_a_line_is_allocated() {
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3), Place("O", &[("LAMP", 2)])]);
    scenario.with([Receive("R", "L", 1)]).with([Allocate("P", "LAMP", 1)]).assert_sequential();
}

#[test]
fn a_batch_is_received_before_or_after_an_order_is_cancelled() {
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3), Place("O", &[("LAMP", 3)])]);
    scenario.with([Receive("R", "L", 1)]).with([Cancel("O")]).assert_sequential();
}

#[test]
fn a_promise_improves_before_or_after_a_newcomer_gets_the_units() {
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3), Place("O", &[("LAMP", 2)])]);
    scenario.with([AddBatch("LAMP", "S", 2)]).with([Allocate("P", "LAMP", 2)]).assert_sequential();
}

#[test]
fn promises_become_fair_before_or_after_a_newcomer_gets_the_units() {
    let scenario = Scenario::after([SetPromises("LAMP", Promises::Stable), AddInbound("LAMP", "L", 3)]);
    let scenario = scenario.and_before([Place("O", &[("LAMP", 2)]), AddBatch("LAMP", "S", 2)]);
    scenario.with([SetPromises("LAMP", Promises::Fair)]).with([Allocate("P", "LAMP", 2)]).assert_sequential();
}

#[test]
fn a_promise_improves_before_or_after_a_pick_list_is_made() {
    let scenario = Scenario::after([AddBatch("LAMP", "S", 2), Place("P", &[("LAMP", 2)]), AddInbound("LAMP", "L", 3)]);
    let scenario = scenario.with([Cancel("P")]).with([MakeList("Q")]);
    scenario.with([Place("O", &[("LAMP", 2)])]).assert_sequential();
}

#[test]
fn a_receipt_is_made_once() {
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3)]);
    scenario.with([Receive("R", "L", 1)]).with([Receive("R", "L", 1)]).assert_sequential();
}

#[test]
fn one_receipt_id_is_used_once_and_one_rest_has_each_name() {
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3), AddInbound("SOFA", "S", 3)]);
    scenario.with([Receive("R", "L", 1)]).with([Receive("R", "S", 1)]).assert_sequential();
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3)]);
    scenario.with([Receive("R", "L", 1)]).with([AddBatch("SOFA", "L/2", 1)]).assert_sequential();
    // A displaced line loads all batches, the new one among them.
    let scenario = Scenario::after([AddInbound("LAMP", "L", 3), Place("O", &[("LAMP", 3)])]);
    scenario.with([Receive("R", "L", 1)]).with([AddBatch("LAMP", "L/2", 1)]).assert_sequential();
}

/// An order of lamps and sofas that is shipped.
fn a_shipped_order_of_two_products() -> Scenario {
    let lines = [AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2), Place("O", &[("LAMP", 2), ("SOFA", 2)])];
    Scenario::after(lines).and_before([MakeList("P"), Pick("P", 2), Ship("P"), MakeList("Q"), PickAndShip("Q", 2)])
}

fn one_return_of_two_products_twice() -> Scenario {
    let scenario = a_shipped_order_of_two_products();
    scenario.with([TakeBack("R", "O", "LAMP", 1)]).with([TakeBack("R", "O", "SOFA", 1)])
}

#[test]
fn two_returns_never_take_back_more_than_was_shipped() {
    let scenario = a_shipped_order().with([TakeBack("R", "O", "LAMP", 2)]).with([TakeBack("S", "O", "LAMP", 1)]);
    scenario.assert_sequential();
}

#[test]
fn a_return_is_booked_once() {
    let scenario = a_shipped_order().with([TakeBack("R", "O", "LAMP", 1)]).with([TakeBack("R", "O", "LAMP", 1)]);
    scenario.assert_sequential();
}

#[test]
fn units_come_back_before_or_after_their_order_is_archived() {
    a_shipped_order().with([Archive]).with([TakeBack("R", "O", "LAMP", 1)]).with([Read("O")]).assert_sequential();
}

#[test]
fn units_come_back_before_or_after_a_line_is_allocated_or_a_batch_takes_their_name() {
    a_shipped_order().with([TakeBack("R", "O", "LAMP", 2)]).with([Allocate("N", "LAMP", 5)]).assert_sequential();
    a_shipped_order().with([TakeBack("R", "O", "LAMP", 2)]).with([AddBatch("SOFA", "R", 1)]).assert_sequential();
}

#[test]
fn a_line_is_shipped_before_or_after_its_units_come_back() {
    let lines = [AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P"), Pick("P", 2)];
    Scenario::after(lines).with([Ship("P")]).with([TakeBack("R", "O", "LAMP", 2)]).assert_sequential();
}

#[test]
fn a_return_id_is_used_once() {
    one_return_of_two_products_twice().assert_sequential();
}

#[test]
fn without_unique_keys_a_return_id_is_used_twice() {
    one_return_of_two_products_twice().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

fn one_adjustment_of_two_products_twice() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 3), AddBatch("SOFA", "S", 3)]);
    scenario.with([Adjust("A", &[("L", -1)])]).with([Adjust("A", &[("S", -1)])])
}

#[test]
fn an_adjustment_is_made_before_or_after_a_line_is_allocated() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 1)]);
    scenario.with([Adjust("A", &[("L", -1), ("S", 1)])]).with([Allocate("O", "LAMP", 2)]).assert_sequential();
}

#[test]
fn an_adjustment_is_made_before_or_after_a_line_is_picked() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    scenario.with([Adjust("A", &[("L", -1)])]).with([Pick("P", 2)]).assert_sequential();
}

#[test]
fn an_adjustment_is_made_once() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 1)]);
    scenario.with([Adjust("A", &[("L", -1)])]).with([Adjust("A", &[("L", -1)])]).assert_sequential();
}

#[test]
fn adjustments_of_the_same_batches_have_an_order() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    let scenario = scenario.with([Adjust("A", &[("L", -1), ("S", -2)])]);
    scenario.with([Adjust("B", &[("S", -1), ("L", -2)])]).assert_sequential();
}

#[test]
fn an_adjustment_id_is_used_once() {
    one_adjustment_of_two_products_twice().assert_sequential();
}

#[test]
fn without_unique_keys_an_adjustment_id_is_used_twice() {
    one_adjustment_of_two_products_twice().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

/// A count of two lamps, of which both are picked.
fn a_count_of_picked_units() -> Scenario {
    a_picked_order().and_before([OpenCount("C", &["L"])])
}

#[test]
fn a_count_is_opened_once() {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    scenario.with([OpenCount("C", &["L"])]).with([OpenCount("C", &["L"])]).assert_sequential();
    one_count_id_twice().assert_sequential();
}

fn one_count_id_twice() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    scenario.with([OpenCount("C", &["L"])]).with([OpenCount("C", &["S"])])
}

#[test]
fn a_batch_is_in_at_most_one_open_count() {
    one_batch_in_two_counts().assert_sequential();
    one_batch_in_two_counts().and_before([OpenCount("E", &["L"])]).with([Abandon("E")]).assert_sequential();
}

fn one_batch_in_two_counts() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    scenario.with([OpenCount("C", &["L", "S"])]).with([OpenCount("D", &["L"])])
}

#[test]
fn without_unique_keys_a_batch_is_in_two_counts() {
    one_batch_in_two_counts().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

#[test]
fn without_unique_keys_a_count_id_is_used_twice() {
    one_count_id_twice().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

#[test]
fn a_line_is_entered_before_or_after_units_of_its_batch_move() {
    a_count_of_picked_units().with([Enter("C", 1)]).with([Ship("P")]).assert_sequential();
    a_count_of_picked_units().with([Enter("C", 1)]).with([CreateShipment("S", "P", 1)]).assert_sequential();
    let scenario = Scenario::after([AddBatch("LAMP", "L", 3), Place("O", &[("LAMP", 2)]), MakeList("P")]);
    let scenario = scenario.and_before([OpenCount("C", &["L"])]);
    scenario.with([Enter("C", 2), CloseCount("C")]).with([Pick("P", 1)]).assert_sequential();
    a_count_of_picked_units().with([Enter("C", 3)]).with([Adjust("A", &[("L", 1)])]).assert_sequential();
}

fn a_line_that_is_entered_while_a_unit_is_found() -> Scenario {
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2)]).and_before([OpenCount("C", &["L"])]);
    scenario.with([Enter("C", 3)]).with([Adjust("A", &[("L", 1)]), Enter("C", 3)])
}

#[test]
fn a_line_is_entered_by_two_people() {
    a_line_that_is_entered_while_a_unit_is_found().assert_sequential();
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2)]).and_before([OpenCount("C", &["L"])]);
    scenario.with([Enter("C", 1)]).with([Enter("C", 3)]).with([CloseCount("C")]).assert_sequential();
}

#[test]
fn a_count_is_closed_once() {
    let scenario = a_count_of_picked_units().and_before([Enter("C", 3)]);
    scenario.with([CloseCount("C")]).with([CloseCount("C")]).assert_sequential();
}

#[test]
fn a_count_is_closed_before_or_after_units_of_its_batch_move() {
    let scenario = || a_count_of_picked_units().and_before([Enter("C", 1)]);
    scenario().with([CloseCount("C")]).with([Ship("P")]).assert_sequential();
    scenario().with([CloseCount("C")]).with([PutBack("P", 2)]).assert_sequential();
}

#[test]
fn a_count_is_closed_or_abandoned() {
    let scenario = a_count_of_picked_units().and_before([Enter("C", 3)]);
    scenario.with([CloseCount("C")]).with([Abandon("C")]).assert_sequential();
    a_count_of_picked_units().with([Enter("C", 3)]).with([Abandon("C")]).assert_sequential();
}

#[test]
fn a_counted_batch_is_removed_and_its_reference_is_used_again() {
    let scenario = || Scenario::after([AddBatch("LAMP", "L", 2), AddBatch("SOFA", "S", 2)]);
    let counted = || scenario().and_before([OpenCount("C", &["L"]), Enter("C", 1)]);
    counted().with([CloseCount("C")]).with([RemoveBatch("L"), AddBatch("SOFA", "L", 5)]).assert_sequential();
    counted().with([CloseCount("C")]).with([RemoveBatch("L"), AddBatch("LAMP", "L", 5)]).assert_sequential();
    let open = scenario().and_before([OpenCount("C", &["L"])]);
    open.with([Enter("C", 1)]).with([RemoveBatch("L"), AddBatch("SOFA", "L", 5)]).assert_sequential();
}

#[test]
fn the_id_of_a_count_belongs_to_its_adjustment() {
    let scenario = a_count_of_picked_units().and_before([Enter("C", 3)]);
    scenario.with([CloseCount("C")]).with([Adjust("C", &[("L", 1)])]).assert_sequential();
    let scenario = Scenario::after([AddBatch("LAMP", "L", 2)]);
    scenario.with([OpenCount("C", &["L"])]).with([Adjust("C", &[("L", 1)])]).assert_sequential();
}

#[test]
fn three_commands_on_one_order_have_an_order() {
    let scenario = an_order_and_another_product();
    let scenario = scenario.with([Cancel("O")]).with([Allocate("O", "SOFA", 1)]);
    scenario.with([Allocate("P", "LAMP", 5)]).assert_sequential();
}

#[test]
fn orders_without_locks_keep_lines_after_they_are_cancelled() {
    a_line_for_an_order_that_is_cancelled().assert_broken_by(Faults { no_order_locks: true, ..Faults::default() });
}

#[test]
fn products_without_locks_lose_lines() {
    the_last_unit().assert_broken_by(Faults { no_product_locks: true, ..Faults::default() });
}

#[test]
fn products_that_are_read_before_they_are_locked_lose_lines() {
    the_last_unit().assert_broken_by(Faults { read_before_lock: true, ..Faults::default() });
}

#[test]
fn without_unique_keys_an_order_id_is_used_twice() {
    one_order_id_twice().assert_broken_by(Faults { no_unique_keys: true, ..Faults::default() });
}

#[test]
fn with_late_commits_a_caller_does_not_read_its_own_result() {
    a_line_that_its_caller_reads().assert_broken_by(Faults { late_commits: true, ..Faults::default() });
}
