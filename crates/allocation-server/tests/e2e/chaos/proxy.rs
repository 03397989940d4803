//! A proxy in front of PostgreSQL that cuts connections after a COMMIT, before its reply.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The size of a read in bytes.
const BUFFER: usize = 64 << 10;
/// The time that PostgreSQL has for the commit whose reply is lost.
const COMMIT_TIME: Duration = Duration::from_millis(20);

#[derive(Default)]
struct State {
    cut_next: AtomicBool,
    cuts: AtomicUsize,
}

pub(super) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// Listens in front of the server that a URL names.
    pub(super) fn start(url: &str) -> Self {
        let server = authority(url).split('@').next_back().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, state) = (listener.local_addr().unwrap().port(), Arc::<State>::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A connection that closes at once signals an unreachable server.
                let Ok(server) = TcpStream::connect(&server) else { continue };
                pass(client, server, &shared);
            }
        });
        Self { port, state }
    }

    /// The URL of a database through this proxy.
    pub(super) fn url(&self, url: &str) -> String {
        let authority = authority(url);
        let user = authority.rsplit_once('@').map_or(String::new(), |(user, _)| format!("{user}@"));
        url.replacen(authority, &format!("{user}127.0.0.1:{}", self.port), 1)
    }

    pub(super) fn cut_the_next_commit(&self) {
        self.state.cut_next.store(true, Ordering::Relaxed);
    }

    /// The number of connections that were cut.
    pub(super) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::Relaxed)
    }
}

/// The user and the address of a URL.
fn authority(url: &str) -> &str {
    url.split_once("://").unwrap().1.split('/').next().unwrap()
}

/// Forwards both directions.
fn pass(client: TcpStream, server: TcpStream, state: &Arc<State>) {
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || copy(from_server, to_client, |_| false));
    let state = Arc::clone(state);
    thread::spawn(move || copy(client, server, move |bytes| is_to_be_cut(&state, bytes)));
}

/// COMMIT arrives in one piece, because the client waits for its reply.
fn is_to_be_cut(state: &State, bytes: &[u8]) -> bool {
    let commits = bytes.windows(6).any(|word| word == b"COMMIT");
    let cuts = commits && state.cut_next.swap(false, Ordering::Relaxed);
    if cuts {
        state.cuts.fetch_add(1, Ordering::Relaxed);
    }
    cuts
}

fn copy(mut from: TcpStream, mut to: TcpStream, mut ends_with: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; BUFFER];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..count];
        let ends = ends_with(bytes);
        if ends {
            // The reply must not get through: the client's side is closed first.
            drop(from.shutdown(Shutdown::Both));
        }
        if to.write_all(bytes).is_err() {
            break;
        }
        if ends {
            thread::sleep(COMMIT_TIME);
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}
