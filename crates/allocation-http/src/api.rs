use crate::access_log::AccessLog;
use crate::blocking::{BlockingLimits, Gate, Gates};
use crate::body_memory::Bodies;
use crate::edge::EdgeSettings;
use crate::event_context;
use crate::event_feed::EventFeed;
use crate::metrics::{MetricSources, Metrics};
use crate::problem::{Kind, Problem};
use crate::request_failures::RequestFailures;
use crate::requests::Requests;
use actix_web::HttpRequest;
use allocation_app::{AccessControl, AllocationEngine, Keys, Tracer, UseCases};
use allocation_domain::HoldDuration;
use allocation_ports::{Clock, CommandEffects, Queries, Readiness};
use allocation_requests::ValidationErrors;
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;

/// A calendar in the time zone of the stock.
pub trait Calendar: Send + Sync {
    /// Returns the day of an instant.
    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate;
}

impl<F: Fn(DateTime<Utc>) -> NaiveDate + Send + Sync> Calendar for F {
    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self(at)
    }
}

/// The HTTP API and the services behind it.
#[derive(Clone)]
pub struct Api {
    use_cases: UseCases,
    pub(crate) engine: AllocationEngine,
    queries: Arc<dyn Queries>,
    pub(crate) readiness: Arc<dyn Readiness>,
    clock: Arc<dyn Clock>,
    calendar: Arc<dyn Calendar>,
    pub(crate) feed: EventFeed,
    pub(crate) gate: Gate,
    pub(crate) searches: Gate,
    pub(crate) readers: Gate,
    pub(crate) failures: Arc<RequestFailures>,
    /// The memory limit of request bodies.
    pub(crate) bodies: Bodies,
    pub(crate) edge: Arc<EdgeSettings>,
    /// The longest hold that a request can ask for.
    longest_hold: HoldDuration,
    pub(crate) access_log: Arc<AccessLog>,
    pub(crate) requests: Arc<Requests>,
    /// The metrics, if this API serves them.
    pub(crate) metrics: Option<Arc<Metrics>>,
    /// Finds what earlier requests have caused; `None` if keys of requests are not looked up.
    pub(crate) effects: Option<Arc<dyn CommandEffects>>,
    /// Chooses the requests that have a span; `None` if no request has one.
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// Who may do what; `None` if every caller may do everything.
    access: Option<(AccessControl, Keys)>,
}

impl Api {
    /// Creates an API over use cases, the allocation engine, the ports for reads and the event feed.
    ///
    /// Reads use the time of `clock`. Use cases and queries block on the database; `blocking` limits how
    /// many run and wait across all clones of the API. Searches take at most a quarter of that, event readers half.
    #[must_use]
    pub fn new(
        use_cases: UseCases,
        engine: AllocationEngine,
        queries: Arc<dyn Queries>,
        readiness: Arc<dyn Readiness>,
        clock: Arc<dyn Clock>,
        feed: EventFeed,
        blocking: BlockingLimits,
    ) -> Self {
        let Gates { calls: gate, searches, readers } = Gates::new(blocking, &readiness);
        let (failures, bodies, edge) = (Arc::default(), Bodies::default(), Arc::default());
        let calendar = Arc::new(|at: DateTime<Utc>| at.date_naive());
        Self {
            use_cases,
            engine,
            queries,
            readiness,
            clock,
            calendar,
            feed,
            gate,
            searches,
            readers,
            failures,
            bodies,
            edge,
            longest_hold: HoldDuration::DAY,
            access_log: Arc::default(),
            requests: Arc::default(),
            metrics: None,
            effects: None,
            tracer: None,
            access: None,
        }
    }

    /// Returns the metrics of this API and of further sources.
    #[must_use]
    pub fn metrics(&self, sources: MetricSources) -> Metrics {
        let (readiness, clock) = (Arc::clone(&self.readiness), Arc::clone(&self.clock));
        Metrics::new(sources, Arc::clone(&self.requests), self.engine.clone(), readiness, clock)
    }

    /// Logs one of `every` requests at level `info`, none if that is 0.
    #[must_use]
    pub fn with_access_log(self, every: u32) -> Self {
        Self { access_log: Arc::new(AccessLog::new(every)), ..self }
    }

    /// Records spans of the requests that a tracer chooses. By default, no request has a span.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        Self { tracer: Some(Arc::new(tracer)), ..self }
    }

    /// Recognizes requests by their `Idempotency-Key`. By default, it is not looked up.
    #[must_use]
    pub fn with_effects(self, effects: Arc<dyn CommandEffects>) -> Self {
        Self { effects: Some(effects), ..self }
    }

    /// Serves metrics at `/metrics`.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Replaces the calendar, which is UTC by default. Batches expected before its current day are overdue.
    #[must_use]
    pub fn with_calendar(self, calendar: impl Calendar + 'static) -> Self {
        Self { calendar: Arc::new(calendar), ..self }
    }

    /// Returns today's date by the clock and the calendar.
    pub(crate) fn today(&self) -> NaiveDate {
        self.calendar.day_of(self.now())
    }

    /// Replaces the edge settings. By default, addresses and `localhost` reach the API, for its own pages only.
    #[must_use]
    pub fn with_edge(self, edge: EdgeSettings) -> Self {
        Self { edge: Arc::new(edge), ..self }
    }

    /// Limits the seconds for which a request can hold an order, a day by default.
    #[must_use]
    pub fn with_longest_hold(self, longest_hold: HoldDuration) -> Self {
        Self { longest_hold, ..self }
    }

    /// Rejects a hold that is longer than the limit.
    pub(crate) fn check_hold(&self, hold: Option<HoldDuration>) -> Result<(), ValidationErrors> {
        if hold.is_none_or(|hold| hold <= self.longest_hold) {
            return Ok(());
        }
        let (shortest, longest) = (HoldDuration::MIN, self.longest_hold.seconds());
        Err(ValidationErrors::at("/hold_seconds", format_args!("must be an integer from {shortest} to {longest}")))
    }

    /// Admits only callers that `control` admits, by keys that an administrator manages. By default, every caller may
    /// do everything.
    #[must_use]
    pub fn with_access(self, control: AccessControl, keys: Keys) -> Self {
        Self { access: Some((control, keys)), ..self }
    }

    /// Returns who may do what; `None` if every caller may do everything.
    pub(crate) fn access(&self) -> Option<&AccessControl> {
        self.access.as_ref().map(|(control, _)| control)
    }

    /// Returns the management of keys, which fails without access control.
    pub(crate) fn keys(&self) -> Result<&(AccessControl, Keys), Problem> {
        self.access.as_ref().ok_or_else(|| Problem::of(Kind::InternalError))
    }

    /// Returns the current time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Returns the use cases for a request that was just read.
    pub(crate) fn use_cases(&self, request: &HttpRequest) -> UseCases {
        self.use_cases.clone().with_context(event_context::of(request)).for_command_just_read()
    }

    /// Runs a point read for a request; the read time is taken once a slot is free.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        read: impl FnOnce(&dyn Queries, DateTime<Utc>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (queries, clock) = (Arc::clone(&self.queries), Arc::clone(&self.clock));
        self.gate.run(request, move || read(&*queries, clock.now())).await
    }

    /// Runs a read that may scan many rows; the read time is taken once a slot is free.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        read: impl FnOnce(&dyn Queries, DateTime<Utc>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (queries, clock) = (Arc::clone(&self.queries), Arc::clone(&self.clock));
        self.searches.run(request, move || read(&*queries, clock.now())).await
    }
}
