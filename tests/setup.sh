#!/usr/bin/env bash
# Makes sure that what building and testing need is there, and says nothing if
# it is. Missing Debian packages are installed where we may (root, or sudo
# without a password); otherwise the command to type is printed.
#
#	tests/setup.sh [build] [lint] [model] [bench] [fuzz] [e2e] [go]
set -euo pipefail

# Control-plane modules name the Go they need; from 1.21 on, go fetches it.
oldest_go=1.21

declare -A packages=(
	[build]="gcc make patch pkg-config libh2o-evloop-dev libcurl4-openssl-dev libssl-dev
		libnghttp2-dev libyajl-dev libyaml-dev libxxhash-dev check"
	[model]="gcc spin"
	[lint]="clang-format clang-tidy shellcheck python3"
	[e2e]="curl valgrind iproute2 strace maven openjdk-17-jdk-headless"
	[bench]="haproxy nginx-light"
	[fuzz]="clang libclang-rt-14-dev"
)

say() { printf 'setup: %s\n' "$*" >&2; }

# missing PACKAGE...: those that are not installed.
missing() {
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		awk -v wanted="$*" '
			$2 == "installed" { have[$1] }
			END {
				n = split(wanted, names)
				for (i = 1; i <= n; i++)
					if (!(names[i] in have))
						print names[i]
			}'
}

# install PACKAGE...
install() {
	local as_root=()

	if [ "$(id -u)" != 0 ]; then
		as_root=(sudo -n)
		if ! sudo -n true 2>/dev/null; then
			say "packages are missing; please install them and try again:"
			say "    sudo apt-get install $*"
			return 1
		fi
	fi
	say "installing $*"
	"${as_root[@]}" apt-get -qq update ||
		say "apt-get update failed; trying with the lists there are"
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -y --no-install-recommends install "$@" >&2
}

check_go() {
	local have

	if have=$(go env GOVERSION 2>/dev/null) &&
		printf '%s\n' "go$oldest_go" "$have" | sort -V -C; then
		return
	fi
	say "tests/e2e needs Go $oldest_go or newer, found ${have:-none}: https://go.dev/dl/"
	return 1
}

wanted=()
for part; do
	if [ "$part" = go ]; then
		check_go
	else
		read -r -d '' -a names <<<"${packages[$part]}" || true
		wanted+=("${names[@]}")
	fi
done
[ ${#wanted[@]} -gt 0 ] || exit 0

if ! command -v dpkg-query >/dev/null; then
	say "this is not Debian; these packages are needed by their local names:"
	say "    ${wanted[*]}"
	exit 0
fi
mapfile -t lacking < <(missing "${wanted[@]}" || true)
[ ${#lacking[@]} -eq 0 ] || install "${lacking[@]}"
