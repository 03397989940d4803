//! The package of a release.

use crate::support::binary;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} {output:?}");
}

/// Calls `visit` with every file of a folder.
fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}

/// Returns the files that the page links to, but for sources.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let files = targets.filter(|target| !target.is_empty() && !target.contains("://") && !target.ends_with(".rs"));
    files.map(|target| page.parent().unwrap().join(target)).collect()
}

#[test]
fn a_package_has_all_pages_that_its_pages_link_to() {
    let folder = tempfile::tempdir().unwrap();
    // Stands in for the program, which is large.
    let program = folder.path().join("allocation");
    fs::write(&program, format!("#!/bin/sh\nexec '{}' \"$@\"\n", binary().get_program().display())).unwrap();
    run(Command::new("chmod").arg("+x").arg(&program));
    let (target, version) = (format!("test-{}", std::process::id()), "0.0.0");
    run(Command::new("scripts/package-binary").args([&*target, version]).arg(&program).current_dir(workspace()));
    let archive = workspace().join(format!("target/package/allocation-{version}-{target}.tar.gz"));
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()));
    fs::remove_file(archive).unwrap();

    let package = folder.path().join(format!("allocation-{version}-{target}"));
    for file in [
        "allocation",
        "completions/_allocation",
        "completions/allocation.bash",
        "completions/allocation.fish",
        "deploy/systemd/allocation.service",
        "man/allocation-keys-create.1",
        "man/allocation.1",
    ] {
        assert!(fs::metadata(package.join(file)).is_ok_and(|it| it.len() > 0), "{file}");
    }
    let mut pages = 0;
    walk(&package, &mut |file| {
        if file.extension().is_some_and(|extension| extension == "md") {
            pages += 1;
            let missing: Vec<_> = links(file).into_iter().filter(|target| !target.exists()).collect();
            assert!(missing.is_empty(), "{}: {missing:?}", file.display());
        }
    });
    assert!(pages > 30, "{pages}");
}
