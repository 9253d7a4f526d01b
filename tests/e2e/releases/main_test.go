// Package releases tests what controllers make of objects that move away: what they
// are told (onRelease, relist), and what they do then.
package releases

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
