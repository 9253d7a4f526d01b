#!/usr/bin/env bash
# Builds the control plane that the tests and the demo run against (etcd,
# kube-apiserver, kube-controller-manager, kubectl) and the sample-controller,
# from Go modules alone, once, into the user's cache. Prints the folder.
#
# Binaries in $KUBEBUILDER_ASSETS win: what is there is linked, not built.
set -euo pipefail
cd "$(dirname "$0")/tools"

# From go.mod as text: once everything is built, this needs no go and no network.
kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' go.mod)
minor=${kubernetes#v1.}
minor=${minor%%.*}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringside
built=$cache/controlplane-$kubernetes

names=(etcd sample-controller kubectl kube-apiserver kube-controller-manager)
declare -A package=(
	[etcd]=go.etcd.io/etcd/server/v3
	[kube-apiserver]=k8s.io/kubernetes/cmd/kube-apiserver
	[kube-controller-manager]=k8s.io/kubernetes/cmd/kube-controller-manager
	[kubectl]=k8s.io/kubernetes/cmd/kubectl
	[sample-controller]=k8s.io/sample-controller
)

say() { printf 'controlplane: %s\n' "$*" >&2; }

# Without these, clients see v0.0.0-master and some refuse to talk.
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1"
ldflags+=" -X $version.gitMinor=$minor -X $version.gitTreeState=clean"

# Turns what `go build -v` says, a package a line, into a line now and then.
progress() {
	awk -v name="$1" '
		function tell(n, what) {
			print "controlplane: " name ": " n " " what
			fflush()
		}
		/^go: downloading / { if (++down % 50 == 0) tell(down, "modules downloaded"); next }
		/^[^ :]+$/ { if (++compiled % 100 == 0) tell(compiled, "packages compiled"); next }
		{ print; fflush() }
		END { if (compiled % 100) tell(compiled, "packages compiled") }' >&2
}

build() {
	say "building $1"
	go build -v -trimpath -ldflags "$ldflags" -o "$built/$1.new" "${package[$1]}" 2>&1 |
		progress "$1"
	mv "$built/$1.new" "$built/$1"
}

# The folder of links to what the user brought, and to what we built beside it.
link_assets() {
	local dir name key

	key=$(cksum <<<"$KUBEBUILDER_ASSETS")
	dir=$cache/assets-${key%% *}-$kubernetes
	mkdir -p "$dir"
	for name in "${names[@]}"; do
		if is_brought "$name"; then
			ln -sfn "$(realpath "$KUBEBUILDER_ASSETS")/$name" "$dir/$name"
		else
			ln -sfn "$built/$name" "$dir/$name"
		fi
	done
	printf '%s\n' "$dir"
}

is_brought() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; }

mkdir -p "$built"
exec 9>"$built/.lock"
flock 9

wanted=()
for name in "${names[@]}"; do
	is_brought "$name" || [ -x "$built/$name" ] || wanted+=("$name")
done
if [ ${#wanted[@]} -gt 0 ]; then
	say "building ${wanted[*]} into $built, this once"
	say "all five take about 11 minutes on two cores, 0.8 GB of downloads, 4 GB of build cache"
fi
for name in "${wanted[@]}"; do
	build "$name"
done

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
	link_assets
else
	printf '%s\n' "$built"
fi
