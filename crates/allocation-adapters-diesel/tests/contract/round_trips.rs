use crate::database::TestDatabase;
use crate::world::{World, due, instant, lock_one, order, quantity, reference, sku, to_allocate};
use allocation_domain::{Eta, NewBatch, OrderLine, Quantity};
use allocation_ports::{BatchFilter, HistoryQueries, LockRequest, PageSize, RecordedEvent, StoreError, Subject};
use chrono::{DateTime, Utc};

/// With identifiers that only earlier versions accepted.
const KINDS: [&str; 17] = [
    "RED-CHAIR",
    "a/b c",
    "'; DROP TABLE batches; --",
    "\"quoted\" \\ back\\slash",
    "100%_{}$1?",
    "ご注文 42",
    "🪑👩‍👩‍👧‍👦",
    "e\u{301}",
    "é",
    "ẞ ı İ",
    "{a,\"b\",NULL}",
    "NULL",
    "...",
    "שלום",
    "LA\u{AD}MP",
    "\u{FEFF}RED-CHAIR",
    "RED\u{A0}CHAIR",
];

pub fn identifiers_of_every_kind_round_trip(database: TestDatabase) {
    let world = World::new(database);
    for text in KINDS {
        world.add(text, text, 5, Eta::InStock);
        world.allocate(text, text, 2).unwrap();
    }
    for text in KINDS {
        let batch = world.batch(text).unwrap();
        assert_eq!((batch.reference(), batch.sku(), batch.allocated()), (&reference(text), &sku(text), 2));
        let mut unit = world.begin();
        let product = lock_one(&mut *unit, to_allocate(text, &[text]));
        let (order_id, line) = product.lines().next().unwrap();
        assert_eq!((order_id, &line.allocations[0].reference), (&order(text), &reference(text)));
    }
    assert_eq!(world.allocation_texts().len(), KINDS.len());
    assert_eq!(world.batches(&BatchFilter::default(), 4).len(), KINDS.len());
    for text in KINDS {
        let history = world.store.history(&Subject::Order(order(text)), None, PageSize::default()).unwrap();
        let of = |row: &RecordedEvent| (row.sku.clone(), row.event.order_id().cloned());
        assert_eq!(history.iter().map(of).collect::<Vec<_>>(), [(sku(text), Some(order(text)))]);
        let history = world.store.history(&Subject::Batch(reference(text)), None, PageSize::default()).unwrap();
        assert_eq!(history.iter().map(of).collect::<Vec<_>>(), [(sku(text), None)]);
    }
}

pub fn the_longest_identifiers_fit(database: TestDatabase) {
    let world = World::new(database);
    let longest = "🪑".repeat(255);
    world.add(&longest, &longest, 5, Eta::InStock);
    let order_id = "🪑".repeat((OrderLine::MAX_KEY_BYTES - longest.len()) / 4);
    assert!(OrderLine::new(order(&order_id), sku(&longest), quantity(1)).is_ok());
    world.allocate(&longest, &order_id, 5).unwrap();
    assert_eq!(world.allocated(&longest), 5);
    world.add("A", "A", 5, Eta::InStock);
    world.allocate("A", &longest, 5).unwrap();
    assert_eq!(world.allocated("A"), 5);
}

pub fn dates_and_instants_round_trip(database: TestDatabase) {
    let world = World::new(database);
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let cases = [
        ("leap day", due("2028-02-29"), at("1970-01-01T00:00:00.000001Z")),
        ("first", due("0001-01-01"), at("1999-12-31T23:59:59.999999Z")),
        ("year zero", due("0000-12-31"), at("2000-01-01T00:00:00Z")),
        ("in stock", Eta::InStock, at("2026-05-01T10:20:30.123456Z")),
        ("last", due("9999-12-31"), at("9999-12-31T23:59:59.999999Z")),
    ];
    for (name, eta, added_at) in cases {
        let stored = world.add_at("LAMP", name, 1, eta, added_at);
        assert_eq!(world.batch(name), Some(stored.clone()), "{name}");
        assert_eq!((stored.eta(), stored.added_at()), (eta, added_at), "{name}");
    }
    let mut unit = world.begin();
    let product = lock_one(&mut *unit, to_allocate("LAMP", &[]));
    let loaded: Vec<_> = product.batches().iter().map(|batch| batch.reference().as_str()).collect();
    assert_eq!(loaded, ["in stock", "year zero", "first", "leap day", "last"]);
}

pub fn a_date_that_would_not_sort_is_refused(database: TestDatabase) {
    let world = World::new(database);
    for date in ["+10000-01-01", "-0001-12-31"] {
        let wanted = LockRequest { create: true, ..LockRequest::product(sku("LAMP")) };
        let result = world.change(wanted, |product| {
            product.add_batch(NewBatch::new(reference("B"), quantity(1), due(date)), instant(0)).unwrap();
        });
        assert!(matches!(result, Err(StoreError::Failed(_))), "{date}: {result:?}");
    }
}

pub fn the_greatest_quantities_fit(database: TestDatabase) {
    let world = World::new(database);
    world.add("LAMP", "B", Quantity::MAX, Eta::InStock);
    world.allocate("LAMP", "O", Quantity::MAX).unwrap();
    assert_eq!(world.allocated("B"), Quantity::MAX);
    assert_eq!(world.deallocate("LAMP", "O", "B"), Ok(quantity(Quantity::MAX)));
    assert_eq!(world.allocated("B"), 0);
}
