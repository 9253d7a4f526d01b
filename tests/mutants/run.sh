#!/usr/bin/env bash
# Leaves one rule of the code out at a time, and sees that a test finds it. Each
# tests/mutants/NAME.patch says which rule, and which tests do:
#
#	Rule: <what the patch leaves out>
#	Test: unit <floor>/<module> <test>
#	Test: e2e <package> <test> [VARIABLE=value...]
#
# A patch that does not apply any more fails, as does one that one of its tests does not
# find.
#
#	tests/mutants/run.sh unit|e2e [NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."

work=build/mutants
log=$PWD/$work/log
kind=$1
shift
if [ $# -eq 0 ]; then
	mapfile -t patches < <(grep -l "^Test: $kind " tests/mutants/*.patch)
else
	patches=("${@/%/.patch}")
	patches=("${patches[@]/#/tests/mutants/}")
fi

# The sources, and what is built of them already.
rm -rf "$work"
mkdir -p "$work/build"
cp -a Makefile proxy filters config "$work"
mkdir "$work/tests"
cp -a tests/unit tests/fuzz tests/lint "$work/tests"
[ ! -d build/sanitize ] || cp -a build/sanitize "$work/build"

# What is built here says nothing to the make that may run us.
unset MAKEFLAGS
build() { make -s -C "$work" -j"$(nproc)" "$@" >"$log" 2>&1; }

# Each says 0 when the test named fails, and no other way.
found_by_unit() {
	local program=build/unit/${1/\//\/check_}
	build "$program" || return 2
	if (cd "$work" && "$program") >"$log" 2>&1; then
		return 1
	fi
	grep -q "[FE]:[^:]*:$2:" "$log"
}

found_by_e2e() {
	local package=$1 test=$2
	shift 2
	build build/sanitize/ringside || return 2
	if env "$@" RINGSIDE="$PWD/$work/build/sanitize/ringside" tests/e2e.sh \
		go test -count=1 -timeout 10m -run "^$test\$" "./$package" >"$log" 2>&1; then
		return 1
	fi
	grep -q "^--- FAIL: $test" "$log"
}

failed=()
survives() {
	printf 'mutants: %-28s %s\n' "$1" "$2"
	failed+=("$1")
}

# found PATCH PROGRAM TEST [VARIABLE=value...]
found() {
	local name=$1 rc=0
	shift
	"found_by_$kind" "$@" || rc=$?
	case $rc in
	0) printf 'mutants: %-28s found by %s %s\n' "$name" "$1" "$2" ;;
	2) survives "$name" "does not compile: $(grep -m1 error "$log")" ;;
	*) survives "$name" "IS NOT FOUND by $1 $2" ;;
	esac
}

for patch in "${patches[@]}"; do
	name=$(basename "$patch" .patch)
	mapfile -t tests < <(sed -n "s/^Test: $kind //p" "$patch")
	if ! patch -d "$work" -p1 -s --fuzz=0 --dry-run <"$patch" >"$log" 2>&1; then
		survives "$name" "does not apply any more"
		continue
	fi
	patch -d "$work" -p1 -s --fuzz=0 <"$patch"
	for test in "${tests[@]}"; do
		read -ra words <<<"$test"
		found "$name" "${words[@]}"
	done
	patch -d "$work" -p1 -s --fuzz=0 -R <"$patch"
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'mutants: not found: %s\n' "${failed[*]}" >&2
	exit 1
fi
