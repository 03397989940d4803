-- Sends lines of one unit, each with an order of its own.
--
-- Arguments: a word that makes the orders of this run unique; how SKUs are chosen
-- (one, even or zipf); the prefix of the SKUs; how many there are.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local function cumulated_zipf(count)
  local sums, sum = {}, 0
  for rank = 1, count do
    sum = sum + 1 / rank
    sums[rank] = sum
  end
  return sums
end

-- The first rank whose cumulated weight reaches a random share of the whole.
local function pick_zipf(sums)
  local wanted, low, high = math.random() * sums[#sums], 1, #sums
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < wanted then low = middle + 1 else high = middle end
  end
  return low
end

function init(arguments)
  local word, choice, prefix, count = arguments[1], arguments[2], arguments[3], tonumber(arguments[4] or "1")
  math.randomseed(os.time() + number * 7919)
  local sums = choice == "zipf" and cumulated_zipf(count)
  local head = { ["Content-Type"] = "application/json" }
  local sent = 0
  request = function()
    local sku = prefix
    if choice == "even" then
      sku = prefix .. math.random(count)
    elseif choice == "zipf" then
      sku = prefix .. pick_zipf(sums)
    end
    sent = sent + 1
    local body = '{"order_id":"' .. word .. "-" .. number .. "-" .. sent .. '","sku":"' .. sku .. '","qty":1}'
    return wrk.format("POST", "/allocations", head, body)
  end
end

function done(summary, latency, requests)
  dofile(os.getenv("BENCH_LIB") .. "/report.lua")(summary, latency)
end
