package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// startRing runs members with controllers until every one of count Foos has its
// Deployment.
func startRing(t *testing.T, name string, count int, change func(*rig.Ring), ids ...string) (*harness.Ring, *witness) {
	t.Helper()
	ring := harness.NewRing(t, name, len(ids), change)
	ring.Start(ids...)
	ring.WaitActive(ids...)
	witness := newWitness(t, ring)
	ring.StartControllers(ids...)
	ring.CreateFoos(count)
	ring.WaitDeployments(time.Minute)
	return ring, witness
}

// The invariant full_coverage: each main object is visible to exactly one
// controller within a bounded time after its creation, a membership change, a
// crash.
func TestFullCoverage(t *testing.T) {
	ring, witness := startRing(t, "coverage", 30, nil, "a", "b", "c")
	witness.checkCreators()

	t.Log("a member and its controller crash")
	killed := time.Now()
	ring.Members["b"].Kill()
	createMore(t, ring, 10) // some of them belong to the dead one
	ring.WaitActive("a", "c")
	t.Logf("the others took over after %.1f s; the Lease lasts %s", time.Since(killed).Seconds(), ring.Duration)
	ring.WaitDeployments(time.Minute)
	checkShares(t, ring, "a", "c")
	witness.checkReconciled(2)

	t.Log("it comes back")
	ring.Members["b"].Restart()
	ring.WaitActive("a", "b", "c")
	ring.StartControllers("b")
	checkShares(t, ring, "a", "b", "c")
	witness.checkReconciled(3)
}

// createMore creates Foos with names of their own.
func createMore(t *testing.T, ring *harness.Ring, count int) {
	t.Helper()
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	for i := range count {
		foo := rig.NewFoo(ring.Namespace, fmt.Sprintf("more-%d", i))
		harness.Must1(foos.Create(t.Context(), foo, metav1.CreateOptions{}))(t)
	}
}

func TestAStandbyTakesExactlyTheBucketsOfACrash(t *testing.T) {
	ring, witness := startRing(t, "standby", 20, nil, "a", "b", "c")
	ring.Start("d")
	ring.Members["d"].WaitState("standby")
	harness.Eventually(t, "a standby is ready", ring.Members["d"].Ready)
	ring.StartControllers("d")
	if seen := ring.Members["d"].Seen(t); len(seen) != 0 {
		t.Errorf("the standby shows %d Foos", len(seen))
	}
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	ring.Members["b"].Kill()
	ring.WaitActive("a", "c", "d")
	after := harness.Must1(ring.Assignment(t.Context()))(t)
	for bucket := range before.Owner {
		want := before.OwnerID(bucket)
		if want == "b" {
			want = "d"
		}
		if got := after.OwnerID(bucket); got != want {
			t.Fatalf("bucket %d is %s's, not %s's", bucket, got, want)
		}
	}
	witness.checkReconciled(2)
}

func TestAMemberThatIsAskedToLeaveIsReplacedAtOnce(t *testing.T) {
	long := func(r *rig.Ring) { r.Duration, r.Renew = time.Minute, time.Second }
	ring, witness := startRing(t, "leave", 20, long, "a", "b", "c")
	ring.Members["c"].Controller.Stop(harness.Patience)
	asked := time.Now()
	ring.Members["c"].Terminate()
	ring.WaitActiveWithin(20*time.Second, "a", "b")
	t.Logf("the others took over after %.1f s; the Lease lasts %s", time.Since(asked).Seconds(), ring.Duration)
	leases := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
	if _, err := leases.Get(t.Context(), ring.Name+".c", metav1.GetOptions{}); err == nil {
		t.Error("its Lease is still there")
	}
	witness.checkReconciled(2)
}

func TestShardsAreScaledByChangingTheFile(t *testing.T) {
	ring, witness := startRing(t, "scale", 40, nil, "a", "b", "c")
	ring.Start("d")
	ring.Members["d"].WaitState("standby")
	ring.StartControllers("d")

	before := harness.Must1(ring.Assignment(t.Context()))(t)
	harness.Must(t, ring.SetShards(4))
	ring.WaitActive("a", "b", "c", "d")
	after := harness.Must1(ring.Assignment(t.Context()))(t)
	if moved := movedBuckets(before, after); moved != 64 {
		t.Errorf("%d buckets have moved; 64 are the fourth member's share", moved)
	}
	checkShares(t, ring, "a", "b", "c", "d")
	witness.checkReconciled(2)

	harness.Must(t, ring.SetShards(2))
	harness.Eventually(t, "two members are active", func(ctx context.Context) error {
		assignment, err := ring.Assignment(ctx)
		if err == nil && len(assignment.Members) != 2 {
			err = fmt.Errorf("active are %q", assignment.Members)
		}
		return err
	})
	active := activeIDs(t, ring)
	ring.WaitActive(active...)
	checkShares(t, ring, "a", "b", "c", "d")
	witness.checkReconciled(3)
	for _, id := range []string{"a", "b", "c", "d"} {
		harness.Eventually(t, "all are ready, standing by or not", ring.Members[id].Ready)
	}
}

func movedBuckets(before, after *rig.Assignment) int {
	moved := 0
	for bucket := range before.Owner {
		if before.OwnerID(bucket) != after.OwnerID(bucket) {
			moved++
		}
	}
	return moved
}

func activeIDs(t *testing.T, ring *harness.Ring) []string {
	t.Helper()
	var ids []string
	for _, identity := range harness.Must1(ring.Assignment(t.Context()))(t).Members {
		id, _, _ := strings.Cut(identity, "/")
		ids = append(ids, id)
	}
	return ids
}

func TestAMemberThatHoldsItsLockFileGoesOnAtOnce(t *testing.T) {
	ring := harness.NewRing(t, "inplace", 2, func(r *rig.Ring) { r.Duration, r.Renew = 20*time.Second, time.Second })
	for _, id := range []string{"a", "b"} {
		ring.StartWith(id, rig.MemberOptions{Flags: []string{"--lock-file", t.TempDir() + "/lock"}})
	}
	ring.WaitActive("a", "b")
	witness := newWitness(t, ring)
	ring.StartControllers("a", "b")
	ring.CreateFoos(20)
	ring.WaitDeployments(time.Minute)
	a := ring.Members["a"]
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	identity := a.WaitState("active").Identity

	a.Process.Kill()
	restarted := time.Now()
	a.Restart()
	ring.WaitActiveWithin(10*time.Second, "a", "b")
	t.Logf("it went on after %.1f s; the Lease lasts %s", time.Since(restarted).Seconds(), ring.Duration)
	if now := a.WaitState("active").Identity; now != identity {
		t.Errorf("it was %s and is %s", identity, now)
	}
	after := harness.Must1(ring.Assignment(t.Context()))(t)
	if !maps.Equal(before.Owner, after.Owner) {
		t.Error("buckets have moved")
	}
	checkShares(t, ring, "a", "b")

	// The controller beside it was not restarted: it trusts what it trusted before.
	createMore(t, ring, 20)
	ring.WaitDeployments(time.Minute)
	witness.checkCreators()
}

func TestAMemberWithoutALockFileWaitsUntilItsFormerLeaseHasRunOut(t *testing.T) {
	ring := harness.NewRing(t, "nolock", 1, func(r *rig.Ring) { r.Duration, r.Renew = 6*time.Second, time.Second })
	ring.Start("a")
	ring.WaitActive("a")
	ring.CreateFoos(5)
	a := ring.Members["a"]
	identity := a.WaitState("active").Identity

	a.Process.Kill()
	killed := time.Now()
	a.Restart()
	err := rig.Wait(t.Context(), harness.Patience, func(ctx context.Context) error {
		status, err := a.Status(ctx)
		if err != nil {
			return err
		}
		if status.State != "active" {
			return errors.New(status.State + ": " + status.Reason)
		}
		if status.Identity == identity {
			t.Errorf("it goes on as %s, without proof that the former one is gone", identity)
		}
		return nil
	})
	harness.Must(t, err)
	// The last renewal was at most one renewal's time before the end.
	if waited := time.Since(killed); waited < ring.Duration-ring.Renew-500*time.Millisecond {
		t.Errorf("it waited only %s; the Lease lasts %s", waited, ring.Duration)
	} else {
		t.Logf("it waited %.1f s; the Lease lasts %s", waited.Seconds(), ring.Duration)
	}
	ring.WaitActive("a")
	checkShares(t, ring, "a")
}

func TestMembersThatDisagreeRefuseToServe(t *testing.T) {
	ring := harness.NewRing(t, "disagree", 2, nil)
	ring.Start("a")
	ring.WaitActive("a")
	other := *ring.Ring
	other.Extra = "buckets: 128\n"
	// The file of the second member says something else.
	harness.Must(t, other.WriteTo(t.TempDir()))
	second := harness.Must1(other.StartMember("b", rig.MemberOptions{}))(t)
	defer second.Process.Stop(harness.Patience)
	harness.Eventually(t, "the second member says what is wrong", func(ctx context.Context) error {
		if !second.Process.Running() {
			if !strings.Contains(second.Process.Output(), "buckets") {
				return fmt.Errorf("it ended and says nothing of buckets: %s", second.Process.Tail(5))
			}
			return nil
		}
		status, err := second.Status(ctx)
		if err != nil {
			return err
		}
		if status.State != "not-ready" || !strings.Contains(status.Reason, "buckets") {
			return fmt.Errorf("it is %s: %s", status.State, status.Reason)
		}
		return nil
	})
	ring.WaitActive("a")
}
