//! The commands of the documentation, run as printed.

use crate::support::{Server, TestDatabase, on_every_database};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A block of commands and the response printed below it.
struct Step {
    commands: String,
    response: Option<Response>,
}

enum Response {
    Text(String),
    /// JSON values; white space between and inside them is for the reader.
    Json(Vec<Value>),
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The steps of a page: its `sh` blocks that call the service, each with the `json` or `text` block below it.
fn steps_of(page: &str) -> Vec<Step> {
    let text = fs::read_to_string(workspace().join(page)).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let (language, body) = block.split_once('\n').unwrap();
        match language {
            "sh" if body.contains("localhost:8000") => {
                steps.push(Step { commands: body.to_owned(), response: None });
            }
            "json" => steps.last_mut().unwrap().response = Some(Response::Json(values_of(body))),
            "text" => steps.last_mut().unwrap().response = Some(Response::Text(without_instants(body))),
            _ => {}
        }
    }
    steps
}

fn values_of(text: &str) -> Vec<Value> {
    let text = without_instants(text);
    serde_json::Deserializer::from_str(&text).into_iter().collect::<Result<_, _>>().unwrap()
}

/// A text without its instants (`2026-11-22T20:00:20.307371Z`), which no two runs share.
fn without_instants(text: &str) -> String {
    let is_instant = |part: &str| {
        let shape = part.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect::<String>();
        shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
    };
    text.split('"').map(|part| if is_instant(part) { "(instant)" } else { part }).collect::<Vec<_>>().join("\"")
}

/// Runs a step. Its output ends with the printed response; before that, no command is rejected.
fn run(step: &Step, server: &Server) {
    let commands = step.commands.replace("localhost:8000", server.address());
    let output = Command::new("sh").args(["-e", "-c", &commands]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap().replace('\r', "");
    assert!(output.status.success(), "{commands}{printed}{}", String::from_utf8_lossy(&output.stderr));
    match &step.response {
        Some(Response::Text(expected)) => assert_eq!(without_instants(printed.trim()), expected.trim(), "{commands}"),
        Some(Response::Json(expected)) => {
            let values = values_of(&printed);
            let documented = values.len().saturating_sub(expected.len());
            assert_eq!(&values[documented..], expected, "{commands}");
            assert_no_problem(&values[..documented], &commands);
        }
        None => assert_no_problem(&values_of(&printed), &commands),
    }
}

fn assert_no_problem(values: &[Value], commands: &str) {
    for value in values {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        assert!(!kind.starts_with("/problems/"), "{commands}{value}");
    }
}

fn the_tour_and_the_checkout_print_their_documented_responses(database: &TestDatabase) {
    let server = Server::start(database);
    for (page, at_least) in [("README.md", 15), ("docs/how-to/checkout.md", 4)] {
        let steps = steps_of(page);
        assert!(steps.len() >= at_least, "{page} has {} steps", steps.len());
        for step in &steps {
            run(step, &server);
        }
    }
}

on_every_database!(the_tour_and_the_checkout_print_their_documented_responses);

#[test]
fn the_chart_of_the_readme_shows_the_response_of_the_tour() {
    let steps = steps_of("README.md");
    let step = steps.iter().find(|step| step.commands.contains("/availability?qty=")).unwrap();
    let Some(Response::Json(values)) = &step.response else { panic!("{} has no response", step.commands) };
    let mut chart = Command::new("scripts/promise-chart")
        .current_dir(workspace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    chart.stdin.take().unwrap().write_all(values.last().unwrap().to_string().as_bytes()).unwrap();
    let drawn = chart.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(drawn.stdout).unwrap(),
        fs::read_to_string(workspace().join("docs/promise.svg")).unwrap(),
        "draw it again: scripts/promise-chart"
    );
}

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    heading.to_lowercase().chars().filter(kept).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// Returns the paths of a folder's pages, with those below it.
fn pages_in(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && name != ".git" {
            pages_in(&path, pages);
        } else if name.ends_with(".md") {
            pages.push(path);
        }
    }
}

/// Returns the link if it leads nowhere: to no file, or to no heading of a page.
fn is_broken(page: &Path, link: &str) -> bool {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if fragment.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
        return !target.exists();
    }
    let Ok(text) = fs::read_to_string(target) else { return true };
    !text
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .any(|heading| anchor(heading.trim_start_matches('#').trim()) == fragment)
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    let mut pages = Vec::new();
    pages_in(&workspace(), &mut pages);
    assert!(pages.len() > 30, "{} pages", pages.len());
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            if !link.contains("://") && is_broken(&page, link) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
