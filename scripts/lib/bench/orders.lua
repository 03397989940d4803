-- Sends orders of several lines of one unit, each line of another SKU.
--
-- Arguments: a word that makes the orders of this run unique; the prefix of the
-- SKUs; how many there are; how many lines an order has.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

-- So many different numbers from 1 to count.
local function pick(lines, count)
  local picked, taken = {}, {}
  while #picked < lines do
    local sku = math.random(count)
    if not taken[sku] then
      taken[sku] = true
      picked[#picked + 1] = sku
    end
  end
  return picked
end

function init(arguments)
  local word, prefix, count, lines = arguments[1], arguments[2], tonumber(arguments[3]), tonumber(arguments[4])
  math.randomseed(os.time() + number * 7919)
  local head = { ["Content-Type"] = "application/json" }
  local sent = 0
  request = function()
    sent = sent + 1
    local body = {}
    for place, sku in ipairs(pick(lines, count)) do
      body[place] = '{"sku":"' .. prefix .. sku .. '","qty":1}'
    end
    return wrk.format("POST", "/orders", head,
      '{"order_id":"' .. word .. "-" .. number .. "-" .. sent .. '","lines":[' .. table.concat(body, ",") .. "]}")
  end
end

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
