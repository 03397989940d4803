//! The tour of the README, run as printed.

use crate::support::{Server, TestDatabase, on_every_database};
use std::process::Command;

/// The commands of the README's console blocks with the output printed below them.
fn tour() -> Vec<(String, String)> {
    let readme = include_str!("../../../../README.md");
    let mut steps: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push((command.to_owned(), String::new())),
                (None, Some((_, answer))) => {
                    answer.push_str(line);
                    answer.push('\n');
                }
                (None, None) => panic!("an answer without a command: {line}"),
            }
        }
    }
    steps
}

/// A text without its instants (`2026-11-22T20:00:20.307371Z`), which no two runs share.
fn without_instants(text: &str) -> String {
    let is_instant = |part: &str| {
        let shape = part.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect::<String>();
        shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
    };
    text.split('"').map(|part| if is_instant(part) { "(instant)" } else { part }).collect::<Vec<_>>().join("\"")
}

fn the_tour_prints_its_documented_output(database: &TestDatabase) {
    let server = Server::start(database);
    let steps = tour();
    assert!(steps.len() > 10);
    for (command, answer) in steps {
        let local = command.replace("127.0.0.1:8000", server.address());
        let output = Command::new("sh").args(["-c", &local]).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(without_instants(printed.trim_end()), without_instants(answer.trim_end()), "{command}");
    }
}

on_every_database!(the_tour_prints_its_documented_output);
