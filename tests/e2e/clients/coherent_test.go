package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The invariant coherent_view: after any history of lists, watches, reconnects, moves
// and restarts, what a client holds equals the API server's objects of the shard.
//
// COHERENT_SECONDS makes it longer (make coherent), COHERENT_SEED plays a run again.
func TestCoherentView(t *testing.T) {
	seed := number("COHERENT_SEED", uint64(time.Now().UnixNano()))
	until := time.Now().Add(time.Duration(number("COHERENT_SECONDS", 0)) * time.Second)
	t.Logf("COHERENT_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ring := harness.NewRing(t, "coherent", 3, func(ring *rig.Ring) {
		ring.Duration, ring.Renew, ring.Margin = 6*time.Second, time.Second, 2*time.Second
	})
	for _, id := range []string{"a", "b", "c"} { // clients outlive a restart of the proxy
		ring.StartWith(id, rig.MemberOptions{Flags: []string{"--tls-keep", filepath.Join(t.TempDir(), "tls.pem")}})
	}
	ring.WaitActive("a", "b", "c")
	ring.CreateFoos(60)
	churn(t, ring, random, 60)
	all := startEverywhere(t, ring)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	var calm atomic.Bool
	for _, member := range ring.Members {
		all = append(all, startRecorders(ctx, t, member, seed, &calm)...)
		for _, start := range startPrograms {
			all = append(all, start(t, ring, member)...)
		}
	}
	calm.Store(true)
	compare(t, ring, all, "at first")
	for round := 1; round <= 2 || time.Now().Before(until); round++ {
		calm.Store(false)
		what := disturb(t, ring, random)
		calm.Store(true)
		compare(t, ring, all, fmt.Sprintf("in round %d, after %s", round, what))
		for _, o := range all {
			o.checkRules(t)
		}
	}
	for _, o := range all {
		if r, ok := o.watcher.(*recorder); ok {
			t.Logf("%s: %d lists", o.name, r.relists)
		}
	}
}

func number(variable string, otherwise uint64) uint64 {
	if value, err := strconv.ParseUint(os.Getenv(variable), 10, 64); err == nil {
		return value
	}
	return otherwise
}

// disturb moves buckets about among changes of objects, and says how; at its end the
// ring is at rest.
func disturb(t *testing.T, ring *harness.Ring, random *rand.Rand) string {
	t.Helper()
	what := ""
	for range 1 + random.IntN(3) {
		churn(t, ring, random, 10+random.IntN(40))
		if random.IntN(6) == 0 {
			id := string(rune('a' + random.IntN(3)))
			what += "a restart of " + id + ", "
			ring.Members[id].Terminate()
			churn(t, ring, random, random.IntN(20))
			ring.Members[id].Restart()
			continue
		}
		shards := 1 + random.IntN(3)
		what += fmt.Sprintf("shards %d, ", shards)
		harness.Must(t, ring.SetShards(shards))
		churn(t, ring, random, random.IntN(60))
	}
	harness.Must(t, ring.SetShards(3))
	ring.WaitActiveWithin(time.Minute, "a", "b", "c")
	churn(t, ring, random, random.IntN(30))
	return what + "shards 3"
}

// checkRules fails the test if events came that no watch may bring.
func (o *observed) checkRules(t *testing.T) {
	t.Helper()
	for _, rule := range o.broken() {
		t.Errorf("%s: %s", o.name, rule)
	}
}
