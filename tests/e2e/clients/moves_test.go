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
		// Who stands by and is given buckets again before that lists anew.
		waitSettled(t, ring)
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
	text := string(harness.Must1(member.AdminGet(t.Context(), "/metrics"))(t))
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "ringside_relists_total{") && !strings.HasSuffix(line, " 0") {
			t.Errorf("member %s: %s", id, line)
		}
		if line == "ringside_moves_total 0" {
			t.Errorf("member %s has moved nothing", id)
		}
		if strings.HasPrefix(line, "ringside_move") {
			t.Logf("member %s: %s", id, line)
		}
	}
}
