package controllers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// startInPlace is startRing with members that have a disk of their own, and Leases that
// outlast a restart.
func startInPlace(t *testing.T, name string, ids ...string) (*harness.Ring, *witness) {
	t.Helper()
	ring := harness.NewRing(t, name, len(ids), func(r *rig.Ring) {
		r.Duration, r.Renew = 30*time.Second, time.Second
	})
	for _, id := range ids {
		ring.StartWith(id, rig.MemberOptions{Flags: []string{"--lock-file", t.TempDir() + "/lock"}})
	}
	ring.WaitActive(ids...)
	witness := newWitness(t, ring)
	ring.StartControllers(ids...)
	ring.CreateFoos(30)
	ring.WaitDeployments(time.Minute)
	return ring, witness
}

// SIGTERM of the proxy beside a controller that stays: the same incarnation goes on, no
// bucket moves, and the controller lists nothing anew.
func TestARestartOfTheProxyAloneMovesNothing(t *testing.T) {
	ids := []string{"a", "b", "c"}
	ring, witness := startInPlace(t, "alone", ids...)
	log := newLog(t, ring)
	versions := len(log.Versions)
	identities := map[string]string{}
	for _, id := range ids {
		identities[id] = ring.Members[id].WaitState("active").Identity
	}
	audit := harness.Cluster().NewAuditReader()
	harness.Must(t, audit.Skip())
	began := time.Now()
	for _, id := range ids {
		m := ring.Members[id]
		waitWatches(t, m)
		asked := time.Now()
		m.Terminate()
		t.Logf("%s ended after %.1f s", id, time.Since(asked).Seconds())
		m.Restart()
		ring.WaitActive(ids...)
		if identity := m.WaitState("active").Identity; identity != identities[id] {
			t.Errorf("%s goes on as %s; it was %s", id, identity, identities[id])
		}
		t.Logf("%s was active again after %.1f s", id, time.Since(asked).Seconds())
		waitWatches(t, m)
	}
	log.read()
	history := rig.History{Versions: log.Versions[versions-1:]}
	if moves := history.Moves(); len(moves) != 0 {
		t.Errorf("%d buckets have moved", len(moves))
	}
	for _, event := range harness.Must1(audit.Next())(t) {
		if event.Received.After(began) && strings.HasPrefix(event.User.Name, "controller-") && event.IsRelist() {
			t.Errorf("%s %s: %s", event.Verb, event.RequestURI, &event)
		}
	}
	createMore(t, ring, 10)
	ring.WaitDeployments(time.Minute)
	checkShares(t, ring, ids...)
	witness.checkCreators()
}

// waitWatches waits until the controller watches both resources.
func waitWatches(t *testing.T, m *harness.Member) {
	t.Helper()
	harness.Within(t, 2*time.Minute, "the controller behind "+m.ID+" watches", func(ctx context.Context) error {
		status, err := m.Status(ctx)
		if err != nil {
			return err
		}
		for _, resource := range status.Resources {
			if resource.Sessions == 0 {
				return fmt.Errorf("nobody watches %s", resource.Resource)
			}
		}
		return nil
	})
}

// A Pod that goes away ends its controller first: then the proxy gives its buckets up
// at once, lock file or not.
func TestAPodThatGoesAwayKeepsNothing(t *testing.T) {
	ring, witness := startInPlace(t, "goes", "a", "b", "c")
	c := ring.Members["c"]
	c.Controller.Stop(harness.Patience)
	c.Terminate()
	ring.WaitActiveWithin(ring.Duration/2, "a", "b")
	witness.checkReconciled(2)
	if text := c.Process.Tail(100); !strings.Contains(text, "leaves the ring") {
		t.Errorf("it does not say that it leaves:\n%s", text)
	}
}

// Nobody comes back for what was kept: then others take it when the Lease is over.
func TestWhatIsKeptForNobodyGoesToOthersInTheEnd(t *testing.T) {
	ring := harness.NewRing(t, "nobody", 3, func(r *rig.Ring) { r.Extra = "onStop: keep\n" })
	for _, id := range []string{"a", "b", "c"} {
		lock := t.TempDir() + "/lock"
		ring.StartWith(id, rig.MemberOptions{Flags: []string{"--lock-file", lock}})
	}
	ring.WaitActive("a", "b", "c")
	ring.Members["c"].Terminate()
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	if before.Count("c") == 0 {
		t.Error("its buckets were not kept")
	}
	ring.WaitActive("a", "b")
	ring.Members["c"].Restart()
	ring.WaitActive("a", "b", "c")
}

// A proxy that is told to give its buckets up beside a controller that lives on: what
// others are to have leaves the controller's cache first, as in any handover, for it may
// act on more than the API server.
func TestAControllerThatLivesOnSeesItsObjectsLeave(t *testing.T) {
	ring := harness.NewRing(t, "leaves", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	b := ring.Members["b"]
	factory := dynamicinformer.NewDynamicSharedInformerFactory(b.Clients(rig.ControllerUser("b")).Dynamic, 0)
	informer := factory.ForResource(rig.Foos).Informer()
	left := make(chan time.Time, 1000)
	harness.Must1(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(any) { left <- time.Now() },
	}))(t)
	factory.Start(t.Context().Done())
	seen := b.Seen(t)
	harness.Eventually(t, "the controller holds its objects", func(context.Context) error {
		if held := len(informer.GetStore().ListKeys()); held != len(seen) || held == 0 {
			return fmt.Errorf("it holds %d of %d", held, len(seen))
		}
		return nil
	})
	reader := harness.Cluster().NewAuditReader()
	harness.Must(t, reader.Skip())
	b.Terminate()
	ring.WaitActive("a")
	if held := informer.GetStore().ListKeys(); len(held) != 0 || len(left) != len(seen) {
		t.Fatalf("it holds %q; %d of %d have left", held, len(left), len(seen))
	}
	var released time.Time
	for _, event := range harness.Must1(reader.Next())(t) {
		if event.Object.Resource == "leases" && event.Object.Name == ring.Name+".b" && event.IsWrite() {
			if bytes.Contains(event.ResponseObject, []byte(`"ringside.dev/state":"released"`)) {
				released = event.Received
			}
		}
	}
	if released.IsZero() {
		t.Fatal("it has not released its Lease")
	}
	for range len(seen) {
		if at := <-left; at.After(released) {
			t.Errorf("an object left %s after the Lease was released", at.Sub(released))
		}
	}
}
