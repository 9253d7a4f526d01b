// Package chaos lets everything fail that can, at random, around members with real
// controllers, and asks the API server's audit log what came of it.
package chaos

import (
	"os"
	"testing"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
)

func TestMain(m *testing.M) {
	os.Exit(harness.MainWith(m, func(options *controlplane.Options) {
		options.AuditBodies = []string{"foos.samplecontroller.k8s.io", "deployments.apps"}
		options.APIServerFlags = []string{"--audit-log-maxsize=8000"} // MB; it is one file
	}))
}
