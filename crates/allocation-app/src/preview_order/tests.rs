use super::*;
use crate::testing::{Shop, new_order};
use allocation_domain::{OrderTerms, Outcome};

#[test]
fn a_preview_returns_the_order_and_places_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.new_events();
    let wanted = new_order("O-1", &[("LAMP", 2)], OrderTerms::default());
    let Outcome::Changed(would_be) = shop.use_cases.preview_order(&wanted).unwrap() else { panic!("it is new") };
    assert_eq!(would_be.lines[0].1.allocated(), 2);
    assert_eq!((shop.lines("O-1"), shop.new_events().len()), (vec![], 0));
    assert_eq!(shop.batch("B-1").unwrap().available(), 3);
}

#[test]
fn a_preview_of_an_existing_order_returns_what_a_repeat_would() {
    let shop = Shop::with(&[("LAMP", "B-1", 3), ("SOFA", "B-2", 3)]);
    shop.place("O-1", &[("LAMP", 2)], OrderTerms::default());
    shop.allocate("O-2", "SOFA", 1);
    let preview =
        |name, units| shop.use_cases.preview_order(&new_order(name, &[("LAMP", units)], OrderTerms::default()));
    assert_eq!(preview("O-1", 2).unwrap(), Outcome::Unchanged(()));
    for taken in [preview("O-1", 1), preview("O-2", 1)] {
        assert!(matches!(taken, Err(UseCaseError::Refused(PlaceError::AlreadyExists(_)))));
    }
    assert!(matches!(preview("O-3", 2), Err(UseCaseError::Refused(PlaceError::OutOfStock(_)))));
}
