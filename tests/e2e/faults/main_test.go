// Package faults does to a ring what clusters do to their clients: servers that
// refuse, delay and forget, objects that others delete and overwrite, rights that
// are missing. Each test ends when the ring has healed by itself.
package faults

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
