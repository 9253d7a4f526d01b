// Package refused puts controllers by real client libraries behind members whose fence
// refuses what they write, as it does while objects move.
package refused

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
