# Prints each plan that auto_explain logged in the second file, in one line, unless the
# first file has its statement, too.

FNR == 1 && NR > 1 {
  finish()
  state = ""
  asked = 1
}

# The start of a log entry.
/^[^\t]/ {
  finish()
  statement = plan = pages = ""
  state = /plan:$/ ? "statement" : ""
  next
}

state == "" {next}

# A node: "  ->  Index Scan using i on t  (cost=...) (actual rows=1 loops=1)".
/\(cost=/ {
  state = "plan"
  node = $0
  sub(/^[ \t]*(->)?[ \t]*/, "", node)
  rows = node ~ /actual rows=/ ? node : "never"
  sub(/ *\(cost=.*/, "", node)
  if (rows == "never") next
  sub(/.*actual rows=/, "", rows)
  loops = rows
  sub(/ .*/, "", rows)
  sub(/.*loops=/, "", loops)
  sub(/\).*/, "", loops)
  plan = plan (plan == "" ? "" : " ← ") node " (" rows (loops > 1 ? " × " loops : "") ")"
  next
}

# Those of the first node are those of the statement.
state == "plan" && pages == "" && /Buffers: shared/ {
  pages = count("hit") + count("read")
}

state == "statement" {statement = statement $0}

function count(word,    text) {
  text = $0
  return sub(".*" word "=", "", text) ? text + 0 : 0
}

function finish() {
  if (state != "plan") return
  if (!asked) {
    idle[statement] = 1
  } else if (!(statement in idle) && !(plan in seen)) {
    seen[plan] = 1
    printf "%s%s: %d pages", printed++ ? "<br>" : "", plan, pages
  }
}

END {finish()}
