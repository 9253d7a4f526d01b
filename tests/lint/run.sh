#!/usr/bin/env bash
# Everything that can be said about the sources without running them. All
# checks run even when one fails. Paths narrow it: tests/lint/run.sh proxy/ring
set -euo pipefail
cd "$(dirname "$0")/../.."

# When make runs us, its makes are not ours: we use all cores anyway.
unset MAKEFLAGS
make=(make -s -k -O -j"$(nproc)")

paths=("$@")
[ $# -gt 0 ] || for path in proxy filters config tests; do
	[ ! -d "$path" ] || paths+=("$path")
done
mapfile -t sources < <(find "${paths[@]}" -name '*.[ch]' | sort)
mapfile -t scripts < <(find "${paths[@]}" .ci -name '*.sh' -o -path .ci/run | sort)

failed=()

# check NAME COMMAND...: one line when it passes; what the command says if not.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		printf 'lint: %-8s passed\n' "$name"
	else
		printf '%s\nlint: %-8s FAILED\n' "$output" "$name"
		failed+=("$name")
	fi
}

# A folder may have no sources yet.
if [ ${#sources[@]} -gt 0 ]; then
	check floors tests/lint/floors.py "${sources[@]}"
	check sizes tests/lint/sizes.py "${sources[@]}"
	check format clang-format --dry-run -Werror "${sources[@]}"
	check headers "${make[@]}" lint-headers FILES="${sources[*]}"
	check tidy "${make[@]}" lint-tidy FILES="${sources[*]}"
fi
check shell shellcheck "${scripts[@]}"

[ ${#failed[@]} -eq 0 ]
