-- Sends the same GET again and again, and reports as the other scripts do.

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
