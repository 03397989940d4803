//! States, projections and changes as JSON.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_domain::{
    Batch, BatchReference, Eta, HoldDuration, NewBatch, NewOrder, NewPickList, OnShortage, OrderId, OrderTerms,
    PickCriteria, PickLineId, PickListId, ProductState, Projection, Quantity, Sku, Stock, Units,
};
use chrono::DateTime;

const NOW: DateTime<chrono::Utc> = DateTime::UNIX_EPOCH;

/// Returns stock with a picked line, an open pick line, a hold and a backorder.
fn stock() -> Stock {
    let mut stock = Stock::new();
    let lamp = Sku::parse("LAMP").unwrap();
    let units = |units: u32| Quantity::new(units).unwrap();
    stock.add_batch(&lamp, NewBatch::new(BatchReference::parse("B-1").unwrap(), units(5), Eta::InStock), NOW).unwrap();
    stock
        .add_batch(
            &lamp,
            NewBatch::new(BatchReference::parse("B-2").unwrap(), units(2), Eta::Due(chrono::NaiveDate::MAX)),
            NOW,
        )
        .unwrap();
    let place = |stock: &mut Stock, id: &str, quantity, hold| {
        let terms = OrderTerms { hold, on_shortage: OnShortage::Backorder, ..OrderTerms::default() };
        let lines = [(lamp.clone(), units(quantity))];
        stock.place(&NewOrder::new(OrderId::parse(id).unwrap(), lines, terms).unwrap(), NOW).unwrap();
    };
    place(&mut stock, "O-1", 2, None);
    place(&mut stock, "O-2", 1, None);
    place(&mut stock, "O-3", 6, Some(HoldDuration::from_seconds(600).unwrap()));
    let list = PickListId::parse("P-1").unwrap();
    stock.make_pick_list(&NewPickList::new(list.clone(), PickCriteria::default())).unwrap();
    stock.pick(&PickLineId { list, line: 1 }, Units::new(1).unwrap(), NOW).unwrap();
    stock
}

#[test]
fn stock_is_restored_from_the_json_of_its_states() {
    let stock = stock();
    let states: Vec<ProductState> = stock.states().collect();
    let json = serde_json::to_string(&states).unwrap();
    let restored = Stock::restore(serde_json::from_str::<Vec<ProductState>>(&json).unwrap()).unwrap();
    assert_eq!(serde_json::to_string(&restored.states().collect::<Vec<_>>()).unwrap(), json);
    let lamps = |stock: &Stock| stock.products().next().unwrap().batches().to_vec();
    assert_eq!(lamps(&restored), lamps(&stock));
}

#[test]
fn a_projection_survives_a_checkpoint() {
    let mut projection = Projection::default();
    for event in stock().drain_events() {
        projection.apply(&event, NOW).unwrap();
    }
    let json = serde_json::to_string(&projection).unwrap();
    assert_eq!(serde_json::from_str::<Projection>(&json).unwrap(), projection);
}

#[test]
fn an_oversold_batch_is_rejected() {
    let stock = stock();
    let batch = stock.batch(&BatchReference::parse("B-1").unwrap()).unwrap();
    let mut json = serde_json::to_value(batch).unwrap();
    assert_eq!(serde_json::from_value::<Batch>(json.clone()).unwrap(), *batch);
    json["counts"]["allocated"] = 6.into();
    let error = serde_json::from_value::<Batch>(json).unwrap_err().to_string();
    assert!(error.starts_with("batch B-1"), "{error}");
}

#[test]
fn changes_have_their_rows_and_events() {
    let stock = stock();
    let json = serde_json::to_value(stock.products().next().unwrap().changes()).unwrap();
    assert_eq!((&json["sku"], json["added_batches"].as_array().unwrap().len()), (&"LAMP".into(), 2));
    assert_eq!(json["events"][0]["type"], "batch_added");
    assert_eq!(json["lines"].as_array().unwrap().len(), 3);
}
