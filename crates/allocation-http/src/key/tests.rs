use crate::Api;
use crate::testing::{Ports, delete, get, now, post};
use allocation_access::{ApiKey, Scope};
use allocation_adapters_memory::MemoryStore;
use allocation_app::{AccessControl, AnonymousAccess, Keys};
use allocation_ports::mocks::MockClock;
use allocation_ports::{Access, Clock};
use serde_json::json;
use std::sync::Arc;

/// Returns an API that has no keys yet.
fn open() -> (Api, AccessControl) {
    let mut clock = MockClock::new();
    clock.expect_now().returning(now);
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let keys = Keys::new(store.clone(), clock.clone());
    let control = AccessControl::new(store, clock, Access::ReadWrite, AnonymousAccess::UntilFirstKey);
    control.reload().unwrap();
    (Ports::new().api().with_access(control.clone(), keys), control)
}

#[actix_web::test]
async fn the_first_key_closes_the_service_at_once() {
    let (api, control) = open();
    assert_eq!(get(&api, "/keys").await.json(), json!([]));
    let whoami = get(&api, "/whoami").await.json();
    assert_eq!(whoami, json!({ "actor": "anonymous", "scopes": ["admin"] }));
    let new = r#"{"name": "web shop", "scopes": ["read", "orders:write"], "rate": "100/s"}"#;
    let created = post(&api, "/keys", new).await;
    assert_eq!((created.status.as_u16(), created.header("cache-control")), (201, Some("no-store")));
    let created = created.json();
    let key = ApiKey::parse(created["key"].as_str().unwrap()).unwrap();
    let admitted = control.admit(Some(key.expose()), Some(Scope::Read)).unwrap();
    assert_eq!(admitted.caller.actor().to_string(), format!("key:{}", created["id"].as_str().unwrap()));
    get(&api, "/keys").await.problem("key-required");
}

#[actix_web::test]
async fn an_invalid_key_is_refused_with_every_error() {
    let (api, _) = open();
    let answer = post(&api, "/keys", r#"{"name": "", "scopes": ["all"], "rate": "1"}"#).await;
    assert_eq!(answer.places(), ["/name", "/scopes/0", "/rate"]);
    let expired = r#"{"name": "shop", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}"#;
    assert_eq!(post(&api, "/keys", expired).await.places(), ["/expires_at"]);
    delete(&api, "/keys/nothing").await.problem("key-not-found");
    delete(&api, "/keys/00000000000").await.problem("key-not-found");
}

#[actix_web::test]
async fn without_access_control_there_are_no_keys() {
    let api = Ports::new().api();
    get(&api, "/keys").await.problem("internal-error");
    assert_eq!(get(&api, "/whoami").await.json()["actor"], "anonymous");
}
