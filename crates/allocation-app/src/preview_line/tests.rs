use super::*;
use crate::testing::{Shop, line};

#[test]
fn a_preview_returns_the_allocation_and_allocates_nothing() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.new_events();
    let preview = |order_id, units| shop.use_cases.preview_line(&line(order_id, "LAMP", units));
    for _ in 0..2 {
        let Outcome::Changed(would_be) = preview("O-1", 2).unwrap() else { panic!("the line is new") };
        assert_eq!(would_be.allocations.len(), 1);
    }
    assert_eq!((shop.lines("O-1"), shop.new_events().len()), (vec![], 0));
    assert!(matches!(preview("O-1", 4), Err(UseCaseError::Refused(AllocateError::OutOfStock(_)))));
    let unknown = shop.use_cases.preview_line(&line("O-1", "SOFA", 1));
    assert!(matches!(unknown, Err(UseCaseError::Refused(AllocateError::OutOfStock(_)))));
}

#[test]
fn a_preview_of_an_existing_line_returns_what_a_repeat_would() {
    let shop = Shop::with(&[("LAMP", "B-1", 3)]);
    shop.allocate("O-1", "LAMP", 2);
    let preview = |units| shop.use_cases.preview_line(&line("O-1", "LAMP", units));
    assert!(matches!(preview(2), Ok(Outcome::Unchanged(_))));
    assert!(matches!(preview(1), Err(UseCaseError::Refused(AllocateError::LineAlreadyAllocated(_)))));
}
