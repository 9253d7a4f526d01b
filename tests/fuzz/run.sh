#!/usr/bin/env bash
# Fuzzes each parser for some seconds, and keeps the smallest inputs that reach
# what its corpus reached before and now. An input that breaks one stays beside it.
#
#	tests/fuzz/run.sh SECONDS NAME...
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=()
for name; do
	program=build/fuzz/fuzz_$name
	corpus=tests/fuzz/corpus/$name
	mkdir -p "$corpus" "$work/$name"
	printf 'fuzz: %s for %s s\n' "$name" "$seconds"
	if ! "$program" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="build/fuzz/$name-" "$work/$name" "$corpus" \
		>"$work/log" 2>&1; then
		tail -40 "$work/log"
		failed+=("$name")
		continue
	fi
	grep -E 'number_of_executed_units|new_units_added' "$work/log" || true
	mkdir "$work/$name-small"
	"$program" -merge=1 "$work/$name-small" "$corpus" "$work/$name" >"$work/log" 2>&1
	find "$work/$name-small" -type f -size -5k -exec cp -n -t "$corpus" {} +
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'fuzz: broken: %s; the inputs are in build/fuzz\n' "${failed[*]}" >&2
	exit 1
fi
