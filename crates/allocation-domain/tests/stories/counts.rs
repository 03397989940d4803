//! Stock takes while business goes on.

use crate::shop::{Shop, batch, order, sku};
use allocation_domain::{
    Adjustment, AdjustmentId, AdjustmentLine, AdjustmentReason, CountId, CountScope, CountedUnits, Eta, NewPickList,
    NewStockCount, OpenLines, PickCriteria, PickLineId, PickListId, StockCount, UncountedLines, UnitChange, Units,
};
use proptest::prelude::*;

const BATCHES: [&str; 3] = ["B-1", "B-2", "B-3"];
/// Units of each batch by the books. At most half of them leave, so that the shelf never runs out.
const PURCHASED: i64 = 20;
const MOST_LEAVE: u32 = 10;

/// What happens in the warehouse.
#[derive(Debug, Clone, Copy)]
enum Step {
    Order(u32),
    List,
    /// Picks an open line, the nth.
    Pick(usize),
    /// Picks an open line, the nth, of which no units are there that the books have and the shelf lacks.
    PickShort(usize),
    Ship(usize),
    /// Units of a batch are found, or lost, and booked.
    Adjust(usize, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..8_u32).prop_map(Step::Order),
        3 => Just(Step::List),
        4 => (0..6_usize).prop_map(Step::Pick),
        2 => (0..6_usize).prop_map(Step::PickShort),
        2 => (0..6_usize).prop_map(Step::Ship),
        2 => (0..3_usize, prop_oneof![Just(-1_i64), 1..4_i64]).prop_map(|(batch, change)| Step::Adjust(batch, change)),
    ]
}

/// The shop, and how many units there really are.
struct Warehouse {
    shop: Shop,
    units: [i64; 3],
    /// How many more there are than the books have.
    errors: [i64; 3],
    lists: Vec<PickListId>,
    count: StockCount,
    steps: usize,
}

impl Warehouse {
    /// A warehouse whose books are wrong by these units.
    fn new(errors: [i64; 3]) -> Self {
        let mut shop = Shop::of_chairs(&BATCHES.map(|name| (name, 20, Eta::InStock)));
        let scope = CountScope::References(BATCHES.map(batch).into());
        let new = NewStockCount { count_id: CountId::parse("C").unwrap(), scope, blind: false };
        let count = StockCount::open(new, BATCHES.map(|name| (sku("CHAIR"), batch(name))), shop.now).unwrap();
        shop.pass(1);
        Self { shop, units: errors.map(|error| PURCHASED + error), errors, lists: Vec::new(), count, steps: 0 }
    }

    fn run(&mut self, step: Step) {
        self.steps += 1;
        self.shop.pass(1);
        let now = self.shop.now;
        match step {
            Step::Order(units) => {
                self.shop.place(&order(&format!("O-{}", self.steps)).of(units, "CHAIR").or_backorder());
            }
            Step::List => {
                let id = PickListId::parse(format!("P-{}", self.steps)).unwrap();
                if self.shop.products.make_pick_list(&NewPickList::new(id.clone(), PickCriteria::default())).is_ok() {
                    self.lists.push(id);
                }
            }
            Step::Pick(nth) | Step::PickShort(nth) => {
                let open = self.lists.iter().filter_map(|id| self.shop.products.pick_list(id)).flat_map(|list| {
                    let line = move |number| PickLineId { list: list.list_id.clone(), line: number };
                    list.lines.clone().into_iter().filter(|(_, line)| line.is_open()).map(move |(n, it)| (line(n), it))
                });
                let Some((id, line)) = open.collect::<Vec<_>>().into_iter().nth(nth) else { return };
                let counts = self.shop.chairs().batch(&line.reference).unwrap().counts();
                if counts.picked + counts.shipped + line.quantity.get() <= MOST_LEAVE {
                    let place = BATCHES.iter().position(|name| *name == line.reference.as_str()).unwrap();
                    let quantity = i64::from(line.quantity.get());
                    let is_short = matches!(step, Step::PickShort(_));
                    let missing = if is_short { quantity.min(-self.errors[place]).max(0) } else { 0 };
                    self.errors[place] += missing;
                    self.shop.products.pick(&id, Units::new(quantity - missing).unwrap(), now).unwrap();
                }
            }
            Step::Ship(nth) => {
                let Some(list) = self.lists.get(nth).cloned() else { return };
                let before = BATCHES.map(|name| self.shipped(name));
                // A list of which nothing is picked is not shipped.
                let _ = self.shop.products.ship(&list, OpenLines::Release);
                for (place, before) in before.into_iter().enumerate() {
                    self.units[place] -= i64::from(self.shipped(BATCHES[place]) - before);
                }
            }
            Step::Adjust(place, change) => {
                self.units[place] += change;
                let line = AdjustmentLine {
                    reference: batch(BATCHES[place]),
                    change: UnitChange::new(change).unwrap(),
                    expected: None,
                };
                let id = AdjustmentId::parse(format!("A-{}", self.steps)).unwrap();
                let reason = AdjustmentReason::parse("found").unwrap();
                self.shop.products.adjust(&Adjustment::new(id, reason, [line]).unwrap(), now).unwrap();
            }
        }
    }

    fn shipped(&mut self, name: &str) -> u32 {
        self.shop.chairs().batch(&batch(name)).unwrap().counts().shipped
    }

    /// Counts the units of a batch, with those that are picked or without them.
    fn count(&mut self, place: usize, with_picked: bool) {
        let found = self.shop.chairs().batch(&batch(BATCHES[place])).unwrap().clone();
        let left_out = if with_picked { 0 } else { i64::from(found.counts().picked) };
        let counted = Units::new(self.units[place] - left_out).unwrap();
        let entered = CountedUnits { counted, picked_counted: Some(with_picked), recount: Units::ZERO };
        let line = u32::try_from(place).unwrap() + 1;
        self.count.enter(line, &found, entered).unwrap();
    }

    /// Applies the variances, and returns the units on hand by the books.
    fn close(&mut self) -> [i64; 3] {
        self.shop.pass(1);
        let batches = BATCHES.map(|name| self.shop.chairs().batch(&batch(name)).unwrap().clone());
        self.count.settle(|reference| batches.iter().find(|batch| batch.reference() == reference));
        if let Some(adjustment) = self.count.adjustment(UncountedLines::Refuse).unwrap() {
            self.shop.products.adjust(&adjustment, self.shop.now).unwrap();
        }
        BATCHES.map(|name| i64::from(self.shop.chairs().batch(&batch(name)).unwrap().on_hand()))
    }
}

proptest! {
    /// Stock that is counted while units move equals stock that is counted in a standstill, and is what is there.
    #[test]
    fn a_count_finds_the_same_whether_business_goes_on_or_not(
        errors in [-4..5_i64, -4..5_i64, -4..5_i64],
        steps in proptest::collection::vec(step(), 1..60),
        counted_after in [0..60_usize, 0..60_usize, 0..60_usize],
        with_picked in any::<[bool; 3]>(),
    ) {
        let (mut moving, mut still) = (Warehouse::new(errors), Warehouse::new(errors));
        // Units that are lost at once with those that are missing must be there.
        let lost = |place: usize| steps.iter().filter(|it| matches!(it, Step::Adjust(at, -1) if *at == place)).count();
        prop_assume!((0..3).all(|place| lost(place) <= 6));
        for (number, step) in steps.iter().enumerate() {
            for place in (0..3).filter(|place| counted_after[*place] == number) {
                moving.count(place, with_picked[place]);
            }
            moving.run(*step);
            still.run(*step);
        }
        for place in 0..3 {
            if counted_after[place] >= steps.len() {
                moving.count(place, with_picked[place]);
            }
            still.count(place, true);
        }
        let units = still.units;
        prop_assert_eq!(moving.close(), units);
        prop_assert_eq!(still.close(), units);
    }
}
