//! A broker that speaks TLS.

use super::{CLOUD_EVENT, SOON, allocate, with_broker};
use crate::doctor::{assert_line, examine};
use crate::support::{Authority, Certified, Server, TestDatabase};
use allocation_test_support::TestBroker;
use std::process::Command;
use tempfile::NamedTempFile;

#[test]
fn events_and_commands_use_tls_if_the_authority_of_the_broker_is_trusted() {
    let (authority, database) = (Authority::new(), TestDatabase::sqlite());
    let Certified { certificate, key } = authority.sign(2040);
    let broker = TestBroker::own_with_tls(&authority.pem(), &certificate, &key);
    let (trusted, another) = (authority.file(), Authority::new().file());
    let secured = |command: &mut Command| {
        with_broker(command, &broker).env("ALLOCATION_AMQP_URL", broker.tls_url());
    };

    let doctor = |ca: &NamedTempFile| {
        examine(database.url(), |command| {
            secured(command);
            command.arg("--amqp-ca").arg(ca.path())
        })
    };
    // Creates the database file.
    database.execute("SELECT 1");
    assert_line(&doctor(&trusted).0, "ok", "broker", "amqps://127.0.0.1");
    assert_line(&doctor(&another).0, "FAIL", "broker", "invalid peer certificate");
    assert_line(&doctor(&NamedTempFile::new().unwrap()).0, "FAIL", "broker", "has no certificate");

    let (lines, _) =
        examine(database.url(), |command| with_broker(command, &broker).arg("--amqp-ca").arg(trusted.path()));
    assert_line(&lines, "FAIL", "broker", "needs an amqps:// URL");

    let (client, queue) = (broker.client(), broker.name("all"));
    client.bind(&queue, &broker.name("events"), "allocation.line.allocated.v1.#");
    client.declare(&broker.name("commands"));
    let server = Server::start_with(&database, |command| {
        secured(command);
        command.env("ALLOCATION_AMQP_CA", trusted.path())
    });
    assert_eq!(server.client().add_batch("B-1", "LAMP", 5, None).status, 201);
    client.send_all(&broker.name("commands"), CLOUD_EVENT, [allocate("C-1", "O-1", "LAMP", 2)]);
    let events = client.take(&queue, 1, SOON);
    assert_eq!(events[0].json["data"]["order_id"], "O-1", "{events:?}");
}
