-- Follows the feed with one reader, page after page, from the start, and again from the
-- start at its end. The reported rate counts events, whose positions have no gaps; median
-- and 99th percentile are per page.

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  events, broken, position, next_page = 0, 0, 0, wrk.path
end

function request()
  return wrk.format("GET", next_page)
end

function response(status, headers, body)
  local link = (headers["link"] or headers["Link"] or ""):match("<([^>]*)>")
  local after = link and tonumber(link:match("after=(%d+)"))
  if status ~= 200 or not after or body:sub(-1) ~= "]" then
    broken = broken + 1
    return
  end
  if after == position then
    position, next_page = 0, wrk.path
  else
    events, position, next_page = events + after - position, after, link
  end
end

function done(summary, latency, requests)
  local sum, bad = 0, 0
  for _, thread in ipairs(threads) do
    sum, bad = sum + thread:get("events"), bad + thread:get("broken")
  end
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")({
    requests = sum,
    duration = summary.duration,
    errors = {
      status = summary.errors.status, connect = summary.errors.connect, read = summary.errors.read,
      write = summary.errors.write, timeout = summary.errors.timeout + bad,
    },
  }, latency)
end
