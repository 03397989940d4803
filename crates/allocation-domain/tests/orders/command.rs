//! Random commands.

use crate::counting::Counting;
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, BatchReference, Disposition, Eta, GoodsReturn,
    HoldDuration, NewOrder, NewPickList, NewShipment, OnShortage, OpenLines, OrderChange, OrderId, OrderTerms,
    OverReceipt, PickCriteria, PickLineId, PickListId, Promises, Quantity, Receipt, ReceiptId, RestTerms, ReturnId,
    ReturnLine, ShipmentId, ShipmentLine, Sku, TermsChange, UncountedLines, UnitChange, Units,
};
use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// Commands that are decided at one instant and saved together.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Seconds since the unit before; negative, since the clocks of two servers differ.
    pub(crate) seconds: i64,
    /// The number of open batches that the store loads at first.
    pub(crate) batches_at_hand: usize,
    /// The number of waiting lines that the store loads at a time.
    pub(crate) waiting_at_hand: usize,
    /// Whether the store loads the batches of the lines that it loads.
    pub(crate) with_batches: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug, Clone)]
pub(crate) enum Command {
    AddBatch {
        reference: BatchReference,
        purchased: Quantity,
        eta: Eta,
    },
    RemoveBatch {
        reference: BatchReference,
    },
    ChangeBatch {
        reference: BatchReference,
        purchased: Option<Units>,
        eta: Option<Eta>,
        reallocate: bool,
        /// Whether it expects another revision.
        stale: bool,
    },
    Adjust {
        adjustment: Adjustment,
    },
    Receive {
        receipt: Receipt,
        rest_name: BatchReference,
    },
    Allocate {
        order_id: OrderId,
        sku: Sku,
        quantity: Quantity,
    },
    Deallocate {
        order_id: OrderId,
        reference: BatchReference,
    },
    Place {
        order: NewOrder,
    },
    Confirm {
        order_id: OrderId,
        /// Whether an expired order gets its units again.
        reallocate: bool,
    },
    Extend {
        order_id: OrderId,
        hold: HoldDuration,
    },
    Cancel {
        order_id: OrderId,
    },
    Close {
        order_id: OrderId,
    },
    Change {
        change: OrderChange,
    },
    Sweep {
        sku: Sku,
    },
    SetPromises {
        sku: Sku,
        promises: Promises,
    },
    MakePickList {
        list: NewPickList,
    },
    Pick {
        id: PickLineId,
        /// The units found, `None` for all.
        found: Option<Units>,
    },
    PutBack {
        id: PickLineId,
        /// The units of the line that are to be back on the shelf.
        total: Quantity,
    },
    Ship {
        list: PickListId,
        open: OpenLines,
    },
    TakeBack {
        goods_return: GoodsReturn,
    },
    CreateShipment {
        shipment: NewShipment,
    },
    GiveBack {
        list: PickListId,
    },
    GiveBackLine {
        id: PickLineId,
    },
    Count {
        counting: Counting,
    },
}

impl Command {
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Allocate { order_id, .. }
            | Self::Deallocate { order_id, .. }
            | Self::Confirm { order_id, .. }
            | Self::Extend { order_id, .. }
            | Self::Cancel { order_id }
            | Self::Close { order_id } => Some(order_id),
            Self::Place { order } => Some(order.order_id()),
            Self::Change { change } => Some(change.order_id()),
            Self::TakeBack { goods_return } => Some(goods_return.order_id()),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&PickListId> {
        match self {
            Self::MakePickList { list } => Some(list.list_id()),
            Self::Pick { id, .. } | Self::PutBack { id, .. } | Self::GiveBackLine { id } => Some(&id.list),
            Self::Ship { list, .. } | Self::GiveBack { list } => Some(list),
            _ => None,
        }
    }

    /// All pick lists that the command names.
    pub(crate) fn lists(&self) -> Vec<&PickListId> {
        match self {
            Self::CreateShipment { shipment } => shipment.lines().iter().map(|line| &line.id.list).collect(),
            _ => self.list().into_iter().collect(),
        }
    }

    /// The pick line whose report the command changes.
    pub(crate) fn pick_line_id(&self) -> Option<&PickLineId> {
        match self {
            Self::Pick { id, .. } | Self::PutBack { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The batch of a command that concerns one product.
    pub(crate) fn reference(&self) -> Option<&BatchReference> {
        match self {
            Self::AddBatch { reference, .. }
            | Self::RemoveBatch { reference }
            | Self::ChangeBatch { reference, .. }
            | Self::Deallocate { reference, .. } => Some(reference),
            Self::Receive { receipt, .. } => Some(receipt.reference()),
            _ => None,
        }
    }

    /// All batches that the command names.
    pub(crate) fn references(&self) -> Vec<BatchReference> {
        match self {
            Self::Adjust { adjustment } => adjustment.lines().iter().map(|line| line.reference.clone()).collect(),
            Self::TakeBack { goods_return } => goods_return.references(),
            Self::Receive { receipt, rest_name } => vec![receipt.reference().clone(), rest_name.clone()],
            Self::Count { counting: Counting::Close { .. } } => all_references(),
            _ => self.reference().into_iter().cloned().collect(),
        }
    }
}

/// The reference of a batch contains its SKU.
pub(crate) fn sku_of(reference: &BatchReference) -> Sku {
    Sku::parse(reference.as_str().split('-').next().unwrap()).unwrap()
}

pub(crate) fn skus() -> Vec<Sku> {
    ["CHAIR", "LAMP"].map(|text| Sku::parse(text).unwrap()).to_vec()
}

pub(crate) fn units() -> impl Strategy<Value = Vec<Unit>> {
    prop::collection::vec(unit(1), 1..40)
}

/// Histories of a warehouse with many picks.
pub(crate) fn busy_units() -> impl Strategy<Value = Vec<Unit>> {
    let opening = (
        prop::collection::vec(stock(), 2..6),
        prop::collection::vec(order().prop_map(|order| Command::Place { order }), 2..8),
        prop::collection::vec(new_pick_list().prop_map(|list| Command::MakePickList { list }), 1..3),
    );
    let opening = opening.prop_map(|(stock, orders, lists)| {
        let commands = [stock, orders, lists].concat();
        Unit { seconds: 0, batches_at_hand: 1, waiting_at_hand: 1, with_batches: true, commands }
    });
    (opening, prop::collection::vec(unit(8), 1..25)).prop_map(|(opening, mut units)| {
        units.insert(0, opening);
        units
    })
}

fn stock() -> impl Strategy<Value = Command> {
    (reference(), 5..30_u32).prop_map(|(reference, units)| Command::AddBatch {
        reference,
        purchased: Quantity::new(units).unwrap(),
        eta: Eta::InStock,
    })
}

fn unit(picking: u32) -> impl Strategy<Value = Unit> {
    let commands = prop::collection::vec(command(picking), 1..4);
    (prop_oneof![3 => Just(0_i64), 3 => 1..8_i64, 1 => -6..0_i64], 0..4_usize, 0..3_usize, any::<bool>(), commands)
        .prop_map(|(seconds, batches_at_hand, waiting_at_hand, with_batches, commands)| Unit {
            seconds,
            batches_at_hand,
            waiting_at_hand,
            with_batches,
            commands,
        })
}

/// `picking` is the weight of commands on pick lists.
fn command(picking: u32) -> impl Strategy<Value = Command> {
    prop_oneof![
        6 => (reference(), 1..30_u32, eta()).prop_map(|(reference, purchased, eta)| Command::AddBatch {
            reference,
            purchased: Quantity::new(purchased).unwrap(),
            eta,
        }),
        1 => reference().prop_map(|reference| Command::RemoveBatch { reference }),
        8 => (reference(), prop::option::of(0..30_u32), prop::option::of(eta()), any::<bool>(), 0..10_u8).prop_map(
            |(reference, purchased, eta, reallocate, stale)| Command::ChangeBatch {
                reference,
                purchased: purchased.map(|units| Units::new(units).unwrap()),
                eta,
                reallocate,
                stale: stale == 0,
            },
        ),
        6 => adjustment().prop_map(|adjustment| Command::Adjust { adjustment }),
        8 => receipt().prop_map(|(receipt, rest_name)| Command::Receive { receipt, rest_name }),
        3 => (order_id(), sku(), quantity())
            .prop_map(|(order_id, sku, quantity)| Command::Allocate { order_id, sku, quantity }),
        2 => (order_id(), reference()).prop_map(|(order_id, reference)| Command::Deallocate { order_id, reference }),
        8 => order().prop_map(|order| Command::Place { order }),
        4 => (order_id(), any::<bool>())
            .prop_map(|(order_id, reallocate)| Command::Confirm { order_id, reallocate }),
        1 => (order_id(), 10..30_u32).prop_map(|(order_id, seconds)| Command::Extend {
            order_id,
            hold: HoldDuration::from_seconds(seconds).unwrap(),
        }),
        2 => order_id().prop_map(|order_id| Command::Cancel { order_id }),
        2 => order_id().prop_map(|order_id| Command::Close { order_id }),
        6 => change().prop_map(|change| Command::Change { change }),
        1 => sku().prop_map(|sku| Command::Sweep { sku }),
        1 => (sku(), promises()).prop_map(|(sku, promises)| Command::SetPromises { sku, promises }),
        2 * picking => new_pick_list().prop_map(|list| Command::MakePickList { list }),
        4 * picking => (list_id(), 1..4_u32, prop::option::of(0..8_u32)).prop_map(|(list, line, found)| Command::Pick {
            id: PickLineId { list, line },
            found: found.map(|units| Units::new(units).unwrap()),
        }),
        2 * picking => (list_id(), 1..4_u32, 1..6_u32).prop_map(|(list, line, total)| Command::PutBack {
            id: PickLineId { list, line },
            total: Quantity::new(total).unwrap(),
        }),
        picking => (list_id(), any::<bool>()).prop_map(|(list, releases)| Command::Ship {
            list,
            open: if releases { OpenLines::Release } else { OpenLines::Refuse },
        }),
        picking => goods_return().prop_map(|goods_return| Command::TakeBack { goods_return }),
        2 * picking => shipment().prop_map(|shipment| Command::CreateShipment { shipment }),
        1 => list_id().prop_map(|list| Command::GiveBack { list }),
        picking => (list_id(), 1..4_u32).prop_map(|(list, line)| Command::GiveBackLine { id: PickLineId { list, line } }),
        8 => counting().prop_map(|counting| Command::Count { counting }),
    ]
}

fn counting() -> impl Strategy<Value = Counting> {
    let uncounted = prop::sample::select(vec![UncountedLines::Refuse, UncountedLines::Leave]);
    prop_oneof![
        2 => prop::collection::btree_set(reference(), 1..6).prop_map(|references| Counting::Open { references }),
        6 => (1..5_u32, -3..4_i32, prop::option::of(any::<bool>()))
            .prop_map(|(line, beyond, picked_counted)| Counting::Enter { line, beyond, picked_counted }),
        2 => uncounted.prop_map(|uncounted| Counting::Close { uncounted }),
        1 => Just(Counting::Abandon),
    ]
}

fn promises() -> impl Strategy<Value = Promises> {
    prop_oneof![3 => Just(Promises::Fair), 1 => Just(Promises::Stable)]
}

fn sku() -> impl Strategy<Value = Sku> {
    prop::sample::select(skus())
}

fn reference() -> impl Strategy<Value = BatchReference> {
    prop::sample::select(all_references())
}

fn all_references() -> Vec<BatchReference> {
    let of_sku = |sku: Sku| (0..3).map(move |number| BatchReference::parse(format!("{sku}-{number}")).unwrap());
    skus().into_iter().flat_map(of_sku).collect()
}

fn order_id() -> impl Strategy<Value = OrderId> {
    (0..16_u8).prop_map(|number| OrderId::parse(format!("O-{number}")).unwrap())
}

fn list_id() -> impl Strategy<Value = PickListId> {
    (0..4_u8).prop_map(|number| PickListId::parse(format!("P-{number}")).unwrap())
}

fn new_pick_list() -> impl Strategy<Value = NewPickList> {
    let criteria = (
        prop::option::weighted(0.2, prop::collection::btree_set(reference(), 1..4)),
        prop::option::weighted(0.2, prop::collection::btree_set(sku(), 1..2)),
        prop::option::weighted(0.2, prop::collection::btree_set(order_id(), 1..8)),
    );
    (list_id(), criteria, 1..6_usize).prop_map(|(list_id, (references, skus, order_ids), max_lines)| {
        let criteria = PickCriteria { references, skus, order_ids };
        NewPickList::new(list_id, criteria).with_max_lines(max_lines).unwrap()
    })
}

fn shipment() -> impl Strategy<Value = NewShipment> {
    let line = ((list_id(), 1..4_u32), prop::option::of(1..6_u32));
    prop::collection::btree_map(line.0, line.1, 1..3).prop_map(|lines| {
        let line = |((list, line), units): ((PickListId, u32), Option<u32>)| ShipmentLine {
            id: PickLineId { list, line },
            quantity: units.map(|units| Quantity::new(units).unwrap()),
        };
        NewShipment::new(ShipmentId::parse("S-1").unwrap(), lines.into_iter().map(line)).unwrap()
    })
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (1..14_u32).prop_map(|units| Quantity::new(units).unwrap())
}

fn eta() -> impl Strategy<Value = Eta> {
    prop::option::of(1..6_u32).prop_map(|day| Eta::from(day.map(|day| NaiveDate::from_ymd_opt(2027, 2, day).unwrap())))
}

fn receipt() -> impl Strategy<Value = (Receipt, BatchReference)> {
    let rest = prop_oneof![
        4 => prop::option::of(eta()).prop_map(|eta| {
            let eta = eta.filter(|eta| *eta != Eta::InStock);
            Some(RestTerms { reference: None, eta })
        }),
        1 => Just(None),
    ];
    let over = prop::sample::select(vec![OverReceipt::Refuse, OverReceipt::Accept]);
    (reference(), 0..3_u8, 0..15_u32, 0..4_u32, rest, over).prop_map(
        |(reference, number, kept, rejected, rest, over)| {
            let rest_name = BatchReference::parse(format!("{}-{number}", sku_of(&reference))).unwrap();
            let units = |units: u32| Units::new(units).unwrap();
            let id = ReceiptId::parse("R-1").unwrap();
            let receipt =
                Receipt::new(id, reference, units(kept + u32::from(kept + rejected == 0)), units(rejected)).unwrap();
            (receipt.with_rest(rest).with_over(over), rest_name)
        },
    )
}

/// A return that restocks units of at most one product: the reference of their batch contains the SKU.
fn goods_return() -> impl Strategy<Value = GoodsReturn> {
    let lines = prop::collection::btree_map((sku(), 0..3_usize), 1..4_u32, 1..4);
    (sku(), 0..8_u8, order_id(), lines).prop_map(|(restocked, number, order_id, lines)| {
        let line = |((sku, disposition), units): ((Sku, usize), u32)| ReturnLine {
            sku,
            quantity: Quantity::new(units).unwrap(),
            disposition: Disposition::ALL[disposition],
        };
        let lines: Vec<_> = lines.into_iter().map(line).collect();
        let is_other = |line: &ReturnLine| line.disposition != Disposition::Restock || line.sku == restocked;
        let mut kept: Vec<_> = lines.iter().filter(|line| is_other(line)).cloned().collect();
        if kept.is_empty() {
            kept = vec![ReturnLine { sku: restocked.clone(), ..lines[0].clone() }];
        }
        GoodsReturn::new(ReturnId::parse(format!("{restocked}-{number}")).unwrap(), order_id, kept).unwrap()
    })
}

fn adjustment() -> impl Strategy<Value = Adjustment> {
    let change = prop_oneof![3 => -12..0_i32, 2 => 1..12_i32];
    let line = (change, prop::option::weighted(0.1, 0..20_u32)).prop_map(|(change, expected)| {
        let expected = expected.map(|units| Units::new(units).unwrap());
        (UnitChange::new(change).unwrap(), expected)
    });
    prop::collection::btree_map(reference(), line, 1..4).prop_map(|lines| {
        let line = |(reference, (change, expected))| AdjustmentLine { reference, change, expected };
        let (id, reason) = (AdjustmentId::parse("A-1").unwrap(), AdjustmentReason::parse("correction").unwrap());
        Adjustment::new(id, reason, lines.into_iter().map(line)).unwrap()
    })
}

fn change() -> impl Strategy<Value = OrderChange> {
    let on_shortage = prop::sample::select(vec![OnShortage::Reject, OnShortage::Backorder]);
    let terms = (
        prop::option::weighted(0.3, -1..2_i32),
        prop::option::weighted(0.3, on_shortage),
        prop::option::weighted(0.3, any::<bool>()),
        prop::option::weighted(0.2, promises()),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, 10..20_u32),
    );
    let terms = terms.prop_map(|(priority, on_shortage, allow_split, promises, ship_complete, hold)| {
        let hold = hold.map(|seconds| HoldDuration::from_seconds(seconds).unwrap());
        TermsChange { priority, on_shortage, allow_split, promises, ship_complete, hold }
    });
    let units = (0..14_u32).prop_map(|units| Units::new(units).unwrap());
    let lines = subsequence(skus(), 0..=2)
        .prop_flat_map(move |skus| skus.into_iter().map(|sku| (Just(sku), units.clone())).collect::<Vec<_>>());
    (order_id(), lines, terms).prop_map(|(order_id, lines, terms)| OrderChange::new(order_id, lines, terms).unwrap())
}

fn order() -> impl Strategy<Value = NewOrder> {
    let flags = (any::<bool>(), prop::bool::weighted(0.25));
    let terms = (0..4_u8, prop::option::of(10..20_u32), -1..2_i32, flags, promises()).prop_map(
        |(on_shortage, hold, priority, (allow_split, ship_complete), promises)| OrderTerms {
            on_shortage: if on_shortage == 0 { OnShortage::Reject } else { OnShortage::Backorder },
            hold: hold.map(|seconds| HoldDuration::from_seconds(seconds).unwrap()),
            priority,
            allow_split,
            promises,
            ship_complete,
        },
    );
    let lines = subsequence(skus(), 1..=2)
        .prop_flat_map(|skus| skus.into_iter().map(|sku| (Just(sku), quantity())).collect::<Vec<_>>());
    (order_id(), lines, terms).prop_map(|(order_id, lines, terms)| NewOrder::new(order_id, lines, terms).unwrap())
}
