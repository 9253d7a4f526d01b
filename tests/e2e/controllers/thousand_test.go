package controllers

import (
	"math"
	"testing"
	"time"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func TestThreeMembersShareAThousandFoos(t *testing.T) {
	const count = 1000
	// The ring must hold still: with Leases as long as users have them, it does so
	// however busy this machine is.
	usual := func(r *rig.Ring) { r.Duration, r.Renew, r.Margin = 15*time.Second, 5*time.Second, 3*time.Second }
	ring := harness.NewRing(t, "thousand", 3, usual)
	ring.Start("a", "b", "c")
	ring.WaitActive("a", "b", "c") // 85 or 86 buckets each
	witness := newWitness(t, ring)
	ring.StartControllers("a", "b", "c")
	ring.CreateFoos(count)

	counts := checkShares(t, ring, "a", "b", "c")
	t.Logf("Foos per member: %v", counts)
	// Which bucket a Foo falls into is as good as random: a third of the buckets
	// holds a third of the Foos, give or take four standard deviations.
	deviation := math.Sqrt(count * 1. / 3 * 2 / 3)
	for id, n := range counts {
		if math.Abs(float64(n)-count/3.) > 4*deviation {
			t.Errorf("%s has %d of %d Foos", id, n, count)
		}
	}

	// client-go allows each controller five requests a second, and a Foo takes
	// about two of them.
	started := time.Now()
	ring.WaitDeployments(5 * time.Minute)
	t.Logf("every Foo had its Deployment after %s", time.Since(started).Round(time.Second))
	witness.checkCreators()
}
