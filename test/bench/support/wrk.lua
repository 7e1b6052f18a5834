-- Posts the lines of a file in turn, with a pause between an answer and the next request: `wrk -s wrk.lua URL -- FILE PAUSE_MS`.
local requests = {}
local at = 0
local pause = 0

function init(args)
  pause = tonumber(args[2]) or 0
  local headers = { ["Content-Type"] = "application/json" }
  for line in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, line)
  end
  if pause == 0 then delay = nil end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function delay()
  return pause
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"rate":%f,"p50":%f,"p99":%f,"max":%f,"errors":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
