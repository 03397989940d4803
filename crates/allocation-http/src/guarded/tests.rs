use crate::Api;
use crate::testing::{Ports, TestResponse, get, metered, now, send};
use actix_web::http::Method;
use actix_web::test::TestRequest;
use allocation_access::{ApiKey, KeyId, KeyName, Scope, Scopes};
use allocation_adapters_memory::MemoryStore;
use allocation_app::{AccessControl, AnonymousAccess, Keys, NewKey};
use allocation_ports::mocks::{MockClock, MockKeyStore};
use allocation_ports::{Access, Clock, FailedCheck, StoreError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An API that requires keys, and the keys.
struct Protected {
    api: Api,
    keys: Keys,
    control: AccessControl,
}

impl Protected {
    fn new(ports: Ports) -> Self {
        let clock = clock();
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let keys = Keys::new(store.clone(), clock.clone());
        let control = AccessControl::new(store, clock, Access::ReadWrite, AnonymousAccess::Never);
        control.reload().unwrap();
        Self { api: metered(ports).with_access(control.clone(), keys.clone()), keys, control }
    }

    fn create(&self, scopes: &[Scope], rate: Option<&str>) -> String {
        let rate = rate.map(|rate| rate.parse().unwrap());
        let name = KeyName::parse("web shop").unwrap();
        let new = NewKey { name, scopes: Scopes::from_iter(scopes.iter().copied()), rate, expires_at: None };
        let issued = self.keys.create(new).unwrap();
        self.control.reload().unwrap();
        issued.key.expose().to_owned()
    }

    async fn send(&self, method: &Method, uri: &str, key: &str) -> TestResponse {
        let request = TestRequest::default().method(method.clone()).uri(uri);
        send(&self.api, request.insert_header(("authorization", format!("Bearer {key}")))).await
    }

    async fn get(&self, uri: &str, key: &str) -> TestResponse {
        self.send(&Method::GET, uri, key).await
    }
}

fn clock() -> Arc<dyn Clock> {
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    Arc::new(clock)
}

/// Returns every operation of the OpenAPI document, with its path filled in and the scopes that it documents: `None`
/// if it needs no key.
fn operations() -> Vec<(Method, String, Option<Vec<String>>)> {
    let document: Value = serde_json::from_str(&crate::openapi_json()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // Valid for every parameter; the query is not, so that no handler reaches a port.
        let uri: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let needed = operation.get("security").map(|alternatives| {
                assert_eq!(alternatives.as_array().unwrap().len(), 1);
                alternatives[0]["key"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
            });
            operations.push((method, format!("{}?unknown", uri.join("/")), needed));
        }
    }
    operations
}

#[actix_web::test]
async fn every_operation_admits_the_scopes_that_it_documents_and_no_others() {
    let protected = Protected::new(Ports::new());
    let keys = Scope::ALL.map(|scope| (scope, protected.create(&[scope], None)));
    let mut open = BTreeSet::new();
    for (method, uri, needed) in operations() {
        let Some(needed) = needed else {
            open.insert(uri);
            continue;
        };
        let anonymous = send(&protected.api, TestRequest::default().method(method.clone()).uri(&uri)).await;
        assert_eq!(anonymous.status, 401, "{method} {uri}");
        anonymous.problem("key-required");
        for (scope, key) in &keys {
            let answer = protected.send(&method, &uri, key).await;
            let admits = needed.is_empty() || *scope == Scope::Admin || needed.iter().any(|it| it == scope.as_str());
            let refused = [401, 403].contains(&answer.status.as_u16());
            assert_eq!(!refused, admits, "{method} {uri} {scope}: {:?}", answer.body);
        }
    }
    let expected =
        ["/events/schemas/1?unknown", "/livez?unknown", "/problems/1?unknown", "/problems?unknown", "/readyz?unknown"];
    assert_eq!(open, expected.map(ToOwned::to_owned).into());
}

#[actix_web::test]
async fn pages_about_the_service_need_no_key() {
    let protected = Protected::new(Ports::new());
    protected.create(&[Scope::Read], None);
    for path in ["/", "/docs", "/redoc", "/openapi.json", "/livez", "/readyz", "/problems", "/problems/validation"] {
        let status = get(&protected.api, path).await.status;
        assert!(status.is_success() || status.is_redirection(), "{path}");
    }
    assert_eq!(get(&protected.api, "/nothing").await.status, 404);
}

#[actix_web::test]
async fn credentials_that_are_no_key_are_refused_with_a_challenge() {
    let protected = Protected::new(Ports::new());
    let key = protected.create(&[Scope::Read], None);
    let header = |value: String| TestRequest::get().uri("/whoami").insert_header(("authorization", value));
    for value in [String::new(), "Basic eDp5".to_owned(), key.clone(), "Bearer".to_owned()] {
        let answer = send(&protected.api, header(value)).await;
        answer.problem("key-required");
        assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="allocation""#));
    }
    let unknown = ApiKey::new(&KeyId::from_random(1), [1; 32]);
    for (presented, reason) in [
        (&key[..key.len() - 1], "The key is malformed: part of it may be missing"),
        ("eyJhbGciOiJub25lIn0.e30.", "The key is malformed: part of it may be missing"),
        (unknown.expose(), "The key is unknown"),
    ] {
        let answer = send(&protected.api, header(format!("Bearer {presented}"))).await;
        assert_eq!((answer.status.as_u16(), answer.problem("key-refused")["detail"].clone()), (401, json!(reason)));
        let challenge = r#"Bearer realm="allocation", error="invalid_token""#;
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
        assert!(!String::from_utf8_lossy(&answer.body).contains(presented));
    }
    assert_eq!(send(&protected.api, header(format!("bearer  {key} "))).await.status, 200);
}

#[actix_web::test]
async fn a_revoked_key_is_refused() {
    let protected = Protected::new(Ports::new());
    let (admin, key) = (protected.create(&[Scope::Admin], None), protected.create(&[Scope::Read], None));
    let uri = format!("/keys/{}", &key["alloc_".len()..][..KeyId::LENGTH]);
    assert_eq!(protected.send(&Method::DELETE, &uri, &admin).await.status, 204);
    let answer = protected.get("/whoami", &key).await;
    assert_eq!(answer.problem("key-refused")["detail"], "The key was revoked");
}

#[actix_web::test]
async fn a_missing_scope_is_named() {
    let protected = Protected::new(Ports::new());
    let key = protected.create(&[Scope::Read], None);
    let answer = protected.send(&Method::POST, "/orders", &key).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.problem("missing-scope")["scope"], "orders:write");
    let challenge = r#"Bearer realm="allocation", error="insufficient_scope", scope="orders:write""#;
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
}

#[actix_web::test]
async fn a_limited_key_sees_its_quota_and_is_refused_beyond_it() {
    let protected = Protected::new(Ports::new());
    let key = protected.create(&[Scope::Read], Some("2/h"));
    for (remaining, reset) in [(1, 1_800), (0, 3_600)] {
        let answer = protected.get("/whoami", &key).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), Some(r#""key";q=2;w=3600"#));
        assert_eq!(answer.header("ratelimit"), Some(&*format!(r#""key";r={remaining};t={reset}"#)));
    }
    let answer = protected.get("/whoami", &key).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.problem("rate-limited")["detail"], "The key may send 2/h requests");
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""key";q=2;w=3600"#));
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_800).contains(&seconds), "{seconds}");
    let refused = protected.create(&[Scope::EventsRead], Some("2/h"));
    for remaining in [1, 0] {
        let answer = protected.get("/batch", &refused).await;
        assert_eq!((answer.status.as_u16(), answer.header("ratelimit-policy")), (403, Some(r#""key";q=2;w=3600"#)));
        assert!(answer.header("ratelimit").unwrap().starts_with(&format!(r#""key";r={remaining};"#)));
    }
    assert_eq!(protected.get("/batch", &refused).await.status, 429);
    let unlimited = protected.get("/whoami", &protected.create(&[Scope::Read], None)).await;
    assert_eq!(unlimited.header("ratelimit"), None);
}

#[actix_web::test]
async fn readiness_has_no_details_without_a_key() {
    let failed = vec![FailedCheck::new(FailedCheck::SEQUENCER, "No replica sequences events")];
    let protected = Protected::new(Ports::with_failed_checks(failed));
    let key = protected.create(&[Scope::EventsRead], None);
    let answer = get(&protected.api, "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.problem("not-ready")["checks"].clone()), (503, json!([])));
    assert!(!String::from_utf8_lossy(&answer.body).contains("No replica"));
    assert_eq!(protected.get("/readyz", &key).await.json()["checks"][0]["name"], "sequencer");
}

#[actix_web::test]
async fn no_request_is_served_before_the_keys_are_loaded() {
    let mut store = MockKeyStore::new();
    store.expect_keys().returning(|_| Err(StoreError::Unavailable("away".into())));
    let store = Arc::new(store);
    let control = AccessControl::new(store.clone(), clock(), Access::ReadWrite, AnonymousAccess::UntilFirstKey);
    assert!(control.reload().is_err());
    let api = Ports::new().api().with_access(control, Keys::new(store, clock()));
    let answer = get(&api, "/batch").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem("not-ready")["checks"][0]["name"], "keys");
    assert_eq!(get(&api, "/livez").await.status, 200);
}
