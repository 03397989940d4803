//! Lines that share a group.

use crate::{World, on_every_database};

fn each_caller_gets_the_result_of_its_own_line(world: World) {
    world.add_batch("B-1", "LAMP", 10);
    world.add_batch("B-2", "RUG", 3);
    let answers = world.in_one_group(&[
        ("O-1", "LAMP", 4),
        ("O-2", "LAMP", 7),
        ("O-3", "RUG", 3),
        ("O-4", "LAMP", 6),
        ("O-5", "RUG", 1),
        ("O-6", "SOFA", 2),
    ]);
    assert_eq!(
        answers,
        [
            "allocated O-1 4",
            "short of 7, has 6",
            "allocated O-3 3",
            "allocated O-4 6",
            "short of 1, has 0",
            "short of 2, has 0"
        ]
    );
    assert_eq!(world.counters.snapshot().group_size.sum, 7, "one ahead, and a group of six");
    assert_eq!(world.counters.snapshot().group_size.count, 2);
    assert_eq!(world.count("SELECT count(*) FROM allocations"), 3);
    assert_eq!(world.count("SELECT version FROM products WHERE sku = 'LAMP'"), 2, "one unit of work for the group");
}

fn a_line_repeated_in_a_group_is_allocated_once(world: World) {
    world.add_batch("B-1", "LAMP", 10);
    let answers = world.in_one_group(&[("O-1", "LAMP", 4), ("O-1", "LAMP", 4), ("O-1", "LAMP", 4)]);
    assert_eq!(answers, ["allocated O-1 4", "unchanged O-1 4", "unchanged O-1 4"]);
    assert_eq!(world.count("SELECT allocated_quantity FROM batches"), 4);
    assert_eq!(world.count("SELECT count(*) FROM outbox WHERE type = 'allocated'"), 1);
}

fn a_line_sent_with_two_quantities_in_a_group_has_the_first(world: World) {
    world.add_batch("B-1", "LAMP", 10);
    let answers =
        world.in_one_group(&[("O-1", "LAMP", 4), ("O-1", "LAMP", 5), ("O-2", "LAMP", 11), ("O-2", "LAMP", 6)]);
    assert_eq!(answers, ["allocated O-1 4", "has 4 already", "short of 11, has 6", "allocated O-2 6"]);
    assert_eq!(world.count("SELECT allocated_quantity FROM batches"), 10);
}

fn a_group_over_many_skus_and_split_lines_keeps_the_invariants(world: World) {
    for sku in 0..40 {
        for batch in 0..3 {
            world.add_batch(&format!("B-{sku}-{batch}"), &format!("SKU-{sku}"), 2);
        }
    }
    let lines: Vec<(String, String)> = (0..120).map(|n| (format!("O-{n}"), format!("SKU-{}", n % 40))).collect();
    let lines: Vec<(&str, &str, u32)> = lines.iter().map(|(order, sku)| (order.as_str(), sku.as_str(), 3)).collect();
    let answers = world.in_one_group(&lines);
    assert_eq!(answers.iter().filter(|answer| answer.starts_with("allocated")).count(), 80);
    assert_eq!(answers.iter().filter(|answer| answer.as_str() == "short of 3, has 0").count(), 40);
    assert_eq!(world.count("SELECT count(*) FROM batches WHERE allocated_quantity <> 2"), 0);
    assert_eq!(world.count("SELECT count(*) FROM allocations"), 160, "each line is split over two batches");
    assert_eq!(world.count("SELECT count(*) FROM outbox WHERE type = 'out_of_stock'"), 40);
}

on_every_database!(
    each_caller_gets_the_result_of_its_own_line,
    a_line_repeated_in_a_group_is_allocated_once,
    a_line_sent_with_two_quantities_in_a_group_has_the_first,
    a_group_over_many_skus_and_split_lines_keeps_the_invariants,
);
