use super::certificates::{Authority, provider};
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A client of the API of one server.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
}

/// A response of a server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Checks that this is a problem of that name and status, and returns its members.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let body = self.json();
        assert_eq!(body["type"], format!("/problems/{name}"), "{self:?}");
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && body["detail"].is_string(), "{self:?}");
        body
    }

    /// The pointers or parameters of a validation problem, sorted.
    #[track_caller]
    pub(crate) fn faults(&self) -> Vec<String> {
        let body = self.problem(422, "validation");
        let place = |fault: &Value| {
            assert!(fault["detail"].is_string(), "{fault}");
            fault["pointer"].as_str().or(fault["parameter"].as_str()).unwrap().to_owned()
        };
        let mut faults: Vec<String> = body["errors"].as_array().unwrap().iter().map(place).collect();
        faults.sort();
        faults
    }
}

impl Client {
    /// A client with this time limit on requests.
    pub(crate) fn with_timeout(address: &str, timeout: Duration) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let config = config.timeout_global(Some(timeout)).build();
        Self { agent: config.into(), base: format!("http://{address}") }
    }

    pub(crate) fn new(address: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { agent: config.into(), base: format!("http://{address}") }
    }

    /// A client of a server with TLS, whose certificate the authority has signed.
    pub(crate) fn over_tls(address: &str, authority: &Authority) -> Self {
        let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root]));
        Self::with_tls(address, tls.unversioned_rustls_crypto_provider(provider()).build())
    }

    /// A client of a server with TLS, whose certificate may be expired or unknown.
    pub(crate) fn over_unverified_tls(address: &str) -> Self {
        let tls = TlsConfig::builder().disable_verification(true);
        Self::with_tls(address, tls.unversioned_rustls_crypto_provider(provider()).build())
    }

    fn with_tls(address: &str, tls: TlsConfig) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).tls_config(tls).build();
        Self { agent: config.into(), base: format!("https://{address}") }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.base)).call())
    }

    /// Like `get`, but a connection error does not fail the test.
    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        read(self.agent.get(format!("{}{path}", self.base)).call().ok()?)
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        answer(self.agent.delete(format!("{}{path}", self.base)).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, Some("application/json"), body.to_string())
    }

    /// Like `post`, but a connection error does not fail the test.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        let response = request.send(body.to_string()).ok()?;
        read(response)
    }

    /// Sends a request whose connection may fail; null means no body.
    pub(crate) fn try_send(&self, method: &str, path: &str, body: &Value) -> Option<Answer> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        let text = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_null() {
            request = request.header("content-type", "application/json");
        }
        read(self.agent.run(request.body(text).unwrap()).ok()?)
    }

    pub(crate) fn post_text(&self, path: &str, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
        self.send("POST", path, content_type, body)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let headers: Vec<_> = content_type.map(|value| ("content-type", value)).into_iter().collect();
        self.send_with(method, path, &headers, body)
    }

    pub(crate) fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(self.agent.run(request.body(body.into()).unwrap()))
    }

    pub(crate) fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.base)).header(header.0, header.1).call())
    }

    pub(crate) fn post_with(&self, path: &str, body: &Value, header: (&str, &str)) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        answer(request.header(header.0, header.1).send(body.to_string()))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some("application/json"), body.to_string())
    }

    pub(crate) fn add_batch(&self, reference: &str, sku: &str, quantity: u32, eta: Option<&str>) -> Answer {
        self.post("/batch", &json!({"reference": reference, "sku": sku, "purchased_quantity": quantity, "eta": eta}))
    }

    /// Registers a product, so that orders can wait for it.
    pub(crate) fn register(&self, sku: &str) -> Answer {
        self.send("PUT", &format!("/products/{}", encoded(sku)), None, "")
    }

    pub(crate) fn allocate(&self, order_id: &str, sku: &str, qty: u32) -> Answer {
        self.post("/allocations", &json!({"order_id": order_id, "sku": sku, "qty": qty}))
    }

    /// Places an order of these lines; `more` are its other fields.
    pub(crate) fn place(&self, order_id: &str, lines: &[(&str, u32)], more: Value) -> Answer {
        self.post("/orders", &order(order_id, lines, more))
    }

    pub(crate) fn confirm(&self, order_id: &str) -> Answer {
        self.send("POST", &format!("/orders/{}/confirm", encoded(order_id)), None, "")
    }

    pub(crate) fn extend(&self, order_id: &str, seconds: u32) -> Answer {
        self.post(&format!("/orders/{}/extend", encoded(order_id)), &json!({"hold_seconds": seconds}))
    }

    /// Adjusts batches: the change of each.
    pub(crate) fn adjust(&self, adjustment_id: &str, reason: &str, lines: &[(&str, i64)]) -> Answer {
        let line = |(reference, change): &(&str, i64)| json!({"reference": reference, "change": change});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        self.post("/adjustments", &json!({"adjustment_id": adjustment_id, "reason": reason, "lines": lines}))
    }

    pub(crate) fn close(&self, order_id: &str) -> Answer {
        self.send("POST", &format!("/orders/{}/close", encoded(order_id)), None, "")
    }

    pub(crate) fn cancel(&self, order_id: &str) -> Answer {
        self.delete(&format!("/orders/{}", encoded(order_id)))
    }

    pub(crate) fn give_back(&self, order_id: &str, reference: &str) -> Answer {
        self.delete(&format!("/allocations/{}/batch/{}", encoded(order_id), encoded(reference)))
    }

    pub(crate) fn change_batch(&self, reference: &str, change: &Value) -> Answer {
        self.change_batch_if(reference, None, change)
    }

    /// Changes a batch if its tag still matches.
    pub(crate) fn change_batch_if(&self, reference: &str, tag: Option<&str>, change: &Value) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(tag.map(|tag| ("if-match", tag)));
        self.send_with("PATCH", &format!("/batch/{}", encoded(reference)), &headers, change.to_string())
    }

    /// Deletes a batch if its tag still matches.
    pub(crate) fn remove_batch_if(&self, reference: &str, tag: &str) -> Answer {
        self.send_with("DELETE", &format!("/batch/{}", encoded(reference)), &[("if-match", tag)], "")
    }

    /// Returns an order.
    #[track_caller]
    pub(crate) fn order(&self, order_id: &str) -> Value {
        let answer = self.get(&format!("/orders/{}", encoded(order_id)));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Returns an order in one line: see [`summary`].
    #[track_caller]
    pub(crate) fn standing(&self, order_id: &str) -> String {
        summary(&self.order(order_id))
    }

    #[track_caller]
    pub(crate) fn product(&self, sku: &str) -> Value {
        let answer = self.get(&format!("/products/{}", encoded(sku)));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Returns the orders that wait for a SKU with their units, in the order of the queue.
    pub(crate) fn queue(&self, sku: &str) -> Vec<(String, u64)> {
        let rows = self.all(&format!("/backorders?sku={}", encoded(sku)));
        rows.iter().map(|row| (row["order_id"].as_str().unwrap().to_owned(), row["qty"].as_u64().unwrap())).collect()
    }

    /// Returns the free units of a batch.
    pub(crate) fn available(&self, reference: &str) -> u64 {
        self.get(&format!("/batch/{}", encoded(reference))).json()["available_quantity"].as_u64().unwrap()
    }

    /// Returns the rows of a page, and the link to the next one.
    pub(crate) fn page(&self, path: &str) -> (Vec<Value>, Option<String>) {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{answer:?}");
        let next = answer.header("link").map(|link| {
            let (target, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(rest, "; rel=\"next\"");
            target.to_owned()
        });
        (answer.json().as_array().unwrap().clone(), next)
    }

    /// Returns all retained events.
    pub(crate) fn all_events(&self) -> Vec<Value> {
        let (mut events, mut path) = (Vec::new(), "/events?limit=1000".to_owned());
        loop {
            let (page, next) = self.page(&path);
            if page.is_empty() {
                return events;
            }
            events.extend(page);
            path = next.unwrap();
        }
    }

    /// Returns all rows of a list, page after page.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut next = Some(path.to_owned());
        while let Some(path) = next {
            let page = self.page(&path);
            rows.extend(page.0);
            next = page.1;
        }
        rows
    }
}

/// Builds the request for an order of these lines; `more` are its other fields.
pub(crate) fn order(order_id: &str, lines: &[(&str, u32)], more: Value) -> Value {
    let lines: Vec<Value> = lines.iter().map(|(sku, qty)| json!({"sku": sku, "qty": qty})).collect();
    let mut order = json!({"order_id": order_id, "lines": lines});
    let Value::Object(more) = more else { panic!("{more} is no object") };
    order.as_object_mut().unwrap().extend(more);
    order
}

/// Formats an order in one line: its status, and for each line the allocated units, their batches, and the
/// backorder, as in `held LAMP 3 (B-1 2, B-2 1) SOFA 0 +4`.
#[track_caller]
pub(crate) fn summary(order: &Value) -> String {
    let mut text = order["status"].as_str().unwrap_or_else(|| panic!("no order: {order}")).to_owned();
    for line in order["lines"].as_array().unwrap() {
        let part = |part: &Value| format!("{} {}", part["reference"].as_str().unwrap(), part["qty"]);
        let parts: Vec<String> = line["allocations"].as_array().unwrap().iter().map(part).collect();
        text += &format!(" {} {}", line["sku"].as_str().unwrap(), line["allocated"]);
        if !parts.is_empty() {
            text += &format!(" ({})", parts.join(", "));
        }
        if line["backordered"] != 0 {
            text += &format!(" +{}", line["backordered"]);
        }
    }
    text
}

fn answer(response: Result<Response<ureq::Body>, ureq::Error>) -> Answer {
    read(response.unwrap()).unwrap()
}

fn read(mut response: Response<ureq::Body>) -> Option<Answer> {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let text = response.body_mut().with_config().limit(64 << 20).read_to_vec().ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    Some(Answer { status: response.status().as_u16(), headers, text })
}

/// Percent-encodes a path segment, except letters, digits and `-._~`.
pub(crate) fn encoded(segment: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let code = |byte: u8| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    segment.bytes().map(code).collect()
}
