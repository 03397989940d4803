//! Sets the commit that `--version` and the metrics name.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable by which a packager names the commit; the program reads the result under the same name.
const COMMIT: &str = "ALLOCATION_COMMIT";
/// The digits of a commit, as many as git would show for a repository of any size.
const DIGITS: usize = 12;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={COMMIT}");
    let given = std::env::var(COMMIT).ok().filter(|commit| !commit.is_empty());
    let commit = given.or_else(commit_of_checkout).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env={COMMIT}={commit}");
}

/// Returns the commit of the checkout. An unpacked release has none, even if it lies in another repository.
fn commit_of_checkout() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().ok()?;
    if Path::new(&git(&root, &["rev-parse", "--show-toplevel"])?).canonicalize().ok()? != root {
        return None;
    }
    // Both change with each commit and checkout. The build would run each time for a file that does not exist.
    for file in ["HEAD", "logs/HEAD"] {
        let path: PathBuf = root.join(git(&root, &["rev-parse", "--git-path", file])?);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
        }
    }
    let commit = git(&root, &["rev-parse", "HEAD"])?;
    Some(commit.get(..DIGITS).unwrap_or(&commit).to_owned())
}

/// Returns what git prints, if there is a git and it succeeds.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !printed.is_empty()).then_some(printed)
}
