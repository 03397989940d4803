# Draws throughput by connections as SVG, both axes logarithmic.
#
# Input, separated by tabs: "point NAME CONNECTIONS RATE" for a line of the chart, whose
# points are sorted; "peer NAME LOWEST HIGHEST" for a band of other software.

BEGIN {
  FS = "\t"
  left = 70; top = 60; width = 480; height = 320
  split("#0b6e4f #1f77b4 #c1440e #e09f3e", color, " ")
  most = 256; lowest = 10; highest = 100000
}

$1 == "point" {
  if (!($2 in line)) { names[++lines] = $2; line[$2] = "" }
  line[$2] = line[$2] sprintf("%.1f,%.1f ", x($3), y($4))
  end_rate[$2] = $4
  points[++count] = sprintf("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>", x($3), y($4), color[index_of($2)])
}

$1 == "peer" {peers[++peer_count] = $2; low[$2] = $3; high[$2] = $4}

function x(connections) {
  return left + width * log(connections) / log(most)
}

function y(rate) {
  if (rate < lowest) rate = lowest
  return top + height * (1 - log(rate / lowest) / log(highest / lowest))
}

function index_of(name,    i) {
  for (i = 1; names[i] != name; i++) continue
  return i
}

function text(across, down, anchor, fill, words) {
  printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", across, down, anchor, fill, words
}

function rule(x1, y1, x2, y2) {
  printf "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#ddd\"/>\n", x1, y1, x2, y2
}

function grid(    rate, connections) {
  for (rate = lowest; rate <= highest; rate *= 10) {
    rule(left, y(rate), left + width, y(rate))
    text(left - 8, y(rate) + 4, "end", "#444", rate)
  }
  for (connections = 1; connections <= most; connections *= 4) {
    rule(x(connections), top, x(connections), top + height)
    text(x(connections), top + height + 20, "middle", "#444", connections)
  }
  text(left + width / 2, top + height + 42, "middle", "#444", "connections")
  text(left - 8, top - 14, "end", "#444", "lines/s")
}

# Labels stand at the ends of their lines, at least a line of text apart.
function labels(    i, j, place, at, order) {
  for (i = 1; i <= lines; i++) order[i] = names[i]
  for (i = 2; i <= lines; i++)
    for (j = i; j > 1 && end_rate[order[j]] > end_rate[order[j - 1]]; j--) {
      place = order[j]; order[j] = order[j - 1]; order[j - 1] = place
    }
  at = 0
  for (i = 1; i <= lines; i++) {
    place = y(end_rate[order[i]]) + 4
    if (place < at + 16) place = at + 16
    text(left + width + 10, place, "start", color[index_of(order[i])], order[i])
    at = place
  }
}

END {
  print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 440\" font-family=\"sans-serif\" font-size=\"13\">"
  print "<title>Throughput by connections, PostgreSQL</title>"
  print "<rect width=\"800\" height=\"440\" fill=\"#fff\"/>"
  text(left, 24, "start", "#111", "Lines allocated a second, by connections; both axes are logarithmic")
  grid()
  for (i = 1; i <= peer_count; i++) {
    name = peers[i]
    printf "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"#999\"/>\n", left, y(high[name]), width, y(low[name]) - y(high[name])
    text(left + width + 10, y(high[name]) + 6, "start", "#666", name ": " low[name] " to " high[name])
  }
  for (i = 1; i <= lines; i++)
    printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", line[names[i]], color[i]
  for (i = 1; i <= count; i++) print points[i]
  labels()
  print "</svg>"
}
