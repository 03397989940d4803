//! At the instant of expiry, held units are confirmed or reallocated, never both.

use super::{nothing_deadlocked, nothing_failed, with_one_server_and_with_two};
use crate::support::{Client, Server, TestDatabase, expire_at, now};
use serde_json::json;
use std::thread;
use std::time::Duration;

const LANES: usize = 4;
const ROUNDS: u64 = 20;

/// The numbers of orders that were confirmed or extended, and that lost their units.
struct Won {
    confirmed: usize,
    taken_over: usize,
    /// How long before its expiry a hold is shortened, in microseconds: longer on a busy machine, where
    /// every confirmation would be too late.
    ahead: i64,
}

fn sleep_until(at: i64) {
    if let Ok(left) = u64::try_from(at - now()) {
        thread::sleep(Duration::from_micros(left));
    }
}

/// Confirms or extends an order of two SKUs around the instant of its expiry, while others request
/// its units.
fn one_round(database: &TestDatabase, clients: &[Client; 3], lane: usize, round: u64, won: &mut Won) {
    let (lamp, sofa) = (format!("LAMP-{lane}"), format!("SOFA-{lane}"));
    let held = format!("HELD-{lane}-{round}");
    let (alone, order) = (format!("ALONE-{lane}-{round}"), format!("ORDER-{lane}-{round}"));
    let placed = clients[0].place(&held, &[(&lamp, 2), (&sofa, 2)], json!({"hold_seconds": 600}));
    assert_eq!(placed.status, 201, "{placed:?}");
    let prolongs = round % 4 == 3;
    let at = now() + won.ahead;
    expire_at(database, &held, at);
    if now() > at - 15_000 {
        won.ahead = (won.ahead * 2).min(2_000_000);
    }
    // From ten milliseconds before to ten after, different for each of the three.
    let jitter = |salt: u64| i64::try_from((round * 7_919 + salt * 104_729) % 20_000).unwrap() - 10_000;
    let (confirmed, taken_alone, taken) = thread::scope(|scope| {
        let (ahead, held) = (won.ahead, held.as_str());
        let confirm = scope.spawn(move || {
            // More time on every other run, because a response may take longer than the jitter.
            sleep_until(at + jitter(1) - if round.is_multiple_of(2) { 3_000 } else { ahead / 2 });
            if prolongs { clients[0].extend(held, 600).status } else { clients[0].confirm(held).status }
        });
        let allocate = scope.spawn(|| {
            sleep_until(at + jitter(2));
            clients[1].allocate(&alone, &lamp, 2).status
        });
        sleep_until(at + jitter(3));
        let placed = clients[2].place(&order, &[(&sofa, 2), (&lamp, 2)], json!({})).status;
        (confirm.join().unwrap(), allocate.join().unwrap(), placed)
    });
    assert!([200, 409].contains(&confirmed) && [201, 409].contains(&taken_alone) && [201, 409].contains(&taken));
    let owners = [confirmed == 200, taken_alone == 201, taken == 201].iter().filter(|won| **won).count();
    assert!(owners <= 1, "{held}: {confirmed} {taken_alone} {taken}");
    won.confirmed += usize::from(confirmed == 200);
    won.taken_over += usize::from(taken_alone == 201 || taken == 201);
    let standing = clients[0].order(&held)["status"].as_str().unwrap().to_owned();
    if confirmed == 200 {
        assert_eq!(standing, if prolongs { "held" } else { "allocated" }, "{held}");
    } else {
        assert_eq!(standing, "expired", "{held}");
        clients[0].confirm(&held).problem(409, "hold-expired");
    }
    // No unit is lost: every holder releases its units.
    clients[0].cancel(&held);
    clients[1].cancel(&alone);
    clients[2].cancel(&order);
    for sku in [&lamp, &sofa] {
        assert_eq!(clients[0].product(sku)["available"], 2, "{held}");
    }
}

fn confirms_or_takes_over(database: &TestDatabase, servers: &[&Server]) {
    let client = |number: usize| servers[number % servers.len()].client();
    for lane in 0..LANES {
        client(0).add_batch(&format!("L-{lane}"), &format!("LAMP-{lane}"), 2, None);
        client(0).add_batch(&format!("S-{lane}"), &format!("SOFA-{lane}"), 2, None);
    }
    let won: Vec<Won> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let clients = [client(lane), client(lane + 1), client(lane + 1)];
                scope.spawn(move || {
                    let mut won = Won { confirmed: 0, taken_over: 0, ahead: 30_000 };
                    (0..ROUNDS).for_each(|round| one_round(database, &clients, lane, round, &mut won));
                    won
                })
            })
            .collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let confirmed: usize = won.iter().map(|won| won.confirmed).sum();
    let taken_over: usize = won.iter().map(|won| won.taken_over).sum();
    assert!(confirmed > 0 && taken_over > 0, "a race that always ends alike is none: {confirmed}, {taken_over}");
    nothing_deadlocked(database);
    nothing_failed(servers);
}

with_one_server_and_with_two!(what_expires_is_confirmed_or_taken_over_never_both: confirms_or_takes_over);
