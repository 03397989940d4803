//! Tokens of an `OpenID` Connect issuer.

use crate::access::await_until;
use crate::doctor::{assert_line, examine};
use crate::support::{Answer, Authority, Server, TestDatabase, binary};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::{ServerConnection, StreamOwned};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::SystemTime;
use tempfile::NamedTempFile;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// An issuer on this machine, which publishes its key over HTTP or HTTPS.
struct Issuer {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    url: String,
    /// The id and the key pair that signs.
    pair: Mutex<Option<(String, EcdsaKeyPair)>>,
    behaviour: Mutex<Behaviour>,
    fetches: AtomicUsize,
}

/// How an issuer responds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Behaviour {
    #[default]
    Normal,
    Unavailable,
    /// Redirects every request.
    Redirect,
    /// Publishes more than a client reads.
    OversizedKeys,
    /// Refers to keys over plain HTTP.
    PlainHttpKeys,
}

impl Issuer {
    fn start() -> Self {
        Self::start_by("http", |shared, mut stream| shared.respond(&mut stream))
    }

    /// Starts an issuer with a certificate of an authority.
    fn start_with_tls(authority: &Authority) -> Self {
        let config = Arc::new(authority.server());
        Self::start_by("https", move |shared, stream| {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            shared.respond(&mut StreamOwned::new(tls, stream));
        })
    }

    fn start_by(scheme: &str, serve: impl Fn(&Shared, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}/realms/shop", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { url: url.clone(), ..Shared::default() });
        let issuer = Self { url, shared: Arc::clone(&shared) };
        issuer.rotate("first");
        thread::spawn(move || listener.incoming().for_each(|stream| serve(&shared, stream.unwrap())));
        issuer
    }

    fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// Replaces the key pair.
    fn rotate(&self, id: &str) {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.as_ref(), &random).unwrap();
        *self.shared.pair.lock().unwrap() = Some((id.to_owned(), pair));
    }

    fn token(&self, scope: &str) -> String {
        let expires = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3_600;
        self.sign(&json!({ "iss": self.url, "sub": "user-7", "aud": ["stock"], "exp": expires, "scope": scope }))
    }

    fn sign(&self, claims: &Value) -> String {
        let pair = self.shared.pair.lock().unwrap();
        let (id, pair) = pair.as_ref().unwrap();
        let header = encode(json!({ "alg": "ES256", "kid": id }).to_string());
        let message = format!("{header}.{}", encode(claims.to_string()));
        let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", encode(signature))
    }

    fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// Makes a server accept the tokens.
    fn trusted<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("ALLOCATION_OIDC_ISSUER", &self.url).env("ALLOCATION_OIDC_AUDIENCE", "stock")
    }
}

impl Shared {
    fn respond(&self, stream: &mut (impl Read + Write)) {
        let mut lines = BufReader::new(&mut *stream).lines().map_while(Result::ok);
        let request = lines.next().unwrap_or_default();
        lines.find(String::is_empty);
        drop(lines);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let behaviour = *self.behaviour.lock().unwrap();
        let (status, body) = match behaviour {
            Behaviour::Unavailable => ("503 Service Unavailable", None),
            Behaviour::Redirect => ("302 Found\r\nlocation: /realms/shop/keys", None),
            _ => self.document(path, behaviour).map_or(("404 Not Found", None), |body| ("200 OK", Some(body))),
        };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _gone = stream.write_all(format!("{head}{body}").as_bytes());
    }

    fn document(&self, path: &str, behaviour: Behaviour) -> Option<Value> {
        match path {
            "/realms/shop/.well-known/openid-configuration" => {
                let keys = format!("{}/keys", self.url);
                let keys = if behaviour == Behaviour::PlainHttpKeys { keys.replace("https:", "http:") } else { keys };
                Some(json!({ "issuer": self.url, "jwks_uri": keys }))
            }
            "/realms/shop/keys" => {
                self.fetches.fetch_add(1, Ordering::SeqCst);
                let pair = self.pair.lock().unwrap();
                let (id, pair) = pair.as_ref().unwrap();
                let point = pair.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                let padding = if behaviour == Behaviour::OversizedKeys { "0".repeat(2 << 20) } else { String::new() };
                let key = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": x, "y": y });
                Some(json!({ "keys": [key], "padding": padding }))
            }
            _ => None,
        }
    }
}

fn get(server: &Server, path: &str, token: &str) -> Answer {
    server.client().get_with(path, ("authorization", &format!("Bearer {token}")))
}

#[test]
fn tokens_of_the_issuer_are_accepted_beside_keys_and_named_in_the_history() {
    let (issuer, database) = (Issuer::start(), TestDatabase::sqlite());
    let server = Server::start_on_every_address(&database, |command| issuer.trusted(command).env("RUST_LOG", "trace"));
    let token = issuer.token("read orders:write batches:write");
    await_until(|| get(&server, "/whoami", &token).status == 200);
    let caller = get(&server, "/whoami", &token).json();
    assert_eq!(caller["actor"], "token:user-7");
    assert_eq!(caller["scopes"], json!(["read", "orders:write", "batches:write"]));
    assert!(caller["expires_at"].is_string() && caller["name"].is_null());

    let bearer = format!("Bearer {token}");
    let post = |path: &str, body: &Value| server.client().post_with(path, body, ("authorization", &bearer));
    assert_eq!(post("/batch", &json!({ "reference": "B-1", "sku": "LAMP", "qty": 5, "eta": null })).status, 201);
    assert_eq!(post("/allocations", &json!({ "order_id": "O-1", "sku": "LAMP", "qty": 1 })).status, 201);
    let history = get(&server, "/orders/O-1/history", &token).json();
    assert_eq!(history[0]["by"], "token:user-7");
    let event = "SELECT count(*) FROM all_events WHERE actor = 'token:user-7'";
    assert_eq!(database.count(event), 2);

    get(&server, "/events", &token).problem(403, "missing-scope");
    server.client().get("/batch").problem(401, "key-required");
    let output = binary()
        .args(["keys", "create", "--name", "shop", "--scope", "read"])
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    let key = String::from_utf8(output.stdout).unwrap();
    await_until(|| get(&server, "/batch", key.trim_end()).status == 200);
    assert_eq!(get(&server, "/batch", &token).status, 200);
    let log = server.log().join("\n");
    assert!(!log.contains(&token) && !log.contains(key.trim_end()), "{log}");
}

#[test]
fn tokens_of_others_are_refused_and_the_reason_is_named() {
    let (issuer, other, database) = (Issuer::start(), Issuer::start(), TestDatabase::sqlite());
    let server = Server::start_with(&database, |command| issuer.trusted(command));
    await_until(|| get(&server, "/whoami", &issuer.token("read")).status == 200);
    let expires = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 60;
    let claims = |audience: &str, expires: u64| {
        issuer.sign(&json!({ "iss": issuer.url, "sub": "user-7", "aud": audience, "exp": expires, "scope": "admin" }))
    };
    let unsigned = {
        let token = issuer.token("admin");
        let payload = token.split('.').nth(1).unwrap();
        format!("{}.{payload}.", encode(r#"{"alg":"none"}"#))
    };
    for (token, reason) in [
        (claims("crm", expires), "another audience"),
        (claims("stock", 1_000), "has expired"),
        (unsigned, "not signed with"),
        (other.token("admin"), "signature of the token is wrong"),
        ("nonsense".to_owned(), "is malformed"),
    ] {
        let refused = get(&server, "/batch", &token);
        let problem = refused.problem(401, "key-refused");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{problem}");
    }
}

#[test]
fn a_new_key_of_the_issuer_is_fetched_once_for_a_flood_and_an_outage_changes_nothing() {
    let (issuer, database) = (Issuer::start(), TestDatabase::sqlite());
    let server = Server::start_with(&database, |command| issuer.trusted(command));
    let old = issuer.token("read");
    await_until(|| get(&server, "/whoami", &old).status == 200);
    issuer.rotate("second");
    let new = issuer.token("read");
    let before = issuer.fetches();
    for _ in 0..200 {
        get(&server, "/batch", &new).problem(401, "key-refused");
    }
    assert_eq!(issuer.fetches(), before, "a fetch is at least ten seconds after the one before");
    await_until(|| get(&server, "/batch", &new).status == 200);
    assert_eq!(issuer.fetches(), before + 1);
    get(&server, "/batch", &old).problem(401, "key-refused");
    issuer.behave(Behaviour::Unavailable);
    assert_eq!(get(&server, "/batch", &new).status, 200);
}

#[test]
fn without_the_keys_of_the_issuer_nobody_is_admitted() {
    let (issuer, database) = (Issuer::start(), TestDatabase::sqlite());
    issuer.behave(Behaviour::Unavailable);
    let server = Server::start_with(&database, |command| issuer.trusted(command));
    let token = issuer.token("read");
    get(&server, "/batch", &token).problem(503, "not-ready");
    server.client().get("/batch").problem(401, "key-required");
    let failed = |line: &String| line.contains("fetching the keys of the issuer of tokens failed");
    await_until(|| server.log().iter().any(failed));
    assert!(server.log().iter().any(|line| line.contains("openid-configuration")), "{:?}", server.log());
    issuer.behave(Behaviour::Normal);
    await_until(|| get(&server, "/batch", &token).status == 200);
}

#[test]
fn the_doctor_checks_the_issuer_and_settings_belong_together() {
    let issuer = Issuer::start();
    let database = TestDatabase::sqlite();
    let run = |arguments: &[&str]| {
        let mut command = binary();
        command.args(arguments).env("DATABASE_URL", database.url()).env("ALLOCATION_ADDRESS", "0.0.0.0:0");
        let output = command.output().unwrap();
        (
            output.status.code(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
        )
    };
    let given = ["--oidc-issuer", &issuer.url, "--oidc-audience", "stock"];
    let (code, text) = run(&[&["doctor"], &given[..]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("publishes its keys"), "{text}");
    issuer.behave(Behaviour::Unavailable);
    let (code, text) = run(&[&["doctor"], &given[..]].concat());
    assert!(code == Some(1) && text.contains("FAIL  issuer"), "{text}");
    for arguments in [&["--oidc-issuer", "https://id.example"][..], &["--oidc-audience", "stock"]] {
        let (code, text) = run(&[&["doctor"], arguments].concat());
        assert!(code == Some(2) && text.contains("--oidc-"), "{text}");
    }
    let (code, text) = run(&["doctor", "--oidc-issuer", "http://id.example", "--oidc-audience", "stock"]);
    assert!(code == Some(2) && text.contains("must be a URL such as https://"), "{text}");
}

#[test]
fn an_https_issuer_is_accepted_only_with_a_certificate_of_a_trusted_authority() {
    let (authority, database) = (Authority::new(), TestDatabase::sqlite());
    let issuer = Issuer::start_with_tls(&authority);
    let (trusted, another) = (authority.file(), Authority::new().file());
    // Creates the database file.
    database.execute("SELECT 1");
    let doctor = |ca: &NamedTempFile| {
        let (lines, _) =
            examine(database.url(), |command| issuer.trusted(command).env("ALLOCATION_OIDC_CA", ca.path()));
        lines
    };
    assert_line(&doctor(&trusted), "ok", "issuer", "publishes its keys");
    assert_line(&doctor(&another), "FAIL", "issuer", "invalid peer certificate");
    for (behaviour, reason) in [
        (Behaviour::Redirect, "302"),
        (Behaviour::OversizedKeys, "larger than"),
        (Behaviour::PlainHttpKeys, "is not https"),
    ] {
        issuer.behave(behaviour);
        assert_line(&doctor(&trusted), "FAIL", "issuer", reason);
    }
    issuer.behave(Behaviour::Normal);
    let server =
        Server::start_with(&database, |command| issuer.trusted(command).env("ALLOCATION_OIDC_CA", trusted.path()));
    await_until(|| get(&server, "/whoami", &issuer.token("read")).status == 200);
}
