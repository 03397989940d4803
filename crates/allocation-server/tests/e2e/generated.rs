//! What the program prints about itself: its version, completions and manual pages.

use crate::support::{Server, TestDatabase, binary};
use std::path::Path;
use std::process::Command;

fn printed(arguments: &[&str]) -> String {
    let output = binary().args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the commit of the checkout, if this is one.
fn checkout() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new("git").arg("-C").arg(&root).args(["rev-parse", "HEAD"]).output().ok()?;
    (output.status.success() && root.join(".git").exists()).then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn version_and_metrics_name_the_commit() {
    let version = printed(&["--version"]);
    let commit = version.trim_end().split_once(" (").unwrap().1.trim_end_matches(')').to_owned();
    assert_eq!(version, format!("allocation {} ({commit})\n", env!("CARGO_PKG_VERSION")));
    let is_own_build = std::env::var_os("ALLOCATION_TEST_BINARY").is_none();
    if let (Some(head), true) = (checkout(), is_own_build) {
        assert_eq!(commit, head[..12]);
    }
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let metrics = server.client().get("/metrics").text;
    assert!(metrics.contains(&format!("commit=\"{commit}\"")), "{metrics}");
    assert!(server.log().concat().contains(&format!("\"commit\":\"{commit}\"")));
}

#[test]
fn every_shell_gets_completions() {
    for (shell, start) in [
        ("bash", "_allocation() {"),
        ("zsh", "#compdef allocation"),
        ("fish", "# Print an optspec"),
        ("powershell", "\nusing namespace System.Management.Automation"),
    ] {
        let script = printed(&["completions", shell]);
        assert!(script.starts_with(start), "{shell}: {}", &script[..100]);
        assert!(script.contains("outbox") && script.contains("pool-size"), "{shell}");
        assert!(script.contains("version"), "{shell} completes --version");
        assert!(script.contains("The topic exchange") || shell == "bash", "{shell} shows what a setting is");
        assert!(!script.contains("clock-offset-seconds") && !script.contains("ALLOCATION_TODAY"), "{shell}");
    }
}

/// A shell reads the completions without a complaint.
#[test]
fn bash_completes_commands() {
    let script = printed(&["completions", "bash"]);
    let complete = "COMP_WORDS=(allocation outbox st); COMP_CWORD=2; _allocation allocation st outbox";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{script}\n{complete}\necho ${{COMPREPLY[@]}}\n")).unwrap();
    let output = Command::new("bash").arg(file.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "status\n", "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn every_command_gets_a_manual_page() {
    let page = printed(&["man"]);
    assert!(
        page.contains(".TH allocation 1") && page.contains("ALLOCATION_POOL_SIZE") && !page.contains("-help(1)"),
        "{page}"
    );
    let folder = tempfile::tempdir().unwrap();
    printed(&["man", folder.path().to_str().unwrap()]);
    for name in ["allocation.1", "allocation-serve.1", "allocation-keys-create.1", "allocation-outbox-status.1"] {
        let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    let missing = binary().args(["man", "/no/such/folder"]).output().unwrap();
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/no/such/folder"), "{missing:?}");
}
