//! Services that share a PostgreSQL database, each in a schema of its own.

use crate::outages::ready;
use crate::support::{Server, TestDatabase, binary};

/// Returns the URL of a database for the tables of one schema.
fn in_schema(database: &TestDatabase, schema: &str) -> String {
    let separator = if database.url().contains('?') { '&' } else { '?' };
    format!("{}{separator}options=-csearch_path%3D{schema}", database.url())
}

#[test]
fn two_schemas_of_a_database_hold_two_independent_services() {
    let database = TestDatabase::postgres();
    database.execute("CREATE SCHEMA north; CREATE SCHEMA south");
    let urls = ["north", "south"].map(|schema| in_schema(&database, schema));
    // A migration of one cell in another process does not delay other cells.
    let held = database.hold(
        "SET LOCAL search_path = north;
         SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 5216694956302))",
    );
    let south = Server::start_at(&urls[1], |command| command);
    drop(held);
    let north = Server::start_at(&urls[0], |command| command);
    for (server, units) in [(&north, 5), (&south, 7)] {
        let client = server.client();
        // Each has a sequencer of its own, or one of them would not be ready.
        ready(&client);
        assert_eq!(client.add_batch("B-1", "LAMP", units, None).status, 201);
        assert_eq!(client.allocate("O-1", "LAMP", units).status, 201);
        let page = client.page("/events?after=0&limit=2&wait=30").0;
        assert_eq!(page[0]["id"], "1");
    }
    for (server, units) in [(&north, 5), (&south, 7)] {
        assert_eq!(server.client().product("LAMP")["allocated"], units);
    }
    let tables =
        |schema: &str| database.count(&format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'"));
    assert_eq!((tables("north"), tables("public")), (tables("south"), 0));
    assert_eq!(database.count("SELECT count(*) FROM (TABLE north.leases UNION ALL TABLE south.leases) l"), 2);
    // The leases of one cell do not prevent a rollback of another's migrations.
    drop(north);
    south.signal("TERM");
    south.wait();
    let undo = |url: &str| {
        let output = binary().args(["migrate", "down", "--yes"]).env("DATABASE_URL", url).output().unwrap();
        output.status.success()
    };
    assert_eq!(urls.each_ref().map(|url| undo(url)), [false, true]);
}

#[test]
fn the_url_can_set_the_mode_of_cached_plans_and_nothing_else_of_the_planner() {
    let database = TestDatabase::postgres();
    let separator = if database.url().contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options=-cplan_cache_mode%3Dauto%20-cenable_seqscan%3Don", database.url());
    database.execute(
        "CREATE FUNCTION plan_settings() RETURNS text LANGUAGE sql AS
         $$ SELECT current_setting('plan_cache_mode') || ' ' || current_setting('enable_seqscan') $$;
         CREATE TABLE seen (settings text NOT NULL);
         CREATE FUNCTION record() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO seen VALUES (plan_settings()); RETURN NEW; END $$",
    );
    for (url, settings) in [(database.url(), "force_generic_plan off"), (&url, "auto off")] {
        let server = Server::start_at(url, |command| command);
        database.execute("CREATE TRIGGER record AFTER INSERT ON products FOR EACH ROW EXECUTE FUNCTION record()");
        assert_eq!(server.client().register(settings).status, 201);
        assert_eq!(database.texts("DELETE FROM seen RETURNING settings"), [settings]);
        database.execute("DROP TRIGGER record ON products");
    }
}
