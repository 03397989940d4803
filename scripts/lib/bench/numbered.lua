-- Sends one request about each of many numbered things, again and again.
--
-- Arguments: a word that makes this run unique; the method; the path; how many there are;
-- and the bodies, of which each round sends the next one. In the path and the bodies, & is
-- the number and # is different in each request.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  local word, method, path, count = arguments[1], arguments[2], arguments[3], tonumber(arguments[4])
  local bodies = { unpack(arguments, 5) }
  local head = { ["Content-Type"] = "application/json" }
  local sent = 0
  request = function()
    -- Two threads share the things: one has the odd ones, the other the even ones.
    local place = sent * 2 + number
    local names = { ["&"] = tostring(place % count + 1), ["#"] = word .. "-" .. number .. "-" .. sent }
    local body = bodies[math.floor(place / count) % #bodies + 1]
    sent = sent + 1
    return wrk.format(method, path:gsub("[&#]", names), head, (body:gsub("[&#]", names)))
  end
end

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
