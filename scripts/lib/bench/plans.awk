# Prints the plan of each statement that auto_explain logged in the second file, in one
# line, unless the first file has the statement, too. Of several executions it prints the
# one that read most pages. Expects asks, the number of equal requests in the second file.

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
  } else if (!(statement in idle)) {
    if (!executions[statement]++) statements[++count_of_statements] = statement
    if (!(statement in largest) || pages + 0 > most[statement]) {
      largest[statement] = plan
      most[statement] = pages + 0
    }
  }
}

END {
  finish()
  for (i = 1; i <= count_of_statements; i++) {
    statement = statements[i]
    times = executions[statement] / asks
    printf "%s%s: %d pages%s", (i > 1 ? "<br>" : ""), largest[statement], most[statement],
      (times > 1 ? sprintf(", %.0f times", times) : "")
  }
}
