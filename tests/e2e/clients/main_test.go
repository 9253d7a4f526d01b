// Package clients tests what clients of a member see, and what they cannot do.
package clients

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
