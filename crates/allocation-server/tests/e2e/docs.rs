//! The documentation pages, which must work offline.

use crate::support::{Server, TestDatabase};

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
