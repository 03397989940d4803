use super::*;
use crate::testing::{
    Shop, committed, conflict, ending, list_id, order, product_with_line, reference, restored, rolled_back, saves, sku,
    units, use_cases, with_documents, with_orders,
};
use allocation_domain::{
    Disposition, NewPickList, OpenLines, PickCriteria, PickLineId, Products, ReservationState, ReturnId, ReturnLine,
    Units,
};
use allocation_ports::mocks::{MockProductRepository, MockStockDocuments, MockUnitOfWork};
use allocation_ports::{EventContext, StoreError};
use std::collections::BTreeMap;

fn line(sku_text: &str, quantity: u32, disposition: Disposition) -> ReturnLine {
    ReturnLine { sku: sku(sku_text), quantity: units(quantity), disposition }
}

fn returned(id: &str, lines: Vec<ReturnLine>) -> GoodsReturn {
    GoodsReturn::new(ReturnId::parse(id).unwrap(), order("O-1"), lines).unwrap()
}

fn restock(id: &str, quantity: u32) -> GoodsReturn {
    returned(id, vec![line("LAMP", quantity, Disposition::Restock)])
}

/// A shop that has shipped all its lamps and sofas for an order.
fn shipped() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 3), ("SOFA", "B-2", 2)]);
    shop.place_waiting("O-1", &[("LAMP", 3), ("SOFA", 2)]);
    shop.make_pick_list();
    for (number, found) in [(1, 3), (2, 2)] {
        let id = PickLineId { list: list_id("P-1"), line: number };
        shop.use_cases.pick(&id, Units::new(found).unwrap()).unwrap();
    }
    shop.use_cases.ship_pick_list(&list_id("P-1"), OpenLines::Refuse).unwrap();
    shop.new_events();
    shop
}

fn booked(shop: &Shop, goods_return: &GoodsReturn) -> RecordedReturn {
    match shop.use_cases.take_back(goods_return) {
        Ok(Outcome::Changed(recorded)) => recorded,
        other => panic!("{other:?}"),
    }
}

fn came_back(shop: &Shop) -> Vec<u32> {
    shop.lines("O-1").iter().map(|(_, line)| line.fulfilment.returned).collect()
}

#[test]
fn units_of_two_products_come_back_in_one_unit_of_work_and_once() {
    let shop = shipped();
    shop.place_waiting("O-2", &[("LAMP", 1)]);
    shop.new_events();
    let lines = vec![
        line("SOFA", 1, Disposition::Scrap),
        line("LAMP", 2, Disposition::Restock),
        line("LAMP", 1, Disposition::Quarantine),
    ];
    let recorded = booked(&shop, &returned("RMA-1", lines.clone()));
    let events = ["line_returned", "batch_added", "line_returned", "allocated", "back_in_stock", "line_returned"];
    assert_eq!((shop.new_events(), came_back(&shop)), (events.map(str::to_owned).to_vec(), vec![3, 1]));
    let batch = shop.batch("RMA-1").unwrap();
    assert_eq!((batch.total().get(), batch.available()), (2, 1));
    assert_eq!(batch.origin().unwrap().order_id, order("O-1"));
    let again = shop.use_cases.take_back(&returned("RMA-1", lines.into_iter().rev().collect())).unwrap();
    assert_eq!((again, shop.new_events().len()), (Outcome::Unchanged(recorded), 0));
    let other = shop.use_cases.take_back(&restock("RMA-1", 1));
    assert!(matches!(other, Err(UseCaseError::Refused(ReturnError::AlreadyExists(_)))), "{other:?}");
}

#[test]
fn an_archived_order_takes_back_its_units() {
    let shop = shipped();
    let ever = chrono::DateTime::<chrono::Utc>::MAX_UTC;
    assert_eq!(shop.use_cases.archive_orders(ever, &mut None, &mut || Ok(true)).unwrap().orders, 1);
    booked(&shop, &restock("RMA-1", 2));
    shop.use_cases.archive_orders(ever, &mut None, &mut || Ok(true)).unwrap();
    let more = shop.use_cases.take_back(&restock("RMA-2", 2));
    assert!(matches!(more, Err(UseCaseError::Refused(ReturnError::MoreThanShipped { .. }))), "{more:?}");
    booked(&shop, &restock("RMA-2", 1));
    assert_eq!(came_back(&shop), [3, 0]);
}

#[test]
fn a_dry_run_returns_what_would_be_and_stores_nothing() {
    let shop = shipped();
    let dry = shop.use_cases.clone().as_dry_run(true);
    let Outcome::Changed(would_be) = dry.take_back(&restock("RMA-1", 2)).unwrap() else { panic!("it is new") };
    assert_eq!((came_back(&shop), shop.batch("RMA-1"), shop.new_events().len()), (vec![0, 0], None, 0));
    assert_eq!(booked(&shop, &restock("RMA-1", 2)).outcome, would_be.outcome);
}

#[test]
fn refusals_change_nothing() {
    let shop = shipped();
    shop.add("BED", "TAKEN", 1);
    shop.new_events();
    let both = |lamps: u32, sofas: u32| {
        returned("R", vec![line("LAMP", lamps, Disposition::Restock), line("SOFA", sofas, Disposition::Scrap)])
    };
    for refused in
        [both(1, 3), both(4, 1), restock("TAKEN", 1), returned("R", vec![line("BED", 1, Disposition::Scrap)])]
    {
        let refused = shop.use_cases.take_back(&refused);
        assert!(matches!(refused, Err(UseCaseError::Refused(_))), "{refused:?}");
    }
    let nowhere = GoodsReturn::new(ReturnId::parse("R").unwrap(), order("O-9"), restock("R", 1).lines().to_vec());
    let nowhere = shop.use_cases.take_back(&nowhere.unwrap());
    assert!(matches!(nowhere, Err(UseCaseError::Refused(ReturnError::OrderNotFound(_)))), "{nowhere:?}");
    assert_eq!((came_back(&shop), shop.new_events().len()), (vec![0, 0], 0));
    booked(&shop, &both(1, 1));
}

#[test]
fn a_purchase_is_no_repeat_of_units_that_came_back() {
    let shop = shipped();
    booked(&shop, &restock("RMA-1", 2));
    let new = allocation_domain::NewBatch::new(reference("RMA-1"), units(2), allocation_domain::Eta::InStock);
    let added = shop.use_cases.add_batch(&sku("LAMP"), &new);
    assert!(matches!(added, Err(UseCaseError::Refused(_))), "{added:?}");
}

#[test]
fn a_product_that_is_behind_is_brought_up_to_date_first() {
    let shop = shipped();
    shop.add("LAMP", "B-3", 1_200);
    for number in 0..1_100 {
        shop.place_held(&format!("H-{number}"), &[("LAMP", 1)], 10);
    }
    shop.advance(chrono::TimeDelta::seconds(20));
    booked(&shop, &restock("RMA-1", 2));
    assert_eq!(shop.batch("RMA-1").unwrap().available(), 2);
}

#[test]
fn events_name_the_author() {
    let shop = shipped();
    let context = EventContext { actor: allocation_access::Actor::Anonymous, ..EventContext::default() };
    shop.use_cases.clone().with_context(context).take_back(&restock("RMA-1", 1)).unwrap();
    assert_eq!(
        shop.new_events_with_actors(),
        ["line_returned by anonymous", "batch_added by anonymous", "back_in_stock by anonymous"]
    );
}

/// Lamps of which three were shipped for `O-1`.
fn lamps() -> Product {
    let mut products = Products::from_iter([product_with_line("LAMP", 3, 3, ReservationState::Firm)]);
    products.make_pick_list(&NewPickList::new(list_id("P-1"), PickCriteria::default())).unwrap();
    let id = PickLineId { list: list_id("P-1"), line: 1 };
    products.pick(&id, Units::new(3).unwrap(), crate::testing::now()).unwrap();
    products.ship(&list_id("P-1"), OpenLines::Refuse).unwrap();
    restored(products.get(&sku("LAMP")).unwrap())
}

fn with_lamps(unit: Result<MockUnitOfWork, StoreError>) -> Result<MockUnitOfWork, StoreError> {
    with_orders(unit, |orders| {
        orders.expect_skus_of().returning(|_| Ok(vec![sku("LAMP")]));
    })
}

fn run(units: Vec<Result<MockUnitOfWork, StoreError>>) -> Result<Outcome<RecordedReturn>, UseCaseError<ReturnError>> {
    use_cases(units.into_iter().map(with_lamps).collect()).take_back(&restock("RMA-1", 2))
}

fn locks_lamps(products: &mut MockProductRepository) {
    products.expect_lock().times(1).returning(|_| Ok(vec![lamps()]));
    products.expect_skus_of_batches().returning(|_| Ok(BTreeMap::new()));
}

fn no_documents(documents: &mut MockStockDocuments) {
    documents.expect_find().returning(|_| Ok(None));
    documents.expect_prepare_returns().times(1).returning(|| Ok(()));
}

fn adds(documents: &mut MockStockDocuments) {
    no_documents(documents);
    documents.expect_add().times(1).returning(|_| Ok(()));
}

#[test]
fn a_conflict_runs_the_unit_again() {
    let unit = |unit, add: fn(&mut MockStockDocuments)| with_documents(unit, add);
    let taken = unit(
        rolled_back(|products| {
            locks_lamps(products);
            saves(products, &["line_returned", "batch_added"]);
        }),
        |documents| {
            no_documents(documents);
            documents.expect_add().times(1).returning(|_| Err(conflict()));
        },
    );
    let made = unit(
        committed(|products| {
            locks_lamps(products);
            saves(products, &["line_returned", "batch_added"]);
        }),
        adds,
    );
    assert!(matches!(run(vec![taken, made]), Ok(Outcome::Changed(_))));
}

#[test]
fn a_lost_commit_is_resolved_by_the_document() {
    let shop = shipped();
    let made = booked(&shop, &restock("RMA-1", 2));
    let unknown = StoreError::OutcomeUnknown(crate::testing::cause("the connection was lost"));
    let lost = with_documents(
        ending(Err(unknown), |products| {
            locks_lamps(products);
            saves(products, &["line_returned", "batch_added"]);
        }),
        adds,
    );
    let known = made.clone();
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Return(known.clone()))));
    });
    assert_eq!(run(vec![lost, found]).unwrap(), Outcome::Changed(made));
}

#[test]
fn a_refusal_because_of_the_same_return_finds_it_instead() {
    let shop = shipped();
    let made = booked(&shop, &restock("RMA-1", 2));
    let (known, again) = (made.clone(), made.clone());
    let late = with_documents(
        rolled_back(|products| {
            products.expect_lock().times(1).returning(|_| Ok(vec![crate::testing::product("LAMP", Vec::new())]));
        }),
        |documents| {
            let mut found = vec![Some(StockDocument::Return(known)), None];
            documents.expect_find().times(2).returning(move |_| Ok(found.pop().unwrap()));
            documents.expect_prepare_returns().times(1).returning(|| Ok(()));
        },
    );
    let found = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().times(1).returning(move |_| Ok(Some(StockDocument::Return(again.clone()))));
    });
    assert_eq!(run(vec![late, found]).unwrap(), Outcome::Unchanged(made));
}

/// A step of it is committed, if the product is behind.
#[test]
fn a_dry_run_shuts_no_program_out() {
    let unit = with_documents(
        rolled_back(|products| {
            locks_lamps(products);
            saves(products, &["line_returned", "batch_added"]);
        }),
        |documents| {
            documents.expect_find().returning(|_| Ok(None));
            documents.expect_prepare_returns().never();
            documents.expect_add().times(1).returning(|_| Ok(()));
        },
    );
    let tried = use_cases(vec![with_lamps(unit)]).as_dry_run(true).take_back(&restock("RMA-1", 2));
    assert!(matches!(tried, Ok(Outcome::Changed(_))), "{tried:?}");
}

#[test]
fn a_return_for_an_unknown_order_shuts_no_program_out() {
    let unit = with_documents(rolled_back(|_| {}), |documents| {
        documents.expect_find().returning(|_| Ok(None));
        documents.expect_prepare_returns().never();
    });
    let unit = with_orders(unit, |orders| {
        orders.expect_skus_of().returning(|_| Ok(Vec::new()));
    });
    let refused = use_cases(vec![unit]).take_back(&restock("RMA-1", 2));
    assert!(matches!(refused, Err(UseCaseError::Refused(ReturnError::OrderNotFound(_)))), "{refused:?}");
}
