//! The tables, which are the same in both databases.

diesel::table! {
    products (sku) {
        sku -> Text,
        version -> BigInt,
        last_at -> BigInt,
        in_stock -> BigInt,
        on_its_way -> BigInt,
        held -> BigInt,
        backordered -> BigInt,
        held_lines -> BigInt,
        waiting_lines -> BigInt,
        picked -> BigInt,
        unserved -> Bool,
    }
}

diesel::table! {
    batches (sku, reference) {
        sku -> Text,
        reference -> Text,
        purchased_quantity -> Integer,
        allocated_quantity -> Integer,
        eta -> Nullable<Date>,
        added_at -> BigInt,
        is_open -> Bool,
        revision -> Integer,
        picked_quantity -> Integer,
        shipped_quantity -> Integer,
        missing_quantity -> Integer,
        moving -> Nullable<Text>,
    }
}

diesel::table! {
    batch_references (reference) {
        reference -> Text,
        sku -> Text,
        purchased_quantity -> Integer,
        eta -> Nullable<Date>,
    }
}

diesel::table! {
    order_lines (sku, order_id) {
        sku -> Text,
        order_id -> Text,
        quantity -> Integer,
        placed_at -> BigInt,
        of_order -> Bool,
        priority -> Integer,
        backorders -> Bool,
        allow_split -> Bool,
        waiting -> Integer,
        expires_at -> Nullable<BigInt>,
        ended -> Nullable<Text>,
        listed -> Integer,
        picked -> Integer,
        shipped -> Integer,
    }
}

diesel::table! {
    orders (order_id) {
        order_id -> Text,
        lines -> Text,
        priority -> Integer,
        backorders -> Bool,
        allow_split -> Bool,
        hold_seconds -> Nullable<Integer>,
        placed_at -> BigInt,
    }
}

diesel::table! {
    allocations (sku, order_id, reference) {
        sku -> Text,
        order_id -> Text,
        reference -> Text,
        quantity -> Integer,
        precedence -> Integer,
        placed_at -> BigInt,
    }
}

diesel::table! {
    outbox (sku, version, ordinal) {
        sku -> Text,
        version -> BigInt,
        ordinal -> Integer,
        #[sql_name = "type"]
        event_type -> Text,
        order_id -> Nullable<Text>,
        payload -> Text,
        occurred_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    products,
    batches,
    batch_references,
    order_lines,
    orders,
    allocations,
    outbox
);
