//! The program that runs the use cases over the database in memory.

use std::process::Command;

#[test]
fn the_shop_allocates_what_it_has_and_refuses_the_rest() {
    let output = Command::new(env!("CARGO_BIN_EXE_shop-in-memory")).output().unwrap();
    let lines =
        ["O-1: allocated", "O-2: allocated", "O-3: No batch found for SKU CHAIR", "B-1: 7 of 10 units are free", ""];
    assert_eq!(String::from_utf8(output.stdout).unwrap(), lines.join("\n"));
    assert!(output.status.success());
}
