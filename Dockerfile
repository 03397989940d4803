# The C libraries (SQLite, libpq, OpenSSL) are compiled and linked statically, so the
# final image adds only the root certificates for TLS.
FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS builder
WORKDIR /src
COPY . .
# The context has no repository: docker build --build-arg ALLOCATION_COMMIT=$(git rev-parse HEAD)
ARG ALLOCATION_COMMIT
RUN cargo build --release --locked -p allocation-server --features postgres-tls

FROM debian:bookworm-slim@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin allocation \
    && install -d -o allocation -g allocation /data
COPY --from=builder /src/target/release/allocation /usr/local/bin/allocation
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/allocation/

# A server on loopback cannot be reached from outside its container. On any other address, it starts only with a key or
# ALLOCATION_ALLOW_ANONYMOUS=true.
ENV ALLOCATION_ADDRESS=0.0.0.0:8000

USER allocation
# The default database is sqlite://allocation.db here. No DATABASE_URL is set, so that DATABASE_URL_FILE can be.
WORKDIR /data
VOLUME /data
EXPOSE 8000
# It requests `/readyz` from the server in this container, within two seconds.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["allocation", "health"]
ENTRYPOINT ["allocation"]
