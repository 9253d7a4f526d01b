package faults

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// withClock runs a member with a wall clock that is off by so much.
func withClock(t *testing.T, off time.Duration) rig.MemberOptions {
	t.Helper()
	return rig.MemberOptions{Env: append(preload(t, "wallclock/wallclock.c"),
		fmt.Sprintf("WALLCLOCK_OFFSET=%d", int(off.Seconds())))}
}

// preload is an environment in which a program calls functions of ours. Sanitizers
// want to be loaded before our library, and can do without.
func preload(t *testing.T, source string) []string {
	t.Helper()
	library := filepath.Join(t.TempDir(), "preloaded.so")
	output, err := exec.Command("cc", "-shared", "-fPIC", "-O1", "-o", library, source).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return []string{"LD_PRELOAD=" + library, "ASAN_OPTIONS=verify_asan_link_order=0"}
}

// What members' wall clocks say never matters: one that is silent is replaced when
// its Lease has run out on the others' own clocks, not sooner, not hours later.
func TestWallClocksThatAreHoursApart(t *testing.T) {
	ring := harness.NewRing(t, "clocks", 2, nil)
	// Not further back: the API server's certificate would not be valid yet.
	ring.StartWith("a", withClock(t, -40*time.Minute))
	ring.StartWith("b", withClock(t, 9*time.Hour))
	ring.WaitActive("a", "b")
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	leases := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
	at := map[string]time.Time{}
	for _, id := range []string{"a", "b"} {
		lease := harness.Must1(leases.Get(t.Context(), ring.Name+"."+id, metav1.GetOptions{}))(t)
		at[id] = lease.Spec.RenewTime.Time
	}
	if apart := at["b"].Sub(at["a"]); apart < 9*time.Hour {
		t.Fatalf("their clocks are only %s apart", apart)
	}
	ring.CreateFoos(10)
	if after := harness.Must1(ring.Assignment(t.Context()))(t); after.Epoch != before.Epoch {
		t.Errorf("buckets have moved: epoch %s, then %s", before.Epoch, after.Epoch)
	}

	for _, id := range []string{"a", "b"} { // each is judged by the other's clock
		killed := time.Now()
		ring.Members[id].Kill()
		other := map[string]string{"a": "b", "b": "a"}[id]
		ring.WaitActive(other)
		if took := time.Since(killed); took < ring.Duration-ring.Renew {
			t.Errorf("%s was replaced after %s; its Lease lasts %s", id, took, ring.Duration)
		}
		ring.Members[id].Restart()
		ring.WaitActive("a", "b")
	}
}
