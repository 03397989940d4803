use super::*;
use crate::EngineCounters;
use crate::engine::GroupMeasure;
use crate::testing::{cause, clock, now, sku};
use allocation_ports::mocks::{MockEventLog, MockEventPublisher, MockLeases, MockPendingConfirms, MockRelayStore};
use allocation_ports::{
    BrokerUnavailable, Delivery, EventContext, EventPage, LoggedEvent, ParkedEvent, PendingConfirms, PublishStatus,
    ReadLogError, RecordError, Subject,
};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// The state that the mocks share: a log, a broker, and the recorded progress.
#[derive(Default)]
struct World {
    /// The number of events in the log.
    events: u64,
    /// The position of the oldest retained event.
    oldest: u64,
    checkpoint: u64,
    parked: BTreeMap<u64, ParkedEvent>,
    /// Whether another process has the lease.
    lease_is_lost: bool,
    /// The number of records after which the lease is lost.
    lose_lease_after: Option<u32>,
    released: u32,
    /// The number of attempts to connect that fail.
    away: u32,
    connected: u32,
    /// The broker's results for positions, the first result first.
    broker: BTreeMap<u64, Vec<Delivery>>,
    /// The number of pages after which the connection breaks, once.
    break_after: Option<u32>,
    /// The statuses of pages before they are answered.
    answers: Vec<PublishStatus>,
    /// How long sending takes while the engine decides large groups, if it does.
    load: Option<Duration>,
    counters: Arc<EngineCounters>,
    /// Whether the broker has yet to answer a page.
    under_way: bool,
    sent: Vec<u64>,
    recorded: u32,
}

type Shared = Arc<Mutex<World>>;

fn event(position: u64) -> LoggedEvent {
    LoggedEvent {
        position,
        occurred_at: now(),
        name: "out_of_stock".to_owned(),
        subject: Subject::Product(sku("LAMP")),
        json: r#"{"type":"out_of_stock","sku":"LAMP"}"#.to_owned(),
        context: EventContext::default(),
    }
}

fn log(world: &Shared) -> MockEventLog {
    let (mut log, world) = (MockEventLog::new(), Arc::clone(world));
    log.expect_read().returning(move |after, _, page| {
        let world = world.lock().unwrap();
        if after + 1 < world.oldest {
            return Err(ReadLogError::Gone { oldest: world.oldest });
        }
        let first = (after + 1).max(world.oldest);
        let events: Vec<_> = (first..=world.events).take(page.get().into()).map(event).collect();
        let next = events.last().map_or(after, |last| last.position);
        Ok(EventPage { events, next })
    });
    log
}

fn store(world: &Shared) -> MockRelayStore {
    let mut store = MockRelayStore::new();
    let shared = Arc::clone(world);
    store.expect_checkpoint().returning(move || Ok(shared.lock().unwrap().checkpoint));
    let shared = Arc::clone(world);
    store.expect_to_retry().returning(move |page| {
        let world = shared.lock().unwrap();
        let retained = |position: &u64| *position >= world.oldest;
        let marked = world.parked.values().filter(|parked| parked.retry).map(|parked| parked.position);
        Ok(marked.filter(retained).take(page.get().into()).map(event).collect())
    });
    let shared = Arc::clone(world);
    store.expect_record().returning(move |lease, _, progress| {
        assert_eq!((lease.name, lease.holder.as_str()), ("relay", "me"));
        let mut world = shared.lock().unwrap();
        world.lease_is_lost |= world.lose_lease_after == Some(world.recorded);
        if world.lease_is_lost {
            return Err(RecordError::LeaseLost);
        }
        world.recorded += 1;
        world.checkpoint = world.checkpoint.max(progress.checkpoint);
        for parked in &progress.parked {
            world.parked.insert(parked.position, parked.clone());
        }
        for position in &progress.delivered {
            world.parked.remove(position);
        }
        let (before, oldest) = (world.parked.len(), world.oldest);
        world.parked.retain(|position, _| *position >= oldest);
        Ok(u64::try_from(before - world.parked.len()).unwrap())
    });
    store
}

fn leases(world: &Shared) -> MockLeases {
    let mut leases = MockLeases::new();
    let shared = Arc::clone(world);
    leases.expect_take().returning(move |_, _| Ok(!shared.lock().unwrap().lease_is_lost));
    let shared = Arc::clone(world);
    leases.expect_release().returning(move |_| {
        shared.lock().unwrap().released += 1;
        Ok(())
    });
    leases
}

fn publisher(world: &Shared) -> MockEventPublisher {
    let mut publisher = MockEventPublisher::new();
    let shared = Arc::clone(world);
    publisher.expect_connect().returning(move || {
        let mut world = shared.lock().unwrap();
        if world.away > 0 {
            world.away -= 1;
            return Err(BrokerUnavailable(cause("connection refused")));
        }
        world.connected += 1;
        world.under_way = false;
        Ok(())
    });
    let shared = Arc::clone(world);
    publisher.expect_send().returning(move |events| {
        let mut world = shared.lock().unwrap();
        assert!(!std::mem::replace(&mut world.under_way, true), "a returned message could belong to either page");
        world.sent.extend(events.iter().map(|event| event.position));
        if let Some(took) = world.load {
            thread::sleep(took);
            world.counters.group(GroupMeasure { lines: 200, refused: 0, waiting: 0, took, failed: false });
        }
        let breaks = match world.break_after {
            Some(pages) => {
                world.break_after = pages.checked_sub(1);
                pages == 0
            }
            None => false,
        };
        Ok(sent(&shared, &mut world, events, breaks))
    });
    publisher
}

/// Returns events that the broker answers after enough waits.
fn sent(shared: &Shared, world: &mut World, events: &[LoggedEvent], breaks: bool) -> Box<dyn PendingConfirms> {
    let mut logged = |event: &LoggedEvent| match world.broker.get_mut(&event.position) {
        Some(answers) if !answers.is_empty() => answers.remove(0),
        _ => Delivery::Confirmed,
    };
    let mut deliveries = Some(events.iter().map(&mut logged).collect::<Vec<_>>());
    let mut sent = MockPendingConfirms::new();
    let shared = Arc::clone(shared);
    sent.expect_wait().returning(move |_| {
        let mut world = shared.lock().unwrap();
        if let Some(answer) = world.answers.pop() {
            thread::sleep(Duration::from_millis(2));
            return Ok(answer);
        }
        world.under_way = false;
        if breaks {
            return Err(BrokerUnavailable(cause("connection reset")));
        }
        Ok(PublishStatus::Answered(deliveries.take().unwrap()))
    });
    Box::new(sent)
}

/// Relays until `done`, then stops.
fn relay(world: World, done: impl Fn(&World) -> bool) -> (World, bool) {
    let shared: Shared = Arc::new(Mutex::new(world));
    let ports = RelayPorts {
        log: Arc::new(log(&shared)),
        store: Arc::new(store(&shared)),
        leases: Arc::new(leases(&shared)),
        publisher: Box::new(publisher(&shared)),
        clock: Arc::new(clock()),
        load: LoadMonitor::new(Arc::clone(&shared.lock().unwrap().counters)),
    };
    let settings = RelaySettings {
        holder: "me".to_owned(),
        lease_time: Duration::from_millis(40),
        idle_pause: Duration::from_millis(1),
        page: PageSize::new(5).unwrap(),
        pages: 2,
        confirm_timeout: Duration::from_millis(20),
        backoff: Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(2) },
    };
    let relay = Relay::start(ports, settings).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut reached = false;
    while !reached && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(2));
        reached = done(&shared.lock().unwrap());
    }
    relay.stop();
    // The relay has dropped its mocks.
    let world = std::mem::take(&mut *shared.lock().unwrap());
    (world, reached)
}

#[test]
fn events_are_published_in_order_and_checkpointed_in_bulk() {
    let (world, done) = relay(World { events: 95, ..World::default() }, |world| world.checkpoint == 95);
    assert!(done);
    assert_eq!(world.sent, (1..=95).collect::<Vec<_>>());
    assert_eq!((world.recorded, world.connected, world.released), (10, 1, 1));
}

#[test]
fn under_high_load_the_relay_rests_four_times_as_long_as_it_works() {
    let (begun, work) = (Instant::now(), Duration::from_millis(3));
    let (world, done) =
        relay(World { events: 95, load: Some(work), ..World::default() }, |world| world.checkpoint == 95);
    assert!(done);
    assert_eq!(world.sent, (1..=95).collect::<Vec<_>>());
    // The tenth round may end before its rest.
    assert!(begun.elapsed() >= work * 9 * 5, "{:?}", begun.elapsed());
}

#[test]
fn a_relay_resumes_behind_its_checkpoint() {
    let (world, _) = relay(World { events: 30, checkpoint: 17, ..World::default() }, |world| world.checkpoint == 30);
    assert_eq!(world.sent, (18..=30).collect::<Vec<_>>());
}

#[test]
fn unconfirmed_events_are_republished() {
    let world = World { events: 40, break_after: Some(1), ..World::default() };
    let (world, done) = relay(world, |world| world.checkpoint == 40);
    assert!(done);
    let expected: Vec<u64> = (1..=20).chain(11..=40).collect();
    assert_eq!(world.sent, expected);
    assert_eq!((world.connected, world.released), (2, 2), "another might have been luckier");
}

#[test]
fn an_unavailable_broker_is_waited_for() {
    let (world, done) = relay(World { events: 5, away: 7, ..World::default() }, |world| world.checkpoint == 5);
    assert!(done);
    assert_eq!((world.sent, world.released), (vec![1, 2, 3, 4, 5], 8));
}

#[test]
fn an_unroutable_event_is_parked_with_its_reason_and_delays_nothing() {
    let mut world = World { events: 12, ..World::default() };
    world.broker.insert(3, vec![Delivery::Unroutable("NO_ROUTE".to_owned())]);
    world.broker.insert(7, vec![Delivery::Poison("too large".to_owned())]);
    let (world, _) = relay(world, |world| world.checkpoint == 12);
    let parked: Vec<_> = world.parked.values().map(|parked| (parked.position, parked.reason.as_str())).collect();
    assert_eq!(parked, [(3, "NO_ROUTE"), (7, "too large")]);
    assert_eq!(world.parked[&3].parked_at, now());
    assert_eq!(world.sent.len(), 12, "none is sent twice");
}

#[test]
fn an_event_that_cannot_be_published_is_parked_and_holds_up_nothing() {
    let mut world = World { events: 30, ..World::default() };
    for position in [1, 7, 8, 30] {
        world.broker.insert(position, vec![Delivery::Poison("no type is published".to_owned())]);
    }
    let (world, done) = relay(world, |world| world.checkpoint == 30);
    assert!(done);
    assert_eq!(world.sent, (1..=30).collect::<Vec<_>>());
    assert_eq!(world.parked.keys().copied().collect::<Vec<_>>(), [1, 7, 8, 30]);
    assert_eq!(world.parked[&7].reason, "no type is published");
    assert_eq!(world.connected, 1, "no fault of the broker");
}

#[test]
fn an_event_that_still_cannot_be_published_when_it_is_to_be_sent_again_is_parked_again() {
    let mut world = World { events: 6, checkpoint: 6, ..World::default() };
    world.broker.insert(3, vec![Delivery::Poison("no type is published".to_owned())]);
    for position in [2, 3, 4] {
        let reason = "x".to_owned();
        world.parked.insert(position, ParkedEvent { position, reason, parked_at: now(), retry: true });
    }
    let left = |world: &World| world.parked.values().all(|parked| !parked.retry);
    let (world, done) = relay(world, left);
    assert!(done);
    assert_eq!((world.sent, world.parked.keys().copied().collect::<Vec<_>>()), (vec![2, 3, 4], vec![3]));
}

#[test]
fn a_rejected_event_is_republished_with_all_behind_it() {
    let mut world = World { events: 12, ..World::default() };
    world.broker.insert(4, vec![Delivery::Refused, Delivery::Refused]);
    let (world, done) = relay(world, |world| world.checkpoint == 12);
    assert!(done && world.parked.is_empty());
    let first_answers: Vec<u64> = world.sent.iter().copied().filter(|position| *position == 4).collect();
    assert_eq!(first_answers.len(), 3);
    assert_eq!(world.sent.iter().filter(|position| **position == 3).count(), 1, "the event before it is delivered");
}

#[test]
fn an_event_rejected_while_others_are_accepted_is_parked() {
    let mut world = World { events: 12, ..World::default() };
    world.broker.insert(4, vec![Delivery::Refused; 5]);
    let (world, done) = relay(world, |world| world.checkpoint == 12);
    assert!(done);
    let reason = "the broker has refused it 5 times and taken what came behind it";
    assert_eq!((world.parked.len(), world.parked[&4].reason.as_str()), (1, reason));
}

#[test]
fn a_broker_that_accepts_nothing_parks_no_event() {
    let mut world = World { events: 12, ..World::default() };
    for position in 4..=12 {
        world.broker.insert(position, vec![Delivery::Refused; 20]);
    }
    let (world, done) = relay(world, |world| world.checkpoint == 12);
    assert!(done && world.parked.is_empty(), "{:?}", world.parked);
}

#[test]
fn a_blocked_broker_is_waited_for_and_a_silent_one_is_disconnected() {
    let blocked = World { events: 12, answers: vec![PublishStatus::Blocked; 50], ..World::default() };
    let (world, done) = relay(blocked, |world| world.checkpoint == 12);
    assert!(done);
    assert_eq!((world.connected, world.sent.len()), (1, 12));
    let silent = World { events: 12, answers: vec![PublishStatus::Waiting; 50], ..World::default() };
    let (world, done) = relay(silent, |world| world.checkpoint == 12);
    assert!(done);
    assert!(world.connected > 1 && world.sent.len() > 12, "{}", world.connected);
}

/// Returns parked events, all but the last marked for a retry.
fn parked(positions: &[u64]) -> BTreeMap<u64, ParkedEvent> {
    let last = positions.last().copied();
    let park = |position| {
        let retry = Some(position) != last;
        (position, ParkedEvent { position, reason: "NO_ROUTE".to_owned(), parked_at: now(), retry })
    };
    positions.iter().copied().map(park).collect()
}

#[test]
fn parked_events_are_republished_on_request() {
    let mut world =
        World { events: 12, oldest: 3, checkpoint: 12, parked: parked(&[2, 5, 6, 7, 8]), ..World::default() };
    world.broker.insert(6, vec![Delivery::Unroutable("still NO_ROUTE".to_owned())]);
    world.broker.insert(7, vec![Delivery::Refused]);
    let (world, _) = relay(world, |world| !world.sent.is_empty() && !world.parked.values().any(|parked| parked.retry));
    assert_eq!(world.sent, [5, 6, 7]);
    let parked: Vec<_> = world.parked.values().map(|parked| (parked.position, parked.reason.as_str())).collect();
    // Parked events that are no longer retained are dropped.
    assert_eq!(parked, [(6, "still NO_ROUTE"), (7, "the broker has refused it"), (8, "NO_ROUTE")]);
    assert_eq!((world.checkpoint, world.connected), (12, 1));
}

#[test]
fn republished_events_do_not_delay_new_ones() {
    let positions: Vec<u64> = (1..=95).collect();
    let world = World { events: 125, checkpoint: 95, parked: parked(&positions), ..World::default() };
    let (world, _) = relay(world, |world| world.checkpoint == 125 && world.parked.len() == 1);
    let new = world.sent.iter().rposition(|position| *position > 95).unwrap();
    assert!(new < 60, "{:?}", world.sent);
}

#[test]
fn pruned_events_are_skipped() {
    let world = World { events: 30, oldest: 21, checkpoint: 10, ..World::default() };
    let (world, _) = relay(world, |world| world.checkpoint == 30);
    assert_eq!(world.sent, (21..=30).collect::<Vec<_>>());
    let all_gone = World { events: 30, oldest: 31, checkpoint: 10, ..World::default() };
    let (world, done) = relay(all_gone, |world| world.checkpoint == 30);
    assert!(done && world.sent.is_empty(), "nothing is left to be sent");
}

#[test]
fn a_relay_without_the_lease_publishes_nothing() {
    let (world, _) =
        relay(World { events: 30, lease_is_lost: true, ..World::default() }, |world| world.connected > 0 || late());
    assert_eq!((world.connected, world.released, world.sent.len()), (0, 0, 0));
}

#[test]
fn a_relay_that_loses_the_lease_publishes_nothing_more() {
    let world = World { events: 1_000, lose_lease_after: Some(3), ..World::default() };
    let (world, _) = relay(world, |world| world.lease_is_lost && late());
    assert_eq!((world.recorded, world.checkpoint, world.released), (3, 30, 0), "it is not ours to give back");
    assert!(world.sent.len() <= 50, "one page was on its way");
}

/// Returns after a time in which a fault would show.
fn late() -> bool {
    thread::sleep(Duration::from_millis(100));
    true
}
