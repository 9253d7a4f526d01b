package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

// Buckets move between members under open watches, and no informer lists again: it
// is told what left and what came, and nothing else.
func TestMovesRelistNothing(t *testing.T) {
	ring := harness.NewRing(t, "moves", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.Start("c") // stands by
	ring.Members["c"].WaitState("standby")
	ring.CreateFoos(60)
	random := rand.New(rand.NewPCG(3, 4))
	churn(t, ring, random, 60)
	all := startEverywhere(t, ring)
	compare(t, ring, all, "at first")
	audit := harness.Cluster().NewAuditReader()
	harness.Must(t, audit.Skip())
	began := time.Now()

	for i, shards := range []int{3, 2, 3} {
		harness.Must(t, ring.SetShards(shards))
		churn(t, ring, random, 60)
		ring.WaitActive([]string{"a", "b", "c"}[:shards]...)
		churn(t, ring, random, 60)
		compare(t, ring, all, fmt.Sprintf("after change %d", i+1))
	}
	// Given buckets again while its clients are on their way to the view without any,
	// before these are somebody else's or after.
	for _, isReleased := range []bool{false, true} {
		harness.Must(t, ring.SetShards(2))
		waitShowsNothing(t, ring, "c", isReleased)
		harness.Must(t, ring.SetShards(3))
		churn(t, ring, random, 20)
		ring.WaitActive("a", "b", "c")
		compare(t, ring, all, fmt.Sprintf("after c stood by, released: %t", isReleased))
	}

	for _, event := range harness.Must1(audit.Next())(t) {
		// A WATCH is told of at its end once more, however long ago it was asked for.
		if event.Received.After(began) && strings.HasPrefix(event.User.Name, "controller-") && event.IsRelist() {
			t.Errorf("%s %s", event.User.Name, event.RequestURI)
		}
	}
	for id, member := range ring.Members {
		checkNoRelists(t, id, member)
	}
}

// waitShowsNothing waits until the member's clients are given an empty view of Foos, and,
// if so wanted, none of its buckets is its own any more.
func waitShowsNothing(t *testing.T, ring *harness.Ring, id string, isReleased bool) {
	t.Helper()
	harness.Eventually(t, "member "+id+" shows nothing", func(ctx context.Context) error {
		status, err := ring.Members[id].Status(ctx)
		if err != nil {
			return err
		}
		assignment, err := ring.Assignment(ctx)
		if err != nil {
			return err
		}
		foos := status.Resources[0]
		if foos.State != "serving" || foos.View != "" || isReleased && assignment.Count(id) > 0 {
			return fmt.Errorf("%s is %s with buckets %q; it owns %d", foos.Resource, foos.State, foos.View, assignment.Count(id))
		}
		return nil
	})
}

// startEverywhere starts informers of all kinds behind all members, with WatchList
// and without, and waits until they are synced.
func startEverywhere(t *testing.T, ring *harness.Ring) []*observed {
	t.Helper()
	var all []*observed
	for _, watchList := range []bool{true, false} {
		featurestesting.SetFeatureDuringTest(t, features.WatchListClient, watchList)
		for _, member := range ring.Members {
			all = append(all, startInformers(t, ring, member, fmt.Sprintf("watchList=%t", watchList))...)
		}
		for _, o := range all {
			harness.Eventually(t, o.name+" is synced", func(context.Context) error {
				if !o.isSynced() {
					return fmt.Errorf("it is not")
				}
				return nil
			})
		}
	}
	return all
}

// checkNoRelists looks at the member's metrics: watches were moved, none was told to
// list anew.
func checkNoRelists(t *testing.T, id string, member *harness.Member) {
	t.Helper()
	metrics := member.Metrics()
	for name, value := range metrics {
		if strings.HasPrefix(name, "ringside_relists_total{") && value > 0 {
			t.Errorf("member %s: %s %v", id, name, value)
		}
		if strings.HasPrefix(name, "ringside_move") {
			t.Logf("member %s: %s %v", id, name, value)
		}
	}
	if metrics["ringside_moves_total"] == 0 {
		t.Errorf("member %s has moved nothing", id)
	}
}
