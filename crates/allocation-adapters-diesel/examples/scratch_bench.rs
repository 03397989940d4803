use allocation_adapters_diesel::{DatabaseUrl, Store};
use allocation_domain::*;
use allocation_ports::*;
use allocation_test_support::TestDatabase;
use std::time::Instant;

fn main() {
    let which = std::env::args().nth(1).unwrap();
    let rounds: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let database = if which == "pg" { TestDatabase::postgres() } else { TestDatabase::sqlite() };
    let store = Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), 4).unwrap();
    store.migrations().up().unwrap();
    if std::env::var("ANALYZE").is_ok() {
        database.execute("ANALYZE");
    }
    let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let sku = |n: usize| Sku::parse(format!("SKU-{n:04}")).unwrap();
    let skus = 500;
    {
        let mut unit = store.begin().unwrap();
        let wanted: Vec<_> = (0..skus).map(|n| Wanted { create: true, ..Wanted::product(sku(n)) }).collect();
        let mut products = unit.products().lock(&wanted).unwrap();
        for product in &mut products {
            for b in 0..3 {
                product
                    .add_batch(
                        BatchReference::parse(format!("{}-{b}", product.sku())).unwrap(),
                        Quantity::new(1_000_000_000u32).unwrap(),
                        Eta::InStock,
                        now,
                    )
                    .unwrap();
            }
        }
        unit.products().save(&products, now).unwrap();
        unit.commit().unwrap();
    }
    let mut order = 0;
    for (lines, over) in [(1usize, 1usize), (20, 1), (200, 1), (200, 200), (500, 500)] {
        let mut t = [0f64; 5];
        let start = Instant::now();
        for _ in 0..rounds {
            let t0 = Instant::now();
            let mut unit = store.begin().unwrap();
            let t1 = Instant::now();
            let ids: Vec<_> = (0..lines).map(|i| OrderId::parse(format!("O-{}", order + i)).unwrap()).collect();
            order += lines;
            let wanted: Vec<_> = (0..over)
                .map(|s| Wanted {
                    open_batches: true,
                    order_ids: ids.iter().skip(s).step_by(over).cloned().collect(),
                    ..Wanted::product(sku(s))
                })
                .collect();
            let mut products = unit.products().lock(&wanted).unwrap();
            let t2 = Instant::now();
            for (s, product) in products.iter_mut().enumerate() {
                for id in ids.iter().skip(s).step_by(over) {
                    product.allocate(id, Quantity::new(1u32).unwrap()).unwrap();
                }
            }
            let t3 = Instant::now();
            unit.products().save(&products, now).unwrap();
            let t4 = Instant::now();
            unit.commit().unwrap();
            let t5 = Instant::now();
            for (i, (a, b)) in [(t0, t1), (t1, t2), (t2, t3), (t3, t4), (t4, t5)].into_iter().enumerate() {
                t[i] += (b - a).as_secs_f64() * 1e6 / rounds as f64;
            }
        }
        let e = start.elapsed().as_secs_f64();
        println!(
            "{which} {lines} lines over {over} skus: {:.0} lines/s, us: begin {:.0} lock+load {:.0} decide {:.0} save {:.0} commit {:.0}",
            (rounds * lines) as f64 / e,
            t[0],
            t[1],
            t[2],
            t[3],
            t[4]
        );
    }
    if which == "pg" {
        drop(store);
        std::thread::sleep(std::time::Duration::from_millis(1500));
        for t in ["products", "batches"] {
            println!(
                "{t}: upd {} hot {}",
                database.count(&format!("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname='{t}'")),
                database.count(&format!("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname='{t}'"))
            );
        }
    }
}
