//! Connections that are silent, or stop in the middle of a head.

use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

pub(super) const CONNECTIONS: usize = 1_000;

/// Silent connections from many addresses of the loopback.
#[derive(Default)]
pub(super) struct Silence {
    open: Vec<TcpStream>,
    opened: usize,
}

impl Silence {
    /// Reopens the connections that the server has closed.
    pub(super) fn fill(&mut self, address: &str) {
        self.open.retain_mut(is_open);
        while self.open.len() < CONNECTIONS {
            // A server that accepts no more is tried again at the next strike.
            let Some(connection) = connect(address, self.opened) else { return };
            self.open.push(connection);
            self.opened += 1;
        }
    }

    pub(super) const fn opened(&self) -> usize {
        self.opened
    }
}

/// Connects from another address than the customers, and sends half a head on every other connection.
fn connect(address: &str, number: usize) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
    let from: SocketAddr = format!("127.0.{}.{}:0", 1 + number / 250 % 250, 1 + number % 250).parse().ok()?;
    socket.bind(&from.into()).ok()?;
    socket.connect(&address.parse::<SocketAddr>().ok()?.into()).ok()?;
    let mut connection = TcpStream::from(socket);
    if number.is_multiple_of(2) {
        connection.write_all(b"GET /livez HTTP/1.1\r\nHost: loc").ok()?;
    }
    connection.set_nonblocking(true).ok()?;
    Some(connection)
}

fn is_open(connection: &mut TcpStream) -> bool {
    match connection.read(&mut [0; 256]) {
        Ok(0) => false,
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}
