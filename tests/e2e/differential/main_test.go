// Package differential asks the same of a ring and of the API server directly and
// compares the answers. A ring of one member is indistinguishable but for the label;
// what the members of a larger one show is disjoint, and together the whole.
package differential

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.MainWith(m, func(options *controlplane.Options) {
		options.APIServerFlags = []string{"--feature-gates=CBORServingAndStorage=true"}
	}))
}
