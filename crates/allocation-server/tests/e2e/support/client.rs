use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, Response};

/// Talks to a server as a client of the API does.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
}

/// What a server answered.
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

    /// Checks that this is a problem of that name and status, and gives its members.
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
    pub(crate) fn new(address: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).build();
        Self { agent: config.into(), base: format!("http://{address}") }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.base)).call())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        answer(self.agent.delete(format!("{}{path}", self.base)).call())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, Some("application/json"), body.to_string())
    }

    /// Like `post`, but an error of the connection is none of the test.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = self.agent.post(format!("{}{path}", self.base)).content_type("application/json");
        let response = request.send(body.to_string()).ok()?;
        read(response)
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
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
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

    pub(crate) fn allocate(&self, order_id: &str, sku: &str, qty: u32) -> Answer {
        self.post("/allocations", &json!({"order_id": order_id, "sku": sku, "qty": qty}))
    }

    /// What is available of a batch.
    pub(crate) fn available(&self, reference: &str) -> u64 {
        self.get(&format!("/batch/{}", encoded(reference))).json()["available_quantity"].as_u64().unwrap()
    }

    /// The rows of a page, and where the next one is.
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

    /// All rows of a list, page after page by the links.
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

/// Percent-encodes a path segment: all but letters, digits and `-._~`.
pub(crate) fn encoded(segment: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let code = |byte: u8| if keep(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    segment.bytes().map(code).collect()
}
