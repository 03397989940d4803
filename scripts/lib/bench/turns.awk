# Makes one row of the figures of two builds in turns.
#
# Input: TURN BUILD RATE MEDIAN P99 SERVER DATABASE WAL, where BUILD is this or other. The
# variables name, disk_this and disk_other complete the row.

{
  for (field = 3; field <= NF; field++) figure[$1, $2, field] = $field
  if ($1 > turns) turns = $1
}

function sort(values, count,    i, j, value) {
  for (i = 2; i <= count; i++) {
    value = values[i]
    for (j = i - 1; j >= 1 && values[j] > value; j--) values[j + 1] = values[j]
    values[j + 1] = value
  }
}

# The value below which this share of the sorted values lies, between neighbours if need be.
function quantile(values, count, share,    place, low) {
  place = 1 + share * (count - 1)
  low = int(place)
  return low < count ? values[low] + (place - low) * (values[low + 1] - values[low]) : values[count]
}

# Reads one field into the sorted arrays this, other and ratio.
function read_field(field,    turn) {
  for (turn = 1; turn <= turns; turn++) {
    this[turn] = figure[turn, "this", field]
    other[turn] = figure[turn, "other", field]
    ratio[turn] = other[turn] > 0 ? this[turn] / other[turn] : 0
  }
  sort(this, turns)
  sort(other, turns)
  sort(ratio, turns)
}

function cell(field, unit, format) {
  read_field(field)
  if (quantile(other, turns, 0.5) <= 0) return ""
  return sprintf(format ", " format ": × %.2f", quantile(this, turns, 0.5) / unit, quantile(other, turns, 0.5) / unit,
    quantile(ratio, turns, 0.5))
}

END {
  rate = cell(3, 1, "%.0f") sprintf(" (%.2f to %.2f)", quantile(ratio, turns, 0.25), quantile(ratio, turns, 0.75))
  disk = disk_other > 0 ? sprintf("%.0f, %.0f: × %.2f", disk_this, disk_other, disk_this / disk_other) : ""
  printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", name, rate, cell(4, 1000, "%.2f"), cell(5, 1000, "%.1f"),
    cell(6, 1, "%.1f"), cell(7, 1, "%.1f"), cell(8, 1, "%.0f"), disk
}
