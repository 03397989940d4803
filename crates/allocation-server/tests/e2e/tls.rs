//! TLS with real sockets: handshakes, limits, certificates of clients, and certificates that are replaced.

use crate::outages::eventually;
use crate::support::{Authority, Certified, Client, Proxy, Server, TestDatabase, TlsFolder, binary, free_port};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The time limit of an expected event.
const TIMEOUT: Duration = Duration::from_secs(60);

const PING: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A server with TLS, and the authority that its clients trust.
struct Secured {
    authority: Authority,
    files: TlsFolder,
    server: Server,
    _database: TestDatabase,
}

impl Secured {
    fn start() -> Self {
        Self::start_with(|_, _| {})
    }

    fn start_with(adjust: impl FnOnce(&mut Command, &TlsFolder)) -> Self {
        let (authority, database) = (Authority::new(), TestDatabase::sqlite());
        let files = TlsFolder::new(&authority.sign(2040));
        let server = Server::start_with(&database, |command| {
            adjust(command, &files);
            with_tls(command, &files)
        });
        Self { authority, files, server, _database: database }
    }

    /// Starts a server that verifies the certificates of clients, which another authority signs.
    fn start_with_client_ca(clients: &Authority, auth: &[&str]) -> Self {
        Self::start_with(|command, files| {
            command.arg("--tls-client-ca").arg(files.write_client_ca(clients)).args(auth);
        })
    }

    fn client(&self) -> Client {
        Client::over_tls(self.server.address(), &self.authority)
    }

    /// Connects by TLS.
    fn connect(&self) -> Tls {
        self.connect_with(self.authority.client(&[&TLS13], None))
    }

    fn connect_with(&self, config: ClientConfig) -> Tls {
        let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        Tls(StreamOwned::new(client, self.connect_plain()))
    }

    fn connect_plain(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        stream
    }

    fn metric(&self, name: &str) -> f64 {
        let metrics = self.client().get("/metrics").text;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
    }
}

fn with_tls<'a>(command: &'a mut Command, files: &TlsFolder) -> &'a mut Command {
    command.arg("--tls-certificate").arg(files.certificate()).arg("--tls-key").arg(files.key())
}

/// A connection that sends raw bytes over TLS.
struct Tls(StreamOwned<ClientConnection, TcpStream>);

impl Tls {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
        self.0.flush().unwrap();
    }

    /// Reads one response, whose body is short.
    fn response(&mut self) -> io::Result<String> {
        let (mut response, mut byte) = (Vec::new(), [0]);
        while !response.ends_with(b"\r\n\r\n") && self.0.read(&mut byte)? > 0 {
            response.push(byte[0]);
        }
        let head = String::from_utf8(response).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body)?;
        Ok(head + &String::from_utf8(body).unwrap())
    }

    /// Sends a request, and returns whether its response is 200.
    fn pings(&mut self) -> io::Result<bool> {
        self.0.write_all(PING.as_bytes())?;
        Ok(self.response()?.starts_with("HTTP/1.1 200 "))
    }

    /// Reads until the server closes in order.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }

    /// Returns the certificate that the server has presented.
    fn certificate(&self) -> Vec<u8> {
        self.0.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

/// Reads everything until the server closes or resets the connection.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("the server does not close: {error}"),
        _ => bytes,
    }
}

#[test]
fn requests_are_served_by_tls_1_2_and_1_3() {
    let secured = Secured::start();
    let client = secured.client();
    assert_eq!(client.add_batch("B-1", "LAMP", 10, None).status, 201);
    assert_eq!(client.allocate("O-1", "LAMP", 4).status, 201);
    for version in [&TLS12, &TLS13] {
        let mut connection = secured.connect_with(secured.authority.client(&[version], None));
        for _ in 0..3 {
            assert!(connection.pings().unwrap());
        }
        assert_eq!(connection.0.conn.protocol_version(), Some(version.version));
    }
}

#[test]
fn an_older_version_is_refused() {
    let secured = Secured::start();
    // The hello of a client of TLS 1.0, with one cipher suite and one kind of signature.
    let mut hello = vec![1, 0, 0, 51, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut stream = secured.connect_plain();
    stream.write_all(&[&[0x16, 3, 1, 0, 55][..], &hello].concat()).unwrap();
    let alert = rest(&mut stream);
    assert_eq!((alert[0], &alert[5..7]), (0x15, &[2, 70][..]), "a fatal alert about the version: {alert:?}");
    assert!(secured.connect().pings().unwrap());
}

#[test]
fn only_http_1_1_is_negotiated() {
    let secured = Secured::start();
    let offering = |protocols: &[&[u8]]| {
        let mut config = secured.authority.client(&[&TLS13], None);
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        secured.connect_with(config)
    };
    let mut both = offering(&[b"h2", b"http/1.1"]);
    assert!(both.pings().unwrap());
    assert_eq!(both.0.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(offering(&[b"h2"]).pings().is_err());
}

#[test]
fn a_plain_request_learns_that_the_port_speaks_https() {
    let secured = Secured::start();
    let mut stream = secured.connect_plain();
    stream.write_all(PING.as_bytes()).unwrap();
    let answer = String::from_utf8(rest(&mut stream)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    drop(stream);
    let failures = || secured.metric("allocation_tls_handshake_failures_total");
    eventually("the failure is counted", || (failures() == 1.0).then_some(()));
}

#[test]
fn a_handshake_that_is_silent_or_slow_ends_and_blocks_no_client() {
    let secured = Secured::start();
    let mut silent: Vec<TcpStream> = (0..200).map(|_| secured.connect_plain()).collect();
    for (number, stream) in silent.iter_mut().enumerate() {
        // The start of a handshake.
        stream.write_all(&[0x16, 3, 1, 0, 45][..number % 6]).unwrap();
    }
    assert!(secured.connect().pings().unwrap());
    let mut slow = secured.connect_plain();
    // More bytes than the time of a handshake has seconds.
    let drips = (0..60).take_while(|_| {
        std::thread::sleep(Duration::from_secs(1));
        slow.write_all(&[0x16]).is_ok()
    });
    assert!(drips.count() < 60);
    for stream in &mut silent {
        assert!(rest(stream).is_empty());
    }
    assert_eq!(secured.metric("allocation_tls_handshake_failures_total"), 201.0);
}

#[test]
fn slow_heads_time_out_and_the_rest_of_a_connection_is_as_without_tls() {
    let secured = Secured::start();
    let mut slow = secured.connect();
    slow.send(PING);
    assert!(slow.response().unwrap().starts_with("HTTP/1.1 200 "));
    slow.send("GET /livez HT");
    assert!(slow.rest().starts_with("HTTP/1.1 408 "));
    let mut silent = secured.connect();
    // Without a request: the handshake alone.
    while silent.0.conn.is_handshaking() {
        silent.0.conn.complete_io(&mut silent.0.sock).unwrap();
    }
    let mut nothing = Vec::new();
    // The server closes without a response, and without the end of TLS.
    drop(silent.0.read_to_end(&mut nothing));
    assert_eq!(nothing, b"");
    let mut pipelined = secured.connect();
    pipelined.send(PING.repeat(500));
    for _ in 0..500 {
        assert!(pipelined.response().unwrap().starts_with("HTTP/1.1 200 "));
    }
    let mut last = secured.connect();
    last.send("GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\nGET /livez HTTP/1.1\r\n\r\n");
    assert_eq!(last.rest().matches("HTTP/1.1 200 ").count(), 1);
    let mut body = secured.connect();
    body.send(
        "POST /batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
    );
    assert!(body.rest().starts_with("HTTP/1.1 408 "));
}

#[test]
fn connections_beyond_the_limit_are_closed_and_failed_handshakes_count_no_longer() {
    let secured = Secured::start_with(|command, _| {
        command.args(["--max-connections-per-address", "2"]);
    });
    let (mut first, mut second) = (secured.connect(), secured.connect_plain());
    assert!(first.pings().unwrap());
    second.write_all(&[0x16]).unwrap();
    eventually("the handshake has taken a slot", || secured.connect().pings().is_err().then_some(()));
    assert!(first.pings().unwrap());
    drop(second);
    eventually("the slot is free", || secured.connect().pings().is_ok_and(|ok| ok).then_some(()));
}

#[test]
fn a_stop_ends_connections_and_handshakes() {
    let secured = Secured::start();
    let (mut idle, mut handshake) = (secured.connect(), secured.connect_plain());
    assert!(idle.pings().unwrap());
    handshake.write_all(&[0x16, 3]).unwrap();
    secured.server.signal("TERM");
    assert_eq!(rest(&mut handshake), b"");
    assert_eq!(idle.rest(), "");
    let (status, log) = secured.server.wait();
    assert!(status.success(), "{log:?}");
}

#[test]
fn a_replaced_certificate_serves_new_connections_and_a_broken_one_does_not() {
    let secured = Secured::start();
    let mut open = secured.connect();
    assert!(open.pings().unwrap());
    let expiry = || secured.metric("allocation_tls_certificate_expiry_timestamp_seconds");
    let outdated = || secured.metric("allocation_tls_certificate_outdated");
    assert_eq!((expiry(), outdated()), (2_209_161_600.0, 0.0));

    let (second, third) = (secured.authority.sign(2041), secured.authority.sign(2042));
    secured.files.write(&second);
    eventually("the second certificate is in use", || (expiry() == 2_240_784_000.0).then_some(()));
    let mut newer = secured.connect();
    assert!(newer.pings().unwrap() && open.pings().unwrap());
    assert_ne!(newer.certificate(), open.certificate());

    let broken = Certified { key: second.key.clone(), ..third.clone() };
    for broken in [broken, Certified { certificate: "none".to_owned(), ..third.clone() }] {
        secured.files.write(&broken);
        eventually("the certificate is outdated", || (outdated() == 1.0).then_some(()));
        let mut another = secured.connect();
        assert!(another.pings().unwrap());
        assert_eq!(another.certificate(), newer.certificate());
    }
    secured.files.write(&third);
    eventually("the third certificate is in use", || (outdated() == 0.0).then_some(()));
    assert_eq!(expiry(), 2_272_320_000.0);
    assert!(open.pings().unwrap() && newer.pings().unwrap());

    secured.server.signal("TERM");
    let (_, log) = secured.server.wait();
    let lines = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    assert_eq!(lines("loading the TLS certificate failed"), 1, "{log:?}");
    assert_eq!(lines("loading the TLS certificate resumed"), 1, "{log:?}");
    assert_eq!(lines("the TLS certificate was replaced"), 2, "{log:?}");
}

#[test]
fn certificates_of_clients_are_verified_and_required_unless_they_are_optional() {
    let (clients, strangers) = (Authority::new(), Authority::new());
    for (auth, admits_none) in [(&[][..], false), (&["--tls-client-auth", "optional"], true)] {
        let secured = Secured::start_with_client_ca(&clients, auth);
        for version in [&TLS12, &TLS13] {
            let pings = |own: Option<&Certified>| {
                secured.connect_with(secured.authority.client(&[version], own)).pings().is_ok_and(|ok| ok)
            };
            assert!(pings(Some(&clients.sign(2040))));
            assert!(!pings(Some(&strangers.sign(2040))), "of another authority");
            assert!(!pings(Some(&clients.sign(2020))), "expired");
            assert_eq!(pings(None), admits_none);
        }
    }
}

#[test]
fn the_health_check_uses_tls() {
    fn health(secured: &Secured, more: &[&str]) -> Output {
        let mut command = binary();
        command.args(["health", "--address", secured.server.address()]).args(more);
        with_tls(&mut command, &secured.files).output().unwrap()
    }
    let secured = Secured::start();
    let output = health(&secured, &[]);
    assert!(output.status.success(), "{output:?}");
    let plain = binary().args(["health", "--address", secured.server.address()]).output().unwrap();
    assert_eq!(plain.status.code(), Some(1), "{plain:?}");

    // Where clients need a certificate, the check presents that of the server.
    let authority = Authority::new();
    let (files, database) = (TlsFolder::new(&authority.sign(2040)), TestDatabase::sqlite());
    let ca = files.write_client_ca(&authority);
    let server = Server::start_with(&database, |command| with_tls(command, &files).arg("--tls-client-ca").arg(&ca));
    let ca = ca.to_str().unwrap().to_owned();
    let mutual = Secured { authority, files, server, _database: database };
    assert!(health(&mutual, &["--tls-client-ca", &ca]).status.success());
    assert!(!health(&mutual, &[]).status.success());
}

#[test]
fn files_that_cannot_be_used_prevent_the_start() {
    let (authority, database) = (Authority::new(), TestDatabase::sqlite());
    let files = TlsFolder::new(&authority.sign(2040));
    let start = |arguments: &[&str]| {
        let output = binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (certificate, key) = (files.certificate(), files.key());
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let pair = ["serve", "--address", "127.0.0.1:0", "--tls-certificate", certificate, "--tls-key", key];
    assert_eq!(start(&pair[..5]).0, Some(2), "a certificate without a key");
    assert_eq!(start(&["serve", "--tls-key", key]).0, Some(2), "a key without a certificate");
    assert_eq!(start(&["serve", "--tls-client-ca", certificate]).0, Some(2));
    let secret = authority.sign(2040).key;
    files.write(&Certified { key: secret.clone(), ..authority.sign(2040) });
    let (code, error) = start(&pair);
    assert!(code == Some(1) && error.contains(certificate) && error.contains(key), "{error}");
    assert!(!error.contains(secret.lines().nth(1).unwrap()), "{error}");
    std::fs::remove_file(files.key()).unwrap();
    let (code, error) = start(&pair);
    assert!(code == Some(1) && error.contains(&format!("{key} cannot be read")), "{error}");
}

#[test]
fn a_server_that_migrates_has_tls_too() {
    // Its database is silent, so that it stays in its start.
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    proxy.set_silent(true);
    let authority = Authority::new();
    let files = TlsFolder::new(&authority.sign(2040));
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = binary();
    command.args(["--address", &address]).env("DATABASE_URL", url).stderr(Stdio::null());
    let mut child = with_tls(&mut command, &files).spawn().unwrap();
    let client = Client::over_tls(&address, &authority);
    let answer = eventually("the probe of a starting server responds", || client.try_get("/readyz"));
    assert_eq!(answer.problem(503, "not-ready")["checks"][0]["name"], "starting");
    assert_eq!(client.add_batch("B-1", "LAMP", 1, None).status, 503);
    child.kill().unwrap();
    child.wait().unwrap();
}
