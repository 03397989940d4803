use super::*;
use crate::testing::{Shop, now, order};
use allocation_domain::OrderTerms;
use allocation_ports::mocks::MockLeases;
use allocation_ports::{OrderFilter, OrderQueries, PageSize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Creates a shop with an order that was cancelled two days ago.
fn shop() -> Shop {
    let shop = Shop::with(&[("LAMP", "B-1", 9)]);
    shop.place("O-1", &[("LAMP", 1)], OrderTerms::default());
    shop.use_cases.cancel_order(&order("O-1")).unwrap();
    shop.advance(TimeDelta::days(2));
    shop
}

fn listed(store: &impl OrderQueries) -> usize {
    store.orders(&OrderFilter::default(), None, PageSize::LARGEST, now()).unwrap().orders.len()
}

fn start(shop: &Shop, leases: Arc<dyn Leases>, days: i64) -> BackgroundTask {
    let settings = ArchiveSettings { age: TimeDelta::days(days), pause: Duration::from_millis(1) };
    shop.use_cases.start_archiver(leases, "this".to_owned(), settings).unwrap()
}

/// Waits for something that is going to happen.
fn until(happens: impl Fn() -> bool) {
    while !happens() {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn only_the_holder_of_the_lease_archives_and_it_releases_the_lease() {
    let shop = shop();
    let (store, takes, releases) = (shop.store.clone(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut leases = MockLeases::new();
    let (taken, released) = (Arc::clone(&takes), Arc::clone(&releases));
    leases.expect_take().returning(move |lease, _| {
        assert_eq!((lease.name, lease.holder.as_str()), ("archive", "this"));
        let refused = taken.fetch_add(1, Ordering::Relaxed) < 3;
        assert!(!refused || listed(&store) == 1, "archived without the lease");
        Ok(!refused)
    });
    leases.expect_release().returning(move |_| {
        released.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let task = start(&shop, Arc::new(leases), 1);
    until(|| listed(&shop.store) == 0 && releases.load(Ordering::Relaxed) > 0);
    task.stop();
    assert!(takes.load(Ordering::Relaxed) >= 5, "refused three times, then taken to prepare and to archive");
}

#[test]
fn an_order_that_is_not_old_enough_stays_until_it_is() {
    let shop = shop();
    let prepared = Arc::new(AtomicUsize::new(0));
    let mut leases = MockLeases::new();
    let taken = Arc::clone(&prepared);
    leases.expect_take().returning(move |_, _| {
        taken.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    });
    leases.expect_release().returning(|_| Ok(()));
    let task = start(&shop, Arc::new(leases), 3);
    until(|| prepared.load(Ordering::Relaxed) > 0);
    assert_eq!(listed(&shop.store), 1);
    assert_eq!(prepared.load(Ordering::Relaxed), 1, "nothing is due, so no lease is taken to archive");
    shop.advance(TimeDelta::days(2));
    until(|| listed(&shop.store) == 0);
    task.stop();
}

#[test]
fn a_failure_of_the_leases_is_retried() {
    let shop = shop();
    let mut leases = MockLeases::new();
    let failures = AtomicUsize::new(0);
    leases.expect_take().returning(move |_, _| match failures.fetch_add(1, Ordering::Relaxed) {
        0 | 2 => Err(StoreError::Unavailable("gone".into())),
        _ => Ok(true),
    });
    leases.expect_release().returning(|_| Ok(()));
    let task = start(&shop, Arc::new(leases), 1);
    until(|| listed(&shop.store) == 0);
    task.stop();
}
