//! The command of `docs/how-to/follow-events.md` works with a real RabbitMQ, which `scripts/test` installs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use allocation_test_support::TestBroker;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// The program, started with the command of the page, but on another broker. Killed when dropped.
struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    fn start(broker: &TestBroker) -> Self {
        let readme = include_str!("../../docs/how-to/follow-events.md");
        let command = "cargo run -p allocation-examples --bin consume-queue -- ";
        let arguments = readme.lines().find_map(|line| line.strip_prefix(command)).unwrap();
        let arguments =
            arguments.split(' ').map(|argument| argument.replace("amqp://127.0.0.1:5672/%2f", broker.url()));
        let mut program = Command::new(env!("CARGO_BIN_EXE_consume-queue"));
        let mut child = program.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || output.lines().try_for_each(|line| sender.send(line.unwrap())));
        Self { child, lines }
    }

    /// Waits until it prints a line.
    fn prints(&self, expected: &str) {
        while self.lines.recv_timeout(SOON).unwrap_or_else(|_| panic!("never: {expected}")) != expected {}
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn allocated(id: u32, sku: &str, quantity: u32) -> String {
    let line = format!(r#""order_id": "O-{id}", "sku": "{sku}", "reference": "B-1", "line_quantity": {quantity}"#);
    format!(r#"{{"id": "{id}", "data": {{"type": "allocated", {line}, "quantity": {quantity}}}}}"#)
}

#[test]
fn the_readme_command_survives_duplicates_nonsense_and_a_restart_of_the_broker() {
    let broker = TestBroker::own();
    let program = Program::start(&broker);
    let publish = |bodies: &[String]| {
        let client = broker.client();
        // It may not have bound its queue yet.
        client.bind("stock-picture", "allocation.events", "allocation.#");
        for body in bodies {
            client.publish("allocation.events", "allocation.line.allocated.v1", body.as_bytes());
        }
    };
    publish(&[allocated(1, "LAMP", 4), allocated(1, "LAMP", 4), "nonsense".to_owned(), allocated(2, "LAMP", 3)]);
    program.prints("LAMP: 7");
    broker.kill();
    broker.start();
    publish(&[allocated(2, "LAMP", 3), allocated(3, "RUG", 1)]);
    program.prints("LAMP: 7, RUG: 1");
    assert_eq!(broker.client().depth("stock-picture"), 0, "nothing is left or comes back");
}
