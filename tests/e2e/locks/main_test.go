// Package locks elects leaders through the proxy: every replica wins its own
// election, and the ring holds the real lock, so that it and replicas that run
// without Ringside never work at the same time.
package locks

import (
	"fmt"
	"os"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const lockName = "foo-controller"

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// newRing is a ring whose controllers elect a leader by the Lease foo-controller in
// the ring's namespace.
func newRing(t *testing.T, name string, shards int) *harness.Ring {
	t.Helper()
	return harness.NewRing(t, name, shards, func(r *rig.Ring) {
		r.Extra = fmt.Sprintf("\nlocks: [{namespace: %s, name: %s}]\n", r.Namespace, lockName)
	})
}
