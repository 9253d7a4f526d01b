// Package volume has a cluster of its own for a test with many objects, which
// would be in the way of others for longer than they take.
package volume

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// patient gives the Leases about the times that they have by default: here the API
// server is kept busy, and nobody is to be replaced for that.
func patient(r *rig.Ring) {
	r.Duration, r.Renew, r.Margin = 15*time.Second, 2*time.Second, 3*time.Second
}

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

func TestTheFirstPassLabelsTenThousandFoos(t *testing.T) {
	const count = 10000
	cluster := harness.Cluster()
	ring := harness.NewRing(t, "tenthousand", 3, patient)
	ring.KeepObjects = true // the cluster ends with this test
	harness.Must(t, rig.CreateFoos(t.Context(), cluster.Dynamic, ring.Namespace, count))
	started := time.Now()
	ring.Start("a", "b", "c")
	unplaced := metav1.ListOptions{LabelSelector: "!" + ring.Label(), Limit: 1}
	harness.Within(t, 90*time.Second, "all are labelled", func(ctx context.Context) error {
		list, err := cluster.Metadata.Resource(rig.Foos).Namespace(ring.Namespace).List(ctx, unplaced)
		if err == nil && len(list.Items) > 0 {
			return fmt.Errorf("%s is not; and there are others", list.Items[0].Name)
		}
		return err
	})
	took := time.Since(started)
	t.Logf("%d Foos were labelled %.1f s after the members' start: %.0f a second",
		count, took.Seconds(), count/took.Seconds())
	ring.WaitActive("a", "b", "c")

	audit := harness.Must1(cluster.NewAuditReader().Next())(t)
	patches := map[string]int{}
	for _, event := range audit {
		if event.IsWrite() && event.Object.Namespace == ring.Namespace &&
			event.Object.Resource == "foos" && event.User.Name != controlplane.Admin {
			patches[event.Key()]++
		}
	}
	for key, n := range patches {
		if n != 1 {
			t.Errorf("%s was written %d times by members", key, n)
		}
	}
	if len(patches) != count {
		t.Errorf("members wrote %d Foos of %d", len(patches), count)
	}
}
