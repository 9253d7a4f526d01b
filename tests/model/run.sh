#!/usr/bin/env bash
# Verifies the models, and that each rule that is left out is missed.
#
#	tests/model/run.sh [full]
#
# handover.pml  one_writer, late_write; abstract time, no bound on anything else
# clocks.pml    the same with clocks, margins and network delays, within bounds; with
#               -DLIVE full_coverage: after the last fault every bucket is covered
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build/model
mkdir -p "$build"
rm -f "$build/failed"
jobs_max=$(nproc)

# check MODEL WANTED OPTION...: WANTED is 0 (it holds) or 1 (a counterexample).
check() {
	local model=$1 wanted=$2 dir began=$SECONDS result states errors

	shift 2
	dir=$build/$model$(printf '%s' "$@" | tr -c 'A-Za-z0-9_\n' '-')
	mkdir -p "$dir"
	cd "$dir"
	spin "$@" -a "$here/$model.pml" >spin.log
	gcc -w "${MODEL_O:--O1}" -DSAFETY -DNOREDUCE -DMEMLIM="${MODEL_MB:-3000}" -o pan pan.c
	result=$(./pan -m20000000 -w"${MODEL_HASH:-22}")
	# One that did not reach its end holds nothing.
	if grep -qE 'max search depth too small|out of memory|reached -DMEMLIM' \
		<<<"$result"; then
		errors=unfinished
	else
		errors=$(sed -nE 's/.*errors: ([0-9]+).*/\1/p' <<<"$result")
	fi
	states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' <<<"$result")
	printf 'model: %-8s %9s states %3ds  %s: %s\n' "$model" "$states" \
		$((SECONDS - began)) "$*" \
		"$([ "$errors" = 0 ] && echo holds || echo "errors: $errors")"
	[ "$errors" = "$wanted" ]
}

# verify is check, several at once.
verify() {
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n || :
	done
	(check "$@" || echo "$*" >>"$build/failed") &
}

# With clocks: rights end before others can see that they have, a new incarnation waits
# for old writes, a write without an answer is in flight until its time-out, lower
# versions of the assignment are ignored, and who acquires reads what was written.
clocks=(-DN=2 -DC=1 -DK=1 -DE=3 -DD=2 -DABS=1 -DNETD=1)
clock_rules=(MARGIN=0 DRIFT=1 INPLACE=1 REJOINDRAIN=0 DRAIN=1 TIMEOUT=0 MVMONO=0
	CONSREAD=0 MODE=0 MODE=1 GAP=1)
rules=(NO_FENCE NO_DRAIN NO_ACK ANY_ACK NO_SEAL NO_MARGIN NAMED_WITHOUT_LIFE
	REJOIN_AT_ONCE TAKE_AT_ONCE STOP_WITHOUT_FENCE STOP_WITHOUT_DRAIN NO_PRECONDITION)
# In rounds: a Lease lasts for five of them.
live=(-DLIVE -DK=2 -DFAULTS=2 -DD=5)
live_rules=(HOLDENDS=0 L_SEEALL=0 L_CONTACT=0 L_SAMEINC=0 L_RELEASE=0)

verify handover 0 -DN=2 -DK=2
verify handover 0 -DN=3 -DK=1
verify clocks 0 "${clocks[@]}"
for rule in "${rules[@]}"; do
	verify handover 1 -DN=2 -DK=1 "-D$rule"
done
for rule in "${clock_rules[@]}"; do
	verify clocks 1 "${clocks[@]}" "-D$rule"
done
verify clocks 0 "${live[@]}" -DN=2
verify clocks 0 "${live[@]}" -DN=3
verify clocks 0 "${live[@]}" -DN=2 -DL_COLEASE=0
for rule in "${live_rules[@]}"; do
	verify clocks 1 "${live[@]}" -DN=2 "-D$rule"
done

if [ "${1-}" = full ]; then
	verify clocks 0 "${live[@]}" -DN=3 -DL_COLEASE=0
	export MODEL_O=-O2 MODEL_MB=6000 MODEL_HASH=26
	verify clocks 0 -DLIVE -DN=3 -DK=2 -DFAULTS=3 -DD=5
	verify handover 0 -DN=3 -DK=2
fi
wait
if [ -e "$build/failed" ]; then
	sed 's/^/model: not as wanted: /' "$build/failed"
	exit 1
fi
