-- Follows the feed of events in pages of 1,000 by the links, and starts over at its end.

local start = "/events?limit=1000"
local path = start

function request()
  return wrk.format("GET", path)
end

function response(status, headers, body)
  path = #body > 2 and headers["link"]:match("<(.-)>") or start
end

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
