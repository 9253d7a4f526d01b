package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// outage is a ring of two behind an API server of its own, with an informer behind
// each member.
type outage struct {
	t      *testing.T
	ring   *harness.Ring
	server *controlplane.APIServer
	caches map[string]cache.Store
	before *rig.Assignment
	held   map[string]string // the incarnations on the members' Leases
}

func startOutage(t *testing.T, name string, change func(*rig.Ring)) *outage {
	t.Helper()
	server := harness.Must1(harness.Cluster().StartAPIServer(t.Context()))(t)
	t.Cleanup(server.Kill)
	o := &outage{t: t, ring: harness.NewRing(t, name, 2, change), server: server, caches: map[string]cache.Store{}}
	for _, id := range []string{"a", "b"} {
		o.ring.StartWith(id, rig.MemberOptions{Upstream: server})
	}
	o.ring.WaitActive("a", "b")
	o.ring.CreateFoos(20)
	for id, member := range o.ring.Members {
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(member.AsAdmin().Dynamic, 0, o.ring.Namespace, nil)
		o.caches[id] = factory.ForResource(rig.Foos).Informer().GetStore()
		factory.Start(t.Context().Done())
	}
	o.waitCaches()
	o.before = harness.Must1(o.ring.Assignment(t.Context()))(t)
	o.held = o.incarnations()
	return o
}

// waitCaches waits until the informers hold the Foos as the API server has them,
// each the ones of its member.
func (o *outage) waitCaches() {
	o.t.Helper()
	harness.Within(o.t, 2*harness.Patience, "the informers hold what is there", func(context.Context) error {
		assignment, err := o.ring.Assignment(o.t.Context())
		if err != nil {
			return err
		}
		held := 0
		for _, foo := range o.ring.Foos() {
			store := o.caches[o.ring.OwnerOf(assignment, &foo)]
			object, isThere, _ := store.GetByKey(o.ring.Namespace + "/" + foo.GetName())
			if !isThere || object.(metav1.Object).GetResourceVersion() != foo.GetResourceVersion() {
				return fmt.Errorf("%s: its owner's informer holds %v", foo.GetName(), object)
			}
			held++
		}
		if all := len(o.caches["a"].List()) + len(o.caches["b"].List()); all != held {
			return fmt.Errorf("they hold %d Foos, and there are %d", all, held)
		}
		return nil
	})
}

// incarnations are who holds the members' Leases: a member that was sealed, or was
// started again, comes back as another one.
func (o *outage) incarnations() map[string]string {
	o.t.Helper()
	held := map[string]string{}
	for id := range o.ring.Members {
		held[id] = o.ring.Members[id].WaitState("active").Identity
	}
	return held
}

// checkHealed changes and makes Foos, and checks that all is as it was.
func (o *outage) checkHealed() {
	o.t.Helper()
	o.ring.WaitActive("a", "b")
	harness.Must(o.t, createMore(o.t, o.ring, 3))
	o.ring.WaitLabelled(23)
	for id, member := range o.ring.Members {
		foos := member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(o.ring.Namespace)
		name := o.ring.FooOf(id).GetName()
		harness.Must1(foos.Patch(o.t.Context(), name, types.MergePatchType,
			[]byte(`{"spec":{"replicas":7}}`), metav1.PatchOptions{}))(o.t)
	}
	o.waitCaches()
	if after := harness.Must1(o.ring.Assignment(o.t.Context()))(o.t); after.Epoch != o.before.Epoch {
		o.t.Errorf("buckets have moved: epoch %s, then %s", o.before.Epoch, after.Epoch)
	}
	if now := o.incarnations(); fmt.Sprint(now) != fmt.Sprint(o.held) {
		o.t.Errorf("the members were %v, and are %v", o.held, now)
	}
}

// An API server that restarts, as in every upgrade, is away for less than a Lease:
// no right is lost meanwhile.
func TestAnAPIServerThatRestarts(t *testing.T) {
	o := startOutage(t, "restarts", func(r *rig.Ring) { r.Duration, r.Renew = time.Minute, time.Second })
	for range 2 {
		o.server.Kill()
		harness.Must(t, o.server.Start(t.Context()))
	}
	o.checkHealed()
	for id, member := range o.ring.Members {
		if strings.Contains(member.Process.Output(), "right lost") {
			t.Errorf("%s has lost its right", id)
		}
	}
}

// All API servers that the members know are away for longer than their Leases last:
// all fall silent, nobody is sealed, nothing moves.
func TestAllAPIServersAreGoneForLongerThanALease(t *testing.T) {
	o := startOutage(t, "gone", nil)
	o.server.Kill()
	for _, member := range o.ring.Members {
		member.WaitState("right-lost")
	}
	time.Sleep(2 * o.ring.Duration) // what is shown is that nothing happens
	foos := o.ring.Members["a"].Raw(t, controlplane.Admin)
	if answer := foos.Do("DELETE", fooPath(o.ring, 0), ""); answer.StatusCode < 400 {
		t.Errorf("a delete was answered %s", answer.Response.Status)
	}
	harness.Must(t, o.server.Start(t.Context()))
	o.checkHealed()
}

// etcd forgets the past, and the API server with it: whoever had a position in it,
// the members' own watches among them, lists anew.
func TestCompaction(t *testing.T) {
	o := startOutage(t, "compacted", func(r *rig.Ring) { r.Duration, r.Renew = time.Minute, time.Second })
	cluster := harness.Cluster()
	pages := map[string]string{} // by member, the second page of a list
	for id, member := range o.ring.Members {
		list := harness.Must1(member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(o.ring.Namespace).
			List(t.Context(), metav1.ListOptions{Limit: 2}))(t)
		pages[id] = fmt.Sprintf("%s?limit=2&continue=%s", foosPath, list.GetContinue())
	}
	harness.Must(t, createMore(t, o.ring, 1))
	foos := cluster.Dynamic.Resource(rig.Foos).Namespace(o.ring.Namespace)
	for _, isRestarted := range []bool{false, true} {
		for _, foo := range o.ring.Foos() { // so that there is something to forget
			harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType,
				fmt.Appendf(nil, `{"metadata":{"annotations":{"restarted":"%v"}}}`, isRestarted), metav1.PatchOptions{}))(t)
		}
		if isRestarted {
			o.server.Kill()
		}
		harness.Must(t, cluster.Compact(t.Context(), harness.Must1(cluster.Revision(t.Context()))(t)))
		if isRestarted {
			harness.Must(t, o.server.Start(t.Context()))
		}
		o.waitCaches()
	}
	for id, page := range pages {
		o.ring.Members[id].Raw(t, controlplane.Admin).Get(page).
			CheckStatus(t, harness.JSON, 410, metav1.StatusReasonExpired)
	}
	harness.Must(t, foos.Delete(t.Context(), "more-0", metav1.DeleteOptions{}))
	o.checkHealed()
}
