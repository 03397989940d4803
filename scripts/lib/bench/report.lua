-- One line for scripts/bench: responses a second, median and 99th percentile in
-- microseconds, responses of 400 and above, errors of the connection, and responses.
return function(summary, latency)
  local errors = summary.errors
  print(string.format(
    "RESULT %.0f %.0f %.0f %d %d %d",
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.requests
  ))
end
