#!/usr/bin/env bash
# Fuzzes each parser for some seconds, and adds to its corpus the smallest inputs that
# reach code which nothing there reached. An input that breaks one stays in build/fuzz.
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
	cp -r "$corpus" "$work/$name-more"
	"$program" -merge=1 -use_counters=0 "$work/$name-more" "$work/$name" >"$work/log" 2>&1
	find "$work/$name-more" -type f -size -5k -exec cp -n -t "$corpus" {} +
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'fuzz: broken: %s; the inputs are in build/fuzz\n' "${failed[*]}" >&2
	exit 1
fi
