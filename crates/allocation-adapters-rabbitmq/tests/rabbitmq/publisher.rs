//! Publishing events.

use allocation_adapters_rabbitmq::{AmqpUrl, Broker, BrokerName, RabbitPublisher};
use allocation_domain::{Event, Sku, Units};
use allocation_ports::{
    BrokerUnavailable, Delivery, EventContext, EventPublisher, LoggedEvent, PendingConfirms, PublishStatus, Subject,
};
use allocation_test_support::TestBroker;
use chrono::DateTime;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);

fn publisher(broker: &TestBroker) -> RabbitPublisher {
    publisher_at(broker, broker.url())
}

fn publisher_at(broker: &TestBroker, url: &str) -> RabbitPublisher {
    let url = AmqpUrl::parse(url).unwrap();
    let exchange = BrokerName::parse(&broker.name("events")).unwrap();
    RabbitPublisher::new(Arc::new(Broker::new(url, None).unwrap()), exchange, "/allocation".to_owned())
}

fn sold_out(position: u64) -> LoggedEvent {
    let sku = Sku::parse(format!("SKU-{}", position % 3)).unwrap();
    logged(position, &Event::OutOfStock { sku })
}

fn logged(position: u64, event: &Event) -> LoggedEvent {
    LoggedEvent {
        position,
        occurred_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        name: event.name().to_owned(),
        subject: Subject::of(event),
        json: serde_json::to_string(event).unwrap(),
        context: EventContext::default(),
    }
}

/// An event of another type.
fn removed(position: u64) -> LoggedEvent {
    logged(
        position,
        &Event::BatchRemoved {
            reference: "B-1".parse().unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            quantity: Some(Units::ZERO),
        },
    )
}

fn events(positions: RangeInclusive<u64>) -> Vec<LoggedEvent> {
    positions.map(sold_out).collect()
}

fn wait(mut sent: Box<dyn PendingConfirms>) -> Result<Vec<Delivery>, BrokerUnavailable> {
    sent.wait(SOON).map(|sent| match sent {
        PublishStatus::Answered(deliveries) => deliveries,
        other => panic!("{other:?}"),
    })
}

#[test]
fn events_arrive_in_their_order_as_persistent_cloud_events() {
    let broker = TestBroker::shared();
    let (client, mut publisher, queue) = (broker.client(), publisher(&broker), broker.name("all"));
    client.bind(&queue, &broker.name("events"), "#");
    publisher.connect().unwrap();
    for (page, sent) in [(1..=1_000, 1_000), (1_001..=1_500, 500)] {
        assert_eq!(wait(publisher.send(&events(page)).unwrap()).unwrap(), vec![Delivery::Confirmed; sent]);
    }

    let messages = client.take(&queue, 1_500, SOON);
    let ids: Vec<_> = messages.iter().map(|message| message.json["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (1..=1_500).map(|position| position.to_string()).collect::<Vec<_>>());
    let first = &messages[0];
    assert_eq!(first.key, "allocation.product.out_of_stock.v1");
    assert_eq!(first.json["type"], "allocation.product.out_of_stock.v1");
    assert_eq!((&first.json["source"], &first.json["data"]["sku"]), (&"/allocation".into(), &"SKU-1".into()));
    assert_eq!(*first.properties.delivery_mode(), Some(2));
    assert_eq!(first.properties.message_id().as_ref().unwrap().as_str(), "1");
    assert_eq!(first.properties.content_type().as_ref().unwrap().as_str(), "application/cloudevents+json");
}

#[test]
fn returned_messages_are_matched_to_their_events() {
    let broker = TestBroker::shared();
    let (client, mut publisher, queue) = (broker.client(), publisher(&broker), broker.name("some"));
    client.bind(&queue, &broker.name("events"), "allocation.product.#");
    publisher.connect().unwrap();
    let is_removed = |position: u64| position.is_multiple_of(7);
    let event = |position| if is_removed(position) { removed(position) } else { sold_out(position) };
    // A return may arrive with the confirmation of another message.
    let pages = [1..=700, 701..=1_400].map(|page| page.map(event).collect::<Vec<_>>());
    let deliveries: Vec<_> = pages.iter().flat_map(|page| wait(publisher.send(page).unwrap()).unwrap()).collect();
    for (position, delivery) in (1..).zip(deliveries) {
        match delivery {
            Delivery::Unroutable(reason) => {
                assert!(is_removed(position), "{position}");
                assert_eq!(reason, "312 NO_ROUTE: no queue is bound for allocation.batch.removed.v1");
            }
            other => assert!(!is_removed(position) && other == Delivery::Confirmed, "{position}: {other:?}"),
        }
    }
    assert_eq!(client.take(&queue, 1_200, SOON).len(), 1_200);
}

#[test]
fn an_event_without_a_published_type_is_not_sent_and_holds_up_nothing() {
    let broker = TestBroker::shared();
    let (client, mut publisher, queue) = (broker.client(), publisher(&broker), broker.name("known"));
    client.bind(&queue, &broker.name("events"), "#");
    publisher.connect().unwrap();
    let mut events = events(1..=3);
    events[1].name = "of_the_future".to_owned();
    let deliveries = wait(publisher.send(&events).unwrap()).unwrap();
    let reason = "no type is published for events named \"of_the_future\", a later version may have one";
    assert_eq!(deliveries, [Delivery::Confirmed, Delivery::Poison(reason.to_owned()), Delivery::Confirmed]);
    assert_eq!(client.take(&queue, 2, SOON).len(), 2);
}

#[test]
fn a_full_queue_rejects_events() {
    let broker = TestBroker::shared();
    let (client, mut publisher, queue) = (broker.client(), publisher(&broker), broker.name("full"));
    client.declare_bounded(&queue, 5);
    client.bind_declared(&queue, &broker.name("events"), "#");
    publisher.connect().unwrap();
    let deliveries = wait(publisher.send(&events(1..=20)).unwrap()).unwrap();
    assert!(deliveries.contains(&Delivery::Confirmed) && deliveries.contains(&Delivery::Refused), "{deliveries:?}");
}

#[test]
fn an_unavailable_broker_is_reported_and_reconnected() {
    let broker = TestBroker::own();
    let mut publisher = publisher(&broker);
    let queue = broker.name("all");
    broker.client().bind(&queue, &broker.name("events"), "#");
    assert!(publisher.send(&events(1..=1)).is_err(), "it is not connected yet");
    publisher.connect().unwrap();
    wait(publisher.send(&events(1..=100)).unwrap()).unwrap();
    broker.kill();
    assert_error_within_seconds(&mut publisher);
    assert!(publisher.connect().is_err());
    broker.start();
    publisher.connect().unwrap();
    wait(publisher.send(&events(101..=200)).unwrap()).unwrap();
    let ids: Vec<_> =
        broker.client().take(&queue, 200, SOON).iter().map(|message| message.json["id"].clone()).collect();
    let expected: Vec<_> = (1..=200).map(|position: u64| serde_json::Value::from(position.to_string())).collect();
    assert_eq!(ids, expected, "confirmed messages survive the power cut");
}

#[test]
fn a_stalled_broker_with_open_connections_is_reported() {
    let broker = TestBroker::own();
    let mut publisher = publisher_at(&broker, &format!("{}?heartbeat=1", broker.url()));
    broker.client().bind(&broker.name("all"), &broker.name("events"), "#");
    publisher.connect().unwrap();
    wait(publisher.send(&events(1..=1)).unwrap()).unwrap();
    broker.freeze(true);
    let outcome = publisher.send(&events(2..=2)).and_then(wait);
    broker.freeze(false);
    assert!(outcome.is_err(), "{outcome:?}");
    publisher.connect().unwrap();
    wait(publisher.send(&events(2..=2)).unwrap()).unwrap();
}

fn assert_error_within_seconds(publisher: &mut RabbitPublisher) {
    let deadline = Instant::now() + SOON;
    loop {
        match publisher.send(&events(101..=101)).and_then(wait) {
            Err(_) => return,
            Ok(_) => assert!(Instant::now() < deadline, "the dead broker is not noticed"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_failed_connection_is_reported_without_the_password() {
    let broker = TestBroker::shared();
    let wrong = broker.url().replace("guest:guest", "guest:secret");
    for url in [wrong.as_str(), "amqp://guest:secret@127.0.0.1:1/%2f"] {
        let url = AmqpUrl::parse(url).unwrap();
        let exchange = BrokerName::parse("events").unwrap();
        let mut publisher = RabbitPublisher::new(Arc::new(Broker::new(url, None).unwrap()), exchange, String::new());
        let BrokerUnavailable(error) = publisher.connect().unwrap_err();
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(chain.contains("127.0.0.1") && !chain.contains("secret"), "{chain}");
    }
}
