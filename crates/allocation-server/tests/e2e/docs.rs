//! The documentation pages, which must work offline.

use crate::support::{Server, TestDatabase};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// The resources of a page, by its `src` and `href` attributes.
fn loaded(page: &str) -> Vec<String> {
    let after = |attribute: &'static str| page.split(attribute).skip(1);
    let links = after("src=\"").chain(after("href=\""));
    links.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn the_root_redirects_to_the_docs() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let root = server.client().get("/");
    assert!((301..=308).contains(&root.status), "{root:?}");
    assert!(root.header("location").unwrap().starts_with("/docs"));
}

#[test]
fn both_pages_load_only_from_this_server() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let client = server.client();
    for start in ["/docs", "/redoc"] {
        let mut path = start.to_owned();
        let mut page = client.get(&path);
        while (301..=308).contains(&page.status) {
            path = page.header("location").unwrap().to_owned();
            page = client.get(&path);
        }
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
        let loaded = loaded(&page.text);
        assert!(!loaded.is_empty(), "{path}");
        for link in loaded {
            assert!(!link.starts_with("http") && !link.starts_with("//"), "{path} loads {link}");
            let folder = &path[..=path.rfind('/').unwrap()];
            let target =
                if link.starts_with('/') { link.clone() } else { format!("{folder}{}", link.trim_start_matches("./")) };
            assert_eq!(client.get(&target).status, 200, "{path} loads {target}");
        }
    }
}

#[test]
fn the_served_document_is_the_committed_one() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let served = server.client().get("/openapi.json");
    let committed: serde_json::Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    assert_eq!((served.status, served.json()), (200, committed));
}

/// The members of an object in the order of the document, in which Swagger UI shows them.
struct Ordered<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }

        deserializer.deserialize_map(Members(std::marker::PhantomData))
    }
}

#[derive(Deserialize)]
struct Document {
    tags: Vec<Value>,
    paths: Ordered<Ordered<Value>>,
}

/// A client that sends the examples of operations, as a reader of Swagger UI does.
struct Reader {
    server: Server,
    /// The first key, once there is one.
    key: Option<String>,
    /// The id of the last key.
    id: String,
}

impl Reader {
    /// Sends every example of an operation.
    fn try_out(&mut self, method: &str, path: &str, operation: &Value) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let (mut target, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            let example = match &parameter["example"] {
                Value::Null => None,
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
            match (parameter["in"].as_str().unwrap(), example) {
                // Without an example, the reader enters what an earlier response had.
                ("path", example) => {
                    target = target.replace(&format!("{{{name}}}"), example.as_ref().unwrap_or(&self.id))
                }
                ("query", Some(example)) => query.push(format!("{name}={example}")),
                ("header", Some(example)) => headers.push((name.to_owned(), example)),
                _ => {}
            }
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let content = &operation["requestBody"]["content"]["application/json"];
        let named: Vec<Value> = content["examples"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, example)| example["value"].clone())
            .collect();
        let bodies = match (&content["example"], named.is_empty()) {
            (Value::Null, true) => vec![Value::Null],
            (Value::Null, false) => named,
            (example, _) => vec![example.clone()],
        };
        for body in bodies {
            self.send(method, &target, &headers, &body);
        }
    }

    fn send(&mut self, method: &str, target: &str, headers: &[(String, String)], body: &Value) {
        let key = self.key.as_ref().map(|key| format!("Bearer {key}"));
        if target.starts_with("/events/stream") {
            return self.open_stream(target);
        }
        let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        all.extend(key.as_deref().map(|key| ("authorization", key)));
        let text = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_null() {
            all.push(("content-type", "application/json"));
        }
        let answer = self.server.client().send_with(&method.to_uppercase(), target, &all, &*text);
        assert!((200..300).contains(&answer.status), "{method} {target} {text}: {answer:?}");
        let items = answer.text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed: Vec<_> = items.filter(|item| item["problem"].is_object()).collect();
        assert!(failed.is_empty(), "{method} {target} {text}: {failed:?}");
        if target == "/keys" && method == "post" {
            let created = answer.json();
            self.id = created["id"].as_str().unwrap().to_owned();
            self.key.get_or_insert_with(|| created["key"].as_str().unwrap().to_owned());
        }
    }

    /// Opens a stream, which never ends.
    fn open_stream(&self, target: &str) {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status).unwrap();
        assert_eq!(status, "HTTP/1.1 200 OK\r\n", "{target}");
    }
}

/// Swagger UI shows the operations of each tag in the order of the document, and fills in the examples.
#[test]
fn every_example_works_in_order_on_an_empty_database() {
    let document: Document = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let mut reader = Reader { server, key: None, id: String::new() };
    let mut operations = 0;
    for tag in &document.tags {
        for (path, item) in &document.paths.0 {
            for (method, operation) in item.0.iter().filter(|(_, operation)| operation["tags"][0] == tag["name"]) {
                reader.try_out(method, path, operation);
                operations += 1;
            }
        }
    }
    assert!(operations > 40, "{operations}");
}
