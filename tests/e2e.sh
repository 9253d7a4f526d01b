#!/usr/bin/env bash
# Runs a command in tests/e2e with RINGSIDE, the proxy under test unless it is set, and
# CONTROLPLANE, the folder of the API server's binaries (built once, if need be).
#
#	[VARIANT=release] tests/e2e.sh go test ./...
set -euo pipefail
cd "$(dirname "$0")/.."

RINGSIDE=${RINGSIDE:-$PWD/build/${VARIANT:-sanitize}/ringside}
CONTROLPLANE=$(tests/controlplane/build.sh)
export RINGSIDE CONTROLPLANE

cd tests/e2e
exec "$@"
