-- Requests of the mode in BENCH_MODE, each for a random secret of the file BENCH_SECRETS. At the end one line of JSON on
-- standard error: how many answers, how many wrong ones, and how long they took.
local mode = os.getenv("BENCH_MODE")
local base = "/secret-manager/v1beta1/regions/fr-par"
local token = { ["X-Auth-Token"] = os.getenv("BENCH_TOKEN") }
local threads = {}
local requests = {}

local write = {
   access = function(id) return wrk.format("GET", base .. "/secrets/" .. id .. "/versions/latest_enabled/access", token) end,
   get = function(id) return wrk.format("GET", base .. "/secrets/" .. id, token) end,
   list = function() return wrk.format("GET", base .. "/secrets?page_size=50&project_id=" .. os.getenv("BENCH_PROJECT"), token) end,
   create = function(id) return wrk.format("POST", base .. "/secrets/" .. id .. "/versions", token, '{"data":"aHVudGVyMg=="}') end,
}

function setup(thread)
   table.insert(threads, thread)
   thread:set("number", #threads)
end

-- All requests are written before the first is sent, so that wrk takes little of the time that is measured.
function init()
   for id in io.lines(os.getenv("BENCH_SECRETS")) do
      requests[#requests + 1] = write[mode](id)
   end
   math.randomseed(os.time() * 100 + number)
   wrong = 0
end

function request()
   return requests[math.random(#requests)]
end

function response(status)
   if status ~= 200 then wrong = wrong + 1 end
end

function done(summary, latency)
   local all = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
   for _, thread in ipairs(threads) do all = all + thread:get("wrong") end
   io.stderr:write(string.format('{"count":%d,"seconds":%f,"wrong":%d,"p50":%f,"p99":%f}\n', summary.requests,
      summary.duration / 1e6, all, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
