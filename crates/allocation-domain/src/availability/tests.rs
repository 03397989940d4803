//! Available to promise, by date.

use super::*;

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 2, day).unwrap()
}

fn units(units: u32) -> Quantity {
    Quantity::new(units).unwrap()
}

fn series() -> Availability {
    let due = |date| Eta::Due(day(date));
    Availability::of([(due(9), 5), (Eta::InStock, 2), (due(3), 0), (due(5), 4), (due(5), 1)])
}

#[test]
fn units_add_up_over_the_days_and_empty_days_are_left_out() {
    let rows: Vec<_> = series().series().iter().map(|from| (from.eta, from.available)).collect();
    assert_eq!(rows, [(Eta::InStock, 2), (Eta::Due(day(5)), 7), (Eta::Due(day(9)), 12)]);
}

#[test]
fn the_units_free_on_a_day_include_all_earlier_arrivals() {
    let free = series();
    assert_eq!([4, 5, 8, 9, 28].map(|date| free.by(day(date))), [2, 7, 7, 12, 12]);
    assert_eq!(Availability::of([]).by(day(1)), 0);
}

#[test]
fn the_earliest_day_for_a_quantity_is_the_first_that_reaches_it() {
    let free = series();
    assert_eq!(free.earliest(units(2)), Some(Eta::InStock));
    assert_eq!(free.earliest(units(3)), Some(Eta::Due(day(5))));
    assert_eq!(free.earliest(units(12)), Some(Eta::Due(day(9))));
    assert_eq!(free.earliest(units(13)), None);
}

#[test]
fn overdue_units_are_not_free_before_today() {
    let day = |day| NaiveDate::from_ymd_opt(2027, 1, day).unwrap();
    let free =
        [(Eta::InStock, 1), (Eta::Due(day(1)), 2), (Eta::Due(day(4)), 3), (Eta::Due(day(5)), 4), (Eta::Due(day(9)), 5)];
    let told = |availability: &Availability| -> Vec<(Eta, u64)> {
        availability.series().iter().map(|from| (from.eta, from.available)).collect()
    };
    let promised = Availability::of(free).promised_on(day(5));
    assert_eq!(told(&promised), [(Eta::InStock, 1), (Eta::Due(day(5)), 10), (Eta::Due(day(9)), 15)]);
    assert_eq!((promised.by(day(4)), promised.by(day(5))), (1, 10));
    assert_eq!(promised.earliest(Quantity::new(3).unwrap()), Some(Eta::Due(day(5))));
    let overdue = Availability::of(free).promised_on(day(7));
    assert_eq!(told(&overdue), [(Eta::InStock, 1), (Eta::Due(day(7)), 10), (Eta::Due(day(9)), 15)]);
    assert_eq!(Availability::of(free).promised_on(day(1)), Availability::of(free));
    assert!(Availability::of([]).promised_on(day(1)).series().is_empty());
}
