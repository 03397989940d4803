//! Passwords in URLs, and the permissions of database files.

use crate::support::{Server, TestDatabase, binary, free_port};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// The beginning of every secret here. None of its characters is special in a URL.
const SECRET: &str = "hunter";

#[track_caller]
fn assert_hides_the_secret(command: &mut Command) -> String {
    let Output { stdout, stderr, .. } = command.output().unwrap();
    let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(!output.contains(SECRET) && !output.contains("panicked"), "{output}");
    output
}

#[test]
fn no_message_quotes_a_url_of_the_database() {
    let closed = free_port();
    for url in [
        "hunter2".to_owned(),
        "mysql://clerk:hunter2@db/stock".to_owned(),
        "sqlite://hunter2?key=hunter2".to_owned(),
        "sqlite://clerk:hunter2@db/stock.db".to_owned(),
        format!("postgres://clerk:hunter2@127.0.0.1:{closed}/stock"),
        "postgres://clerk:hunter2/x@db/stock".to_owned(),
        "postgres://clerk:12/hunter2@db/stock".to_owned(),
        "postgres://clerk:12?hunter2@db/stock".to_owned(),
        "postgres://clerk:12?hunter2=3@db/stock".to_owned(),
        "postgres://clerk:x@hunter2@db/stock".to_owned(),
        "postgres://clerk:hunter%2@db/stock".to_owned(),
        "postgres://clerk:hunter2@[::1/stock".to_owned(),
        "postgres://db/stock?hunter2".to_owned(),
        "postgres://db/stock?hunter2=x".to_owned(),
        "postgres://db/stock?sslmode=hunter2".to_owned(),
        "postgres://db/stock?connect_timeout=hunter2".to_owned(),
        "postgres://db/stock?port=hunter2".to_owned(),
        "postgres://db/stock?target_session_attrs=hunter2".to_owned(),
        format!("postgres://127.0.0.1:{closed}/stock?user=clerk&password=hunter%32"),
    ] {
        let output = assert_hides_the_secret(binary().args(["migrate", "status"]).env("DATABASE_URL", &url));
        assert!(output.contains("DATABASE_URL"), "{url}: {output}");
        assert_hides_the_secret(binary().args(["migrate", "status", "--database-url", &url]));
        assert_hides_the_secret(binary().arg("--help").env("DATABASE_URL", &url));
    }
}

#[test]
fn no_message_quotes_a_misplaced_url() {
    for arguments in [
        &["postgres://clerk:hunter2@db/stock"][..],
        &["--postgres://clerk:hunter2@db/stock"],
        &["--databaseurl=postgres://clerk:hunter2@db/stock"],
        &["migrate", "clerk:hunter2@db"],
        &["serve", "postgres://clerk:hunter2@db/stock"],
        &["--address", "postgres://clerk:hunter2@db/stock"],
        &["--pool-size", "amqp://clerk:hunter2@broker"],
        &["--log-format", "amqp://clerk:hunter2@broker"],
        &["--event-source", "amqp://clerk:hunter2@broker x"],
        &["--amqp-queue", "amq.://clerk:hunter2@broker"],
        &["--amqp-url", "amqp://clerk:hunter2@broker:x", "--database-url", "postgres://c:hunter2@h/x", "outbox"],
    ] {
        assert_hides_the_secret(binary().args(arguments));
    }
    for url in ["hunter2", "amqp://clerk:hunter2@broker:x/v", "amqp://clerk:x@hunter2@broker", "amqps://u:hunter2@["] {
        assert_hides_the_secret(binary().env("ALLOCATION_AMQP_URL", url).env("DATABASE_URL", "sqlite:///no/such/file"));
    }
}

#[test]
fn no_message_quotes_a_line_of_the_dotenv_file() {
    let folder = tempfile::tempdir().unwrap();
    for (text, line) in [
        ("hunter2\n", "line 1"),
        ("A=1\n\nDATABASE_URL=postgres://clerk:hunter2 x@db\n", "line 3"),
        ("A=1\nDATABASE_URL=\"postgres://clerk:hunter2\n", "line 2"),
        ("B='hunter2", "line 1"),
    ] {
        fs::write(folder.path().join(".env"), text).unwrap();
        let output = assert_hides_the_secret(binary().current_dir(&folder).args(["migrate", "status"]));
        assert!(output.contains(".env") && output.contains(line), "{text}: {output}");
    }
}

#[test]
fn urls_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let (url, database) = (folder.path().join("url"), folder.path().join("stock.db"));
    fs::write(&url, format!("sqlite://{}\r\n\n", database.display())).unwrap();
    let up = binary().args(["migrate", "up"]).env("DATABASE_URL_FILE", &url).output().unwrap();
    assert!(up.status.success() && database.exists(), "{up:?}");
    let up = binary().args(["migrate", "up", "--database-url-file"]).arg(&url).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&up.stdout), "nothing to do\n");

    for url in ["postgres://clerk:hunter2@db/stock", "clerk:hunter2@db"] {
        let output = assert_hides_the_secret(binary().args(["migrate", "status"]).env("DATABASE_URL_FILE", url));
        assert!(output.contains("names a file, not a URL"), "{output}");
        assert_hides_the_secret(binary().args(["--amqp-url-file", url, "--address", "127.0.0.1:0"]));
    }

    let broker = folder.path().join("broker");
    fs::write(&broker, "amqp://clerk:hunter2@broker:x\n").unwrap();
    let mut serve = binary();
    serve.args(["--address", "127.0.0.1:0"]).env("DATABASE_URL_FILE", &url).env("ALLOCATION_AMQP_URL_FILE", &broker);
    let output = assert_hides_the_secret(&mut serve);
    assert!(output.contains("ALLOCATION_AMQP_URL_FILE") && output.contains("amqp://USER"), "{output}");
}

#[test]
fn a_file_without_a_url_and_a_url_given_twice_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let status = |adjust: &dyn Fn(&mut Command)| {
        let mut command = binary();
        command.args(["migrate", "status"]).current_dir(&folder).env("DATABASE_URL_FILE", &file);
        adjust(&mut command);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(status(&|_| {}).contains("DATABASE_URL_FILE"), "it is not there");
    for (content, reason) in [
        (&b"\n"[..], "empty"),
        (&b"mysql://clerk:hunter2@db\n"[..], "must begin with"),
        (&b"\xff\xfehunter2"[..], "UTF-8"),
        (&b"postgres://hunter2".repeat(10_000)[..], "longer than 65536 bytes"),
    ] {
        fs::write(&file, content).unwrap();
        let error = status(&|_| {});
        assert!(error.contains("DATABASE_URL_FILE") && error.contains(reason), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
    fs::write(&file, "sqlite://stock.db").unwrap();
    let both = status(&|command| drop(command.env("DATABASE_URL", "sqlite://other.db").status()));
    assert!(both.contains("not both") && both.contains("--database-url-file"), "{both}");
    let both = status(&|command| drop(command.args(["--database-url", "sqlite://other.db"]).status()));
    assert!(both.contains("not both"), "{both}");
    assert!(!folder.path().join("stock.db").exists() && !folder.path().join("other.db").exists());
}

#[test]
fn sqlite_files_are_private_to_their_owner() {
    let database = TestDatabase::sqlite();
    let file = database.url().trim_start_matches("sqlite://");
    let server = Server::start(&database);
    server.client().add_batch("B-1", "LAMP", 1, None);
    for end in ["", "-wal", "-shm"] {
        let mode = fs::metadata(format!("{file}{end}")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{end}");
    }
}

#[test]
fn an_existing_file_keeps_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stock.db");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    let url = format!("sqlite://{}", file.display());
    assert!(binary().args(["migrate", "up"]).env("DATABASE_URL", url).status().unwrap().success());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
}
