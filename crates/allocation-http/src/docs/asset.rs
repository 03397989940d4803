use crate::etag;
use crate::prefix::Prefix;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETag, EntityTag, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher};

/// The content security policy, which limits pages to this server. Both UIs inline styles, and ReDoc's
/// search runs in a worker from a blob.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The prefixes of the paths that pages and scripts load.
const OWN_PATHS: [&str; 3] = ["/docs/", "/redoc/", "/openapi.json"];

/// The beginning of the types of problems in the OpenAPI document.
const PROBLEMS: &str = "\"/problems/";

/// The server URL in the OpenAPI document.
const SERVER: &str = "\"url\": \"/\"";

/// A file that stays unchanged while the server runs.
pub(super) struct Asset {
    path: Cow<'static, str>,
    media_type: Cow<'static, str>,
    content: Bytes,
    tag: ETag,
}

impl Asset {
    pub(super) fn new(
        path: impl Into<Cow<'static, str>>,
        media_type: impl Into<Cow<'static, str>>,
        content: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        let content = match content.into() {
            Cow::Borrowed(content) => Bytes::from_static(content),
            Cow::Owned(content) => content.into(),
        };
        let mut hasher = DefaultHasher::new();
        hasher.write(&content);
        let tag = ETag(EntityTag::new_strong(format!("{:016x}", hasher.finish())));
        Self { path: path.into(), media_type: media_type.into(), content, tag }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the file with the client's prefix, or 304 if the client has the current version.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let prefix = Prefix::of(request);
        match std::str::from_utf8(&self.content).ok().filter(|_| !prefix.is_empty() && self.has_paths()) {
            Some(text) => {
                let content = OWN_PATHS.iter().fold(text.to_owned(), |text, path| {
                    text.replace(&format!("\"{path}"), &format!("\"{prefix}{path}"))
                });
                let content = content.replace(SERVER, &format!("\"url\": \"{prefix}\""));
                // The types of problems carry the prefix; the path of the operation is relative to the server.
                let content = content.replace(PROBLEMS, &format!("\"{prefix}/problems/"));
                let content = content.replace(&format!("\"{prefix}/problems/{{"), &format!("{PROBLEMS}{{"));
                Self::new(self.path.clone(), self.media_type.clone(), content.into_bytes()).send(request)
            }
            None => self.send(request),
        }
    }

    /// Returns whether the file contains paths of the service, which need the prefix.
    fn has_paths(&self) -> bool {
        self.media_type.starts_with("text/html")
            || self.path.ends_with(".json")
            || self.path.ends_with("initializer.js")
    }

    fn send(&self, request: &HttpRequest) -> HttpResponse {
        let known = etag::is_known(request, &self.tag);
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header(self.tag.clone())
            .insert_header((CACHE_CONTROL, "no-cache"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
        if known {
            return response.finish();
        }
        if self.media_type.starts_with("text/html") {
            response.insert_header((CONTENT_SECURITY_POLICY, POLICY)).insert_header((REFERRER_POLICY, "no-referrer"));
        }
        response.insert_header((CONTENT_TYPE, &*self.media_type)).body(self.content.clone())
    }
}
