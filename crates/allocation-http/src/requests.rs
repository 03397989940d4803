//! The durations of requests, by route, method and status.

use crate::problem::Kind;
use actix_web::http::{Method, StatusCode};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets in microseconds: those of OpenTelemetry's semantic conventions, and two below.
pub(crate) const BOUNDS: [u64; 16] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
    5_000_000, 7_500_000, 10_000_000,
];

/// The methods with a name of their own; all others share the last one.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"];

/// The maximum number of series of a route. Requests beyond it are not recorded; routes have far fewer.
const MAX_SERIES: usize = 64;

/// The place of a route among all routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteIndex(pub(crate) usize);

impl RouteIndex {
    /// The place of requests that match no route.
    pub(crate) const NONE: Self = Self(usize::MAX);
}

/// Lock-free records of requests, shared by all threads. The memory is bounded by routes, methods and statuses.
#[derive(Debug)]
pub(crate) struct Requests {
    /// The routes in the order of their indexes, once the application has declared them.
    routes: OnceLock<Vec<Route>>,
    unmatched: Route,
    problems: Vec<AtomicU64>,
}

/// The series of a route, the first one seen first.
#[derive(Debug)]
struct Route {
    template: String,
    series: [OnceLock<Box<Series>>; MAX_SERIES],
}

/// The durations of requests with one method and one status.
#[derive(Debug)]
struct Series {
    method: &'static str,
    status: StatusCode,
    /// One bucket more than there are bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_micros: AtomicU64,
}

/// The values of a series at one time.
pub(crate) struct Recorded<'a> {
    pub(crate) template: &'a str,
    pub(crate) method: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
    pub(crate) sum: Duration,
}

impl Default for Requests {
    fn default() -> Self {
        let problems = Kind::ALL.iter().map(|_| AtomicU64::new(0)).collect();
        Self { routes: OnceLock::new(), unmatched: Route::new(String::new()), problems }
    }
}

impl Requests {
    /// Declares the routes, in the order of their indexes. Later declarations change nothing.
    pub(crate) fn declare(&self, templates: impl FnOnce() -> Vec<String>) {
        self.routes.get_or_init(|| templates().into_iter().map(Route::new).collect());
    }

    /// Records a request. `time` lasts until its response begins.
    pub(crate) fn record(&self, route: RouteIndex, method: &Method, status: StatusCode, time: Duration) {
        let route = self.routes.get().and_then(|routes| routes.get(route.0)).unwrap_or(&self.unmatched);
        if let Some(series) = route.series(name_of(method), status) {
            series.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Returns the template of a route, an empty text if none has matched.
    pub(crate) fn template(&self, route: RouteIndex) -> &str {
        self.routes.get().and_then(|routes| routes.get(route.0)).map_or("", |route| &route.template)
    }

    /// Records a problem that a client received.
    #[expect(clippy::as_conversions, reason = "the list of all kinds has the order of their declaration")]
    pub(crate) fn record_problem(&self, kind: Kind) {
        self.problems[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns all series.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = Recorded<'_>> {
        let routes = self.routes.get().into_iter().flatten().chain([&self.unmatched]);
        routes.flat_map(|route| route.series.iter().map_while(OnceLock::get).map(|series| series.recorded(route)))
    }

    /// Returns the number of problems by name.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Kind::ALL.iter().map(|kind| kind.name()).zip(self.problems.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

impl Route {
    fn new(template: String) -> Self {
        Self { template, series: [const { OnceLock::new() }; MAX_SERIES] }
    }

    /// Returns the series of a method and a status, which is added if it is new.
    fn series(&self, method: &'static str, status: StatusCode) -> Option<&Series> {
        let place = |slot: &'_ OnceLock<Box<Series>>| slot.get().is_none_or(|series| series.is(method, status));
        let free_or_found = self.series.iter().position(place)?;
        // Another thread may take the free place for another series.
        self.series[free_or_found..]
            .iter()
            .map(|slot| &**slot.get_or_init(|| Box::new(Series::new(method, status))))
            .find(|series| series.is(method, status))
    }
}

impl Series {
    fn new(method: &'static str, status: StatusCode) -> Self {
        let buckets = [const { AtomicU64::new(0) }; BOUNDS.len() + 1];
        Self { method, status, buckets, sum_micros: AtomicU64::new(0) }
    }

    fn is(&self, method: &'static str, status: StatusCode) -> bool {
        self.status == status && self.method == method
    }

    fn record(&self, micros: u64) {
        let bucket = BOUNDS.partition_point(|bound| micros > *bound);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn recorded<'a>(&self, route: &'a Route) -> Recorded<'a> {
        Recorded {
            template: &route.template,
            method: self.method,
            status: self.status,
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.sum_micros.load(Ordering::Relaxed)),
        }
    }
}

/// Returns the name of a method: clients may invent methods.
pub(crate) fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => METHODS[0],
        Method::HEAD => METHODS[1],
        Method::POST => METHODS[2],
        Method::PUT => METHODS[3],
        Method::PATCH => METHODS[4],
        Method::DELETE => METHODS[5],
        Method::OPTIONS => METHODS[6],
        _ => METHODS[7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests() -> Requests {
        let requests = Requests::default();
        requests.declare(|| vec!["/batch".to_owned(), "/orders/{order_id}".to_owned()]);
        requests
    }

    #[test]
    fn requests_are_counted_by_route_method_and_status() {
        let requests = requests();
        let record = |route, method: Method, status, micros| {
            requests.record(route, &method, status, Duration::from_micros(micros));
        };
        record(RouteIndex(1), Method::GET, StatusCode::OK, 900);
        record(RouteIndex(1), Method::GET, StatusCode::OK, 1_001);
        record(RouteIndex(1), Method::GET, StatusCode::NOT_FOUND, 60_000_000);
        record(RouteIndex(0), Method::POST, StatusCode::CREATED, 1_000);
        record(RouteIndex::NONE, Method::from_bytes(b"BREW").unwrap(), StatusCode::NOT_FOUND, 1);
        let recorded: Vec<_> = requests
            .recorded()
            .map(|it| (it.template, it.method, it.status.as_u16(), it.buckets.iter().sum::<u64>(), it.sum))
            .collect();
        let micros = Duration::from_micros;
        assert_eq!(
            recorded,
            [
                ("/batch", "POST", 201, 1, micros(1_000)),
                ("/orders/{order_id}", "GET", 200, 2, micros(1_901)),
                ("/orders/{order_id}", "GET", 404, 1, micros(60_000_000)),
                ("", "_OTHER", 404, 1, micros(1)),
            ]
        );
        let orders = requests.recorded().nth(1).unwrap();
        assert_eq!(orders.buckets[..3], [1, 1, 0], "a bound belongs to its bucket");
    }

    #[test]
    fn the_series_of_a_route_are_bounded() {
        let requests = requests();
        for status in 100..1_000 {
            let status = StatusCode::from_u16(status).unwrap();
            requests.record(RouteIndex(0), &Method::GET, status, Duration::ZERO);
        }
        assert_eq!(requests.recorded().count(), MAX_SERIES);
    }

    #[test]
    fn threads_that_add_the_same_series_at_once_share_it() {
        let requests = requests();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for status in 200..230 {
                        let status = StatusCode::from_u16(status).unwrap();
                        requests.record(RouteIndex(0), &Method::GET, status, Duration::ZERO);
                    }
                });
            }
        });
        let counts: Vec<u64> = requests.recorded().map(|it| it.buckets.iter().sum()).collect();
        assert_eq!(counts, [8; 30]);
    }

    #[test]
    fn problems_are_counted_by_kind() {
        let requests = requests();
        for (times, kind) in Kind::ALL.iter().enumerate() {
            (0..times).for_each(|_| requests.record_problem(*kind));
        }
        let expected = Kind::ALL.iter().map(|kind| kind.name()).zip(0..);
        assert!(requests.problems().eq(expected), "{:?}", requests.problems().collect::<Vec<_>>());
    }
}
