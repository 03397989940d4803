# shellcheck shell=bash
#
# Arithmetic with fractions. To be sourced.

# quotient A B: with two decimals; 0 if B is.
quotient() {
  awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", b ? a / b : 0}'
}

# sum NUMBER...: with two decimals.
sum() {
  printf '%s\n' "$@" | awk '{sum += $1} END {printf "%.2f", sum}'
}

# ms MICROSECONDS
ms() {
  awk -v us="$1" 'BEGIN {printf "%.2f ms", us / 1000}'
}

# middle NUMBER...: the median, of an even number the lower one.
middle() {
  printf '%s\n' "$@" | sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'
}
