-- Sends bulk requests of lines of one unit, each with an order of its own.
--
-- Arguments: a word that makes the orders of this run unique; the SKU; the lines of a request.
-- The report counts requests.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  local word, sku, size = arguments[1], arguments[2], tonumber(arguments[3])
  local head = { ["Content-Type"] = "application/x-ndjson" }
  local tail = '","sku":"' .. sku .. '","qty":1}'
  local sent = 0
  request = function()
    local lines = {}
    for line = 1, size do
      lines[line] = '{"order_id":"' .. word .. "-" .. number .. "-" .. sent .. "-" .. line .. tail
    end
    sent = sent + 1
    return wrk.format("POST", "/allocations/bulk", head, table.concat(lines, "\n"))
  end
end

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
