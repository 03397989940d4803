//! Keys, from their creation to their revocation.

use crate::outages::unready;
use crate::support::{Answer, Proxy, Server, TestDatabase, binary, on_every_database};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

fn run(database: &TestDatabase, arguments: &[&str]) -> Output {
    binary().args(arguments).env("DATABASE_URL", database.url()).output().unwrap()
}

/// Runs a command that succeeds, and returns what it prints.
#[track_caller]
fn printed(database: &TestDatabase, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[track_caller]
fn create(database: &TestDatabase, scope: &str) -> String {
    printed(database, &["keys", "create", "--name", "shop", "--scope", scope])
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

fn get(server: &Server, path: &str, key: &str) -> Answer {
    server.client().get_with(path, ("authorization", &format!("Bearer {key}")))
}

/// Waits until a condition holds. The limit is for a test that would hang otherwise.
#[track_caller]
pub(crate) fn await_until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not become true");
        thread::sleep(Duration::from_millis(50));
    }
}

fn a_server_that_others_may_reach_needs_a_key_or_a_permission_to_start(database: &TestDatabase) {
    assert!(run(database, &["migrate", "up"]).status.success());
    let refused = run(database, &["serve", "--address", "0.0.0.0:0", "--log-format", "json"]);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    for advice in ["allocation keys create", "--allow-anonymous", "127.0.0.1"] {
        assert!(error.contains(advice), "{error}");
    }
    fn open(command: &mut Command) -> &mut Command {
        command.env("ALLOCATION_ALLOW_ANONYMOUS", "true")
    }
    let anonymous = Server::start_on_every_address(database, open);
    assert_eq!(anonymous.client().add_batch("B-1", "LAMP", 1, None).status, 201);
    let warned = |line: &String| line.contains("\"WARN\"") && line.contains("every caller may do everything");
    assert!(anonymous.log().iter().any(warned), "{:?}", anonymous.log());

    let key = create(database, "read");
    await_until(|| anonymous.client().get("/batch").status == 401);
    let starts = [
        Server::start_on_every_address(database, |command| command),
        Server::start_on_every_address(database, open),
        Server::start(database),
    ];
    for server in starts.iter().chain([&anonymous]) {
        server.client().get("/batch").problem(401, "key-required");
        assert_eq!(get(server, "/batch", &key).json()[0]["reference"], "B-1");
    }
    assert!(run(database, &["keys", "revoke", id(&key)]).status.success());
    let last_key_revoked = Server::start(database);
    last_key_revoked.client().get("/batch").problem(401, "key-required");
}

/// Opens the event stream with a key, and returns its lines until it ends.
fn stream(server: &Server, key: &str) -> impl Iterator<Item = String> + use<> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET /events/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\r\n").unwrap();
    BufReader::new(stream).lines().map(Result::unwrap)
}

fn every_replica_sees_a_new_key_and_its_revocation(database: &TestDatabase) {
    let (first, second) = (Server::start(database), Server::start(database));
    let admin = create(database, "admin");
    await_until(|| get(&first, "/whoami", &admin).json()["name"] == "shop");
    let bearer = format!("Bearer {admin}");
    let new = json!({"name": "feed", "scopes": ["events:read"], "rate": "1000/s"});
    let created = first.client().post_with("/keys", &new, ("authorization", &bearer));
    assert_eq!(created.status, 201, "{created:?}");
    let key = created.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(get(&first, "/events", &key).status, 200, "its own replica knows the key at once");
    await_until(|| get(&second, "/whoami", &key).json()["name"] == "feed");
    assert_eq!(get(&second, "/events", &key).header("ratelimit-policy"), Some("\"key\";q=1000;w=1"));
    get(&second, "/batch", &key).problem(403, "missing-scope");
    let mut lines = stream(&second, &key);
    assert_eq!(lines.next().as_deref(), Some("HTTP/1.1 200 OK"));

    let revoke = format!("/keys/{}", id(&key));
    let revoked = first.client().send_with("DELETE", &revoke, &[("authorization", &bearer)], "");
    assert_eq!(revoked.status, 204, "{revoked:?}");
    get(&first, "/events", &key).problem(401, "key-refused");
    await_until(|| get(&second, "/events", &key).status == 401);
    assert!(lines.any(|line| line == "0"), "the last chunk of a stream that ends");
}

fn a_rotated_key_works_with_its_old_secret_for_the_grace_period(database: &TestDatabase) {
    let server = Server::start(database);
    let old = create(database, "read,orders:write");
    await_until(|| get(&server, "/whoami", &old).json()["name"] == "shop");
    let new = printed(database, &["keys", "rotate", id(&old)]);
    assert_eq!((id(&new), new == old), (id(&old), false));
    await_until(|| get(&server, "/batch", &new).status == 200);
    assert_eq!(get(&server, "/batch", &old).status, 200);
    let newest = printed(database, &["keys", "rotate", "--grace", "0s", id(&old)]);
    await_until(|| get(&server, "/batch", &newest).status == 200);
    let refused = get(&server, "/batch", &new).problem(401, "key-refused");
    assert_eq!(refused["detail"], "The key was rotated; use the new secret");
}

fn keys_are_listed_with_their_state_and_last_use(database: &TestDatabase) {
    let server = Server::start(database);
    let name = ["keys", "create", "--name", "web shop", "--scope", "read", "--scope", "orders:write"];
    let key = printed(database, &[&name[..], &["--rate", "100/s", "--expires", "90d"]].concat());
    let revoked = create(database, "admin");
    assert_eq!(printed(database, &["keys", "revoke", id(&revoked)]), format!("revoked: {}", id(&revoked)));
    await_until(|| get(&server, "/whoami", &key).json()["name"] == "web shop");
    let listed =
        || -> Value { serde_json::from_str(&printed(database, &["keys", "list", "--format", "json"])).unwrap() };
    await_until(|| listed()[0]["last_used_on"].is_string());
    let keys = listed();
    assert_eq!((&keys[0]["scopes"], &keys[0]["rate"]), (&json!("read orders:write"), &json!("100/s")));
    assert_eq!((&keys[0]["state"], &keys[1]["state"]), (&json!("active"), &json!("revoked")));
    assert!(keys[0]["expires_at"].is_string() && keys[1]["last_used_on"].is_null(), "{keys}");
    let table = printed(database, &["keys", "list"]);
    assert!(table.contains(id(&key)) && table.contains("web shop"), "{table}");
    assert!(!table.contains(key.split('_').nth(2).unwrap()));
}

fn wrong_arguments_are_refused_without_quoting_a_key(database: &TestDatabase) {
    assert!(run(database, &["migrate", "up"]).status.success());
    let key = create(database, "read");
    let secret = key.split('_').nth(2).unwrap();
    for arguments in [
        &["keys", "revoke", &*key][..],
        &["keys", "rotate", &key],
        &["keys", &key],
        &["keys", "create", "--name", "x", "--scope", &key],
        &["keys", "create", "--scope", "read"],
        &["keys", "create", "--name", "x"],
        &["keys", "create", "--name", "x", "--scope", "write"],
        &["keys", "rotate", id(&key), "--grace", "1w"],
    ] {
        let output = run(database, arguments);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {shown}");
        assert!(!shown.contains(secret), "{arguments:?} {shown}");
    }
    for (arguments, reason) in [
        (&["keys", "revoke", "00000000000"][..], "there is no key 00000000000"),
        (&["keys", "rotate", id(&key), "--grace", "31d"], "at most 30 days"),
        (&["keys", "create", "--name", "x", "--scope", "read", "--expires", "0s"], "in the future"),
        (&["keys", "create", "--name", "x", "--scope", "read", "--read-only"], "--read-only"),
    ] {
        let output = run(database, arguments);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && shown.contains(reason), "{arguments:?} {shown}");
    }
}

fn no_log_has_a_secret(database: &TestDatabase) {
    let server = Server::start_with(database, |command| command.env("RUST_LOG", "trace"));
    let key = create(database, "admin");
    await_until(|| get(&server, "/whoami", &key).json()["name"] == "shop");
    let bearer = format!("Bearer {key}");
    let new = json!({"name": "feed", "scopes": ["read"]});
    let created = server.client().post_with("/keys", &new, ("authorization", &bearer)).json();
    let created = created["key"].as_str().unwrap().to_owned();
    let (start, last) = created.split_at(created.len() - 1);
    let wrong = format!("{start}{}", if last == "0" { "1" } else { "0" });
    for refused in [&*wrong, &created[..60]] {
        get(&server, "/batch", refused).problem(401, "key-refused");
    }
    server
        .client()
        .post_with("/batch", &json!({"reference": "B-1"}), ("authorization", &bearer))
        .problem(422, "validation");
    printed(database, &["keys", "revoke", id(&created)]);
    await_until(|| get(&server, "/batch", &created).status == 401);
    server.signal("TERM");
    let (_, log) = server.wait();
    let log = log.join("\n");
    assert!(log.contains("\"TRACE\"") && log.contains("/batch"), "it logs everything");
    for key in [key, created] {
        // The scheme, so that no header is logged whole either.
        for secret in [&key.split('_').nth(2).unwrap()[..20], "Bearer alloc"] {
            assert!(!log.contains(secret), "{}", log.lines().find(|line| line.contains(secret)).unwrap());
        }
    }
}

on_every_database!(
    a_server_that_others_may_reach_needs_a_key_or_a_permission_to_start,
    every_replica_sees_a_new_key_and_its_revocation,
    a_rotated_key_works_with_its_old_secret_for_the_grace_period,
    keys_are_listed_with_their_state_and_last_use,
    wrong_arguments_are_refused_without_quoting_a_key,
    no_log_has_a_secret,
);

#[test]
fn a_database_file_has_no_secret() {
    let database = TestDatabase::sqlite();
    assert!(run(&database, &["migrate", "up"]).status.success());
    let key = create(&database, "read");
    let file = std::fs::read(database.url().trim_start_matches("sqlite://")).unwrap();
    let has = |text: &str| file.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has(id(&key)) && !has(key.split('_').nth(2).unwrap()));
}

#[test]
fn the_last_known_keys_serve_while_the_database_is_silent() {
    let database = TestDatabase::postgres();
    let (proxy, url) = Proxy::of(database.url());
    let server = Server::start_at(&url, |command| command);
    let key = create(&database, "read");
    await_until(|| get(&server, "/whoami", &key).json()["name"] == "shop");
    proxy.set_silent(true);
    let unready = unready(&server.client());
    assert_eq!(unready.json()["checks"], json!([]), "without a key");
    assert_eq!(get(&server, "/whoami", &key).status, 200);
    assert_eq!(get(&server, "/readyz", &key).json()["checks"][0]["name"], "database");
    server.client().get("/whoami").problem(401, "key-required");
    get(&server, "/whoami", &key[..60]).problem(401, "key-refused");
    proxy.set_silent(false);
}

#[test]
fn a_server_in_memory_closes_with_its_first_key() {
    let server = Server::start_at("memory:", |command| command);
    let created = server.client().post("/keys", &json!({"name": "shop", "scopes": ["read"]}));
    assert_eq!(created.status, 201, "{created:?}");
    server.client().get("/batch").problem(401, "key-required");
    assert_eq!(get(&server, "/batch", created.json()["key"].as_str().unwrap()).status, 200);
}

#[test]
fn the_advice_for_a_database_in_memory_names_no_command_that_cannot_reach_it() {
    let refused = binary()
        .args(["serve", "--database-url", "memory:", "--address", "0.0.0.0:0", "--log-format", "json"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains("POST /keys") && !error.contains("keys create"), "{error}");
}

#[test]
fn the_commands_of_the_page_about_keys_run_as_printed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/how-to/secure.md")).unwrap();
    let blocks = page.split("\n```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0);
    let mut script = String::new();
    for (number, block) in blocks.filter(|block| !block.contains("serve")).enumerate() {
        script += &format!("echo '# {number}'\n{block}\n");
        if number == 0 {
            // The page says that the key is required within seconds.
            script += "until curl --silent http://localhost:8000/batch | grep -q key-required; do sleep 0.1; done\n";
        }
    }
    let path = std::path::Path::new(binary().get_program()).parent().unwrap().to_owned();
    let output = Command::new("sh")
        .args(["-e", "-c", &script.replace("localhost:8000", server.address())])
        .env("PATH", format!("{}:{}", path.display(), std::env::var("PATH").unwrap()))
        .env("DATABASE_URL", database.url())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    for part in ["/problems/key-required", "\"name\":\"operator\"", "\nalloc_", "web shop", "revoked: "] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}
