use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A proxy in front of a server that can cut its connections and can fall silent: it then acknowledges bytes
/// without forwarding them.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    target: String,
    silent: AtomicBool,
    /// Each connection falls silent forever once these bytes pass through it.
    silencing: Mutex<Vec<u8>>,
    /// Whether such a connection has fallen silent.
    silenced: AtomicBool,
    ended: AtomicBool,
    connections: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// A proxy for the server of a PostgreSQL URL, and the URL through it.
    pub(crate) fn of(url: &str) -> (Self, String) {
        let authority = url.split_once("://").unwrap().1.split(['/', '?']).next().unwrap();
        let target = authority.rsplit_once('@').map_or(authority, |(_, target)| target);
        let address = if target.contains(':') { target.to_owned() } else { format!("{target}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silent, ended) = (AtomicBool::new(false), AtomicBool::new(false));
        let (silencing, connections) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State {
            target: address,
            silent,
            silencing,
            silenced: AtomicBool::new(false),
            ended,
            connections,
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::SeqCst) {
                    return;
                }
                accepting.pass_on(client.unwrap());
            }
        });
        (Self { port, state }, url.replacen(target, &format!("127.0.0.1:{port}"), 1))
    }

    pub(crate) fn set_silent(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }

    /// Makes each connection fall silent forever once `text` passes through it; the others continue.
    pub(crate) fn silence_with(&self, text: &str) {
        *self.state.silencing.lock().unwrap() = text.into();
    }

    /// Waits until [`Proxy::silence_with`] has silenced a connection.
    pub(crate) fn await_silence(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.state.silenced.load(Ordering::SeqCst) {
            assert!(Instant::now() < deadline, "the text does not come");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Cuts all connections; returns their number.
    pub(crate) fn cut(&self) -> usize {
        let connections = std::mem::take(&mut *self.state.connections.lock().unwrap());
        connections.iter().for_each(|connection| drop(connection.shutdown(Shutdown::Both)));
        connections.len() / 2
    }

    /// Cuts the connection that was opened last.
    pub(crate) fn cut_one(&self) {
        let mut connections = self.state.connections.lock().unwrap();
        let kept = connections.len().saturating_sub(2);
        connections.drain(kept..).for_each(|connection| drop(connection.shutdown(Shutdown::Both)));
    }
}

impl State {
    fn has_silencing(&self, bytes: &[u8]) -> bool {
        let text = self.silencing.lock().unwrap();
        let has_it = !text.is_empty() && bytes.windows(text.len()).any(|window| window == &**text);
        self.silenced.fetch_or(has_it, Ordering::SeqCst);
        has_it
    }

    fn pass_on(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(&self.target) else { return };
        drop(client.set_nodelay(true));
        drop(server.set_nodelay(true));
        let halves = [(client.try_clone(), server.try_clone()), (server.try_clone(), client.try_clone())];
        self.connections.lock().unwrap().extend([client, server]);
        // Of both directions: otherwise the server's end of an idle transaction would reach the client.
        let silenced = Arc::new(AtomicBool::new(false));
        for (from, to) in halves {
            let (state, mut from, mut to) = (Arc::clone(self), from.unwrap(), to.unwrap());
            let silenced = Arc::clone(&silenced);
            thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    silenced.fetch_or(state.has_silencing(&bytes[..count]), Ordering::SeqCst);
                    let is_silent = || silenced.load(Ordering::SeqCst) || state.silent.load(Ordering::SeqCst);
                    while is_silent() && !state.ended.load(Ordering::SeqCst) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    if to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                drop(from.shutdown(Shutdown::Both));
                drop(to.shutdown(Shutdown::Both));
            });
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.ended.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}
