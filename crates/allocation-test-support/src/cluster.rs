use crate::script::{call, folder};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tempfile::TempDir;

/// How a commit waits for the standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// Not at all.
    Asynchronous,
    /// Until the standby has written it to its disk.
    Synchronous,
}

/// A PostgreSQL primary with a streaming standby, stopped when the value is dropped.
#[derive(Debug)]
pub struct TestCluster {
    folder: TempDir,
    ports: [u16; 2],
    /// The index of the primary.
    primary: usize,
}

impl TestCluster {
    /// Starts both servers, which takes some seconds.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if a server does not start.
    #[must_use]
    pub fn start(replication: Replication) -> Self {
        let mut cluster = Self { folder: folder(), ports: [0, 0], primary: 0 };
        let synchronous = match replication {
            Replication::Asynchronous => "",
            Replication::Synchronous => "synchronous_standby_names=standby",
        };
        // The data need not survive a crash of the machine. Without fsync, they still survive a crash of a server.
        let settings = "fsync=off max_connections=200 cluster_name=standby";
        let start = format!("postgres_start '{}' {settings} {synchronous}; echo $PG_PORT", cluster.server(0));
        cluster.ports[0] = call(&start).parse().unwrap();
        let standby = format!("postgres_start_standby '{}' {}; echo $PG_PORT", cluster.server(1), cluster.ports[0]);
        cluster.ports[1] = call(&standby).parse().unwrap();
        cluster
    }

    /// Returns the URL of both servers, which leads to the primary.
    #[must_use]
    pub fn url(&self) -> String {
        let [first, second] = self.ports;
        let hosts = format!("127.0.0.1:{first},127.0.0.1:{second}");
        format!("postgres://postgres@{hosts}/postgres?target_session_attrs=read-write")
    }

    /// Returns the URL of the current standby.
    #[must_use]
    pub fn standby_url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.ports[1 - self.primary])
    }

    /// Runs SQL on the standby.
    ///
    /// # Panics
    ///
    /// Panics if the standby rejects it.
    pub fn execute_on_standby(&self, sql: &str) {
        PgConnection::establish(&self.standby_url()).unwrap().batch_execute(sql).unwrap();
    }

    /// Stops the primary, and restarts the standby, which has then nothing to replay.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if a server does not stop or start.
    pub fn restart_standby_alone(&self) {
        let (primary, standby) = (self.server(self.primary), self.server(1 - self.primary));
        let port = self.ports[1 - self.primary];
        call(&format!("postgres_stop '{primary}'; postgres_stop '{standby}'; postgres_launch '{standby}' {port}"));
    }

    /// Returns a number that the standby computes.
    ///
    /// # Panics
    ///
    /// Panics if the standby rejects the query.
    #[must_use]
    pub fn count_on_standby(&self, query: &str) -> i64 {
        let mut standby = PgConnection::establish(&self.standby_url()).unwrap();
        sql::<BigInt>(&format!("SELECT ({query})::bigint")).get_result(&mut standby).unwrap()
    }

    /// Cuts the standby off from the primary until it is replaced.
    ///
    /// # Panics
    ///
    /// Panics if the standby does not respond.
    pub fn cut_replication(&self) {
        self.execute_on_standby("ALTER SYSTEM SET primary_conninfo = ''");
        self.execute_on_standby("SELECT pg_reload_conf()");
    }

    /// Kills the primary and promotes the standby.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if it fails.
    pub fn fail_over(&mut self) {
        let standby = 1 - self.primary;
        call(&format!("postgres_kill '{}'; postgres_promote '{}'", self.server(self.primary), self.server(standby)));
        self.primary = standby;
    }

    /// Replaces the failed server with a new standby, which takes some seconds.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if it fails.
    pub fn replace_standby(&self) {
        let standby = 1 - self.primary;
        let (folder, [from, own]) = (self.server(standby), [self.ports[self.primary], self.ports[standby]]);
        call(&format!("rm -rf '{folder}/data'; postgres_start_standby '{folder}' {from} {own}"));
    }

    fn server(&self, number: usize) -> String {
        self.folder.path().join(["a", "b"][number]).display().to_string()
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        call(&format!("postgres_stop '{}'; postgres_stop '{}'", self.server(0), self.server(1)));
    }
}
