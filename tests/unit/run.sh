#!/usr/bin/env bash
# Runs the unit test programs that it is given, all of them even when some fail.
set -euo pipefail
cd "$(dirname "$0")/../.."

export ASAN_OPTIONS=detect_stack_use_after_return=1:${ASAN_OPTIONS-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS-}

failed=()
for program; do
	"$program" || failed+=("$program")
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'unit: failed: %s\n' "${failed[@]}" >&2
	exit 1
fi
printf 'unit: %d programs passed\n' $#
