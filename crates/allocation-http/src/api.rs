use crate::blocking::{BlockingLimits, Gate, Gates};
use crate::body::Bodies;
use crate::edge::{self, EdgeSettings};
use crate::event::{self, EventFeed};
use crate::problem::{Kind, Problem, catalogue};
use crate::request_failures::RequestFailures;
use crate::{allocation, backorder, batch, connection, docs, health, order, origin, pick_list, product, request_id};
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::Condition;
use actix_web::{App, Error, HttpRequest, HttpResponse, web};
use allocation_app::{AllocationEngine, UseCases};
use allocation_ports::{Clock, Queries, Readiness};
use chrono::{DateTime, NaiveDate, Utc};
use std::future::ready;
use std::sync::Arc;

/// Tells which day it is where the stock is.
pub trait Calendar: Send + Sync {
    /// The day of an instant.
    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate;
}

impl<F: Fn(DateTime<Utc>) -> NaiveDate + Send + Sync> Calendar for F {
    fn day_of(&self, at: DateTime<Utc>) -> NaiveDate {
        self(at)
    }
}

/// The API over what carries its requests out.
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
    /// The bodies in memory.
    pub(crate) bodies: Bodies,
    edge: Arc<EdgeSettings>,
}

impl Api {
    /// The API over use cases, the allocation engine, the ports that it reads from and the feed of events.
    ///
    /// What is read is as of the time that `clock` tells.
    ///
    /// Use cases and queries block on the database: `blocking` limits how many
    /// of them run and wait at a time, over all clones of the API; searches take a quarter of that at
    /// most, readers of events half.
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
        }
    }

    /// The same API with another calendar than that of UTC: batches that were expected before its today
    /// are overdue.
    #[must_use]
    pub fn with_calendar(self, calendar: impl Calendar + 'static) -> Self {
        Self { calendar: Arc::new(calendar), ..self }
    }

    /// Today, by the clock and the calendar.
    pub(crate) fn today(&self) -> NaiveDate {
        self.calendar.day_of(self.now())
    }

    /// The API as it is reached by these names and from these pages. Without settings, by addresses and
    /// `localhost`, and from its own pages.
    #[must_use]
    pub fn with_edge(self, edge: EdgeSettings) -> Self {
        Self { edge: Arc::new(edge), ..self }
    }

    /// The time now.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The use cases, for a request that has been read just now.
    pub(crate) fn use_cases(&self, request: &HttpRequest) -> UseCases {
        self.use_cases.clone().with_origin(origin::of(request)).for_command_just_read()
    }

    /// Reads one thing for a request, as of the time when its turn has come.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        read: impl FnOnce(&dyn Queries, DateTime<Utc>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (queries, clock) = (Arc::clone(&self.queries), Arc::clone(&self.clock));
        self.gate.run(request, move || read(&*queries, clock.now())).await
    }

    /// Reads what may look through many rows, as of the time when its turn has come.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        request: &HttpRequest,
        read: impl FnOnce(&dyn Queries, DateTime<Utc>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (queries, clock) = (Arc::clone(&self.queries), Arc::clone(&self.clock));
        self.searches.run(request, move || read(&*queries, clock.now())).await
    }

    /// Adds all paths of the API to an application, those that are not known included.
    fn configure(&self, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::new(self.clone()));
        // The router tries paths in this order, and allocations are what most requests are for.
        allocation::configure(cfg);
        order::configure(cfg);
        batch::configure(cfg);
        product::configure(cfg);
        backorder::configure(cfg);
        event::configure(cfg);
        pick_list::configure(cfg);
        health::configure(cfg);
        catalogue::configure(cfg);
        docs::configure(cfg);
        cfg.default_service(web::to(|| ready(Err::<HttpResponse, _>(Problem::of(Kind::NotFound)))));
    }
}

/// The application: what the server runs, and what tests call without one.
pub fn app(
    api: &Api,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let edge = Arc::clone(&api.edge);
    App::new()
        .configure(|cfg| api.configure(cfg))
        .wrap(Condition::new(edge.has_cors(), edge::cors(&edge)))
        .wrap_fn(move |request, next| edge::guard(&edge, request, next))
        .wrap_fn(connection::observe)
        .wrap_fn(request_id::watch)
}
