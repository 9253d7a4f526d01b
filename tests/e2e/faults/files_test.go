package faults

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func mkdir(t *testing.T, dir string) {
	t.Helper()
	harness.Must(t, os.Mkdir(dir, 0o755))
}

// list shows that a kubeconfig leads through the member. Its credentials are the
// member's own.
func list(t *testing.T, kubeconfig string) {
	t.Helper()
	clients := harness.Must1(rig.NewClients(kubeconfig))(t)
	harness.Must1(clients.Dynamic.Resource(rig.Foos).List(t.Context(), metav1.ListOptions{}))(t)
}
