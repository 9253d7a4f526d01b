package volume

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// A standby becomes the second active member, and gets about a thousand of two
// thousand Foos: how long it takes until its informer holds them, and what it costs.
func TestMovingAThousandFoos(t *testing.T) {
	const count = 2000
	cluster := harness.Cluster()
	ring := harness.NewRing(t, "moving", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	ring.Start("b")
	ring.Members["b"].WaitState("standby")
	ring.CreateFoos(count)

	var held [2]atomic.Int64
	var last [2]atomic.Int64 // when that changed last
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	for i, id := range []string{"a", "b"} {
		clients := ring.Members[id].Clients(rig.ControllerUser(id))
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(clients.Dynamic, 0, ring.Namespace, nil)
		informer := factory.ForResource(rig.Foos).Informer()
		changed := func(by int64) {
			held[i].Add(by)
			last[i].Store(time.Now().UnixNano())
		}
		harness.Must1(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { changed(1) },
			DeleteFunc: func(any) { changed(-1) },
		}))(t)
		factory.Start(ctx.Done())
		harness.Eventually(t, "the informer of "+id+" is synced", func(context.Context) error {
			if !informer.HasSynced() {
				return fmt.Errorf("it is not")
			}
			return nil
		})
	}
	harness.Eventually(t, "a holds all", func(context.Context) error {
		if held[0].Load() != count {
			return fmt.Errorf("%d", held[0].Load())
		}
		return nil
	})
	audit := cluster.NewAuditReader()
	harness.Must(t, audit.Skip())
	began := time.Now()

	harness.Must(t, ring.SetShards(2))
	ring.WaitActive("a", "b")
	harness.Within(t, time.Minute, "a and b hold all", func(context.Context) error {
		if a, b := held[0].Load(), held[1].Load(); a+b != count || b < count/3 {
			return fmt.Errorf("%d and %d", a, b)
		}
		return nil
	})

	events := harness.Must1(audit.Next())(t)
	publications := harness.Must1(ring.Publications(events))(t)
	for i, publication := range publications {
		gave := time.Unix(0, last[0].Load()).Sub(publication.Before)
		got := time.Unix(0, last[1].Load()).Sub(publication.Before)
		t.Logf("assignment %d of %d was stored: the old owner's informer had let go %.0f ms later, the new one's held %d Foos %.0f ms later",
			i+1, len(publications), float64(gave.Microseconds())/1000, held[1].Load(), float64(got.Microseconds())/1000)
	}
	requests := 0
	for _, event := range events {
		if !event.Received.After(began) || event.Object.Resource != "foos" {
			continue
		}
		requests++
		if event.IsWrite() {
			t.Errorf("an object was written: %s", event.String())
		}
		if event.Verb == "list" && event.User.Name != controlplane.Admin {
			t.Logf("%s lists %.90s", event.User.Name, event.RequestURI)
		}
	}
	t.Logf("requests about Foos: %d", requests)
}
