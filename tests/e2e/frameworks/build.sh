#!/usr/bin/env bash
# Installs and builds the programs of other client libraries that stand behind the
# ring in tests, each once for its sources, into the user's cache. Prints the folder:
#
#	python/bin/python	with what python/requirements.txt names
#	rust/debug/PROGRAM	of rust/src/bin
#	go/PROGRAM		of go/PROGRAM
#	java/lib, java/classes	what java/pom.xml names, and java/Watcher.java
set -euo pipefail
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringside/frameworks
say() { printf 'frameworks: %s\n' "$*" >&2; }

needs() {
	command -v "$1" >/dev/null && return
	say "$1 is missing, which the tests with $2 need: $3"
	exit 1
}

# is_built NAME SOURCE...: whether NAME was built from these sources as they are.
is_built() {
	local name=$1

	shift
	sum=$(cat "$@" | cksum)
	[ -e "$cache/$name.built" ] && [ "$sum" = "$(<"$cache/$name.built")" ]
}

built() { printf '%s\n' "$sum" >"$cache/$1.built"; }

build_python() {
	is_built python python/requirements.txt && return
	needs python3 kopf "apt-get install python3 python3-venv"
	say "installing kopf and the kubernetes client for Python: half a minute"
	rm -rf "$cache/python"
	python3 -m venv "$cache/python"
	"$cache/python/bin/pip" install --quiet --disable-pip-version-check --no-deps \
		--requirement python/requirements.txt >&2
	built python
}

build_rust() {
	is_built rust rust/Cargo.lock rust/Cargo.toml rust/src/bin/* && return
	needs cargo kube-rs https://rustup.rs
	say "building kube-rs programs: 3 to 5 minutes the first time"
	CARGO_TARGET_DIR=$cache/rust cargo build --quiet --locked \
		--manifest-path rust/Cargo.toml >&2
	built rust
}

build_go() {
	is_built go go/go.mod go/go.sum go/*/*.go && return
	needs go controller-runtime https://go.dev/dl
	say "building programs of client-go and controller-runtime: a minute the first time"
	mkdir -p "$cache/go"
	(cd go && go build -o "$cache/go/" ./...) >&2
	built go
}

build_java() {
	is_built java java/pom.xml java/Watcher.java && return
	needs mvn fabric8 "apt-get install maven openjdk-17-jdk-headless"
	needs javac fabric8 "apt-get install openjdk-17-jdk-headless"
	say "installing fabric8's client for Java: half a minute the first time"
	rm -rf "$cache/java"
	mvn --batch-mode --quiet --file java/pom.xml dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$cache/java/lib" >&2
	javac -cp "$cache/java/lib/*" -d "$cache/java/classes" java/Watcher.java
	built java
}

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
build_python
build_rust
build_go
build_java
printf '%s\n' "$cache"
