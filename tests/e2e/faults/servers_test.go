package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const foosPath = "/apis/samplecontroller.k8s.io/v1alpha1/foos"

// startBehind starts member a behind a front, and waits until it is active.
func startBehind(t *testing.T, name string) (*harness.Ring, *rig.Front) {
	t.Helper()
	front := harness.Must1(harness.Cluster().StartFront(name))(t)
	t.Cleanup(front.Close)
	ring := harness.NewRing(t, name, 1, nil)
	kubeconfig := harness.Must1(front.Kubeconfig(rig.MemberUser("a")))(t)
	ring.StartWith("a", rig.MemberOptions{Flags: []string{"--kubeconfig", kubeconfig}})
	ring.WaitActive("a")
	return ring, front
}

// Flow control may refuse our own calls for longer than the Lease lasts: the right
// ends, nobody is flooded, nothing moves, and it comes back.
func TestOurOwnCallsAreRefusedByFlowControl(t *testing.T) {
	ring, front := startBehind(t, "flow")
	ring.CreateFoos(5)
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	var mutex sync.Mutex
	refused := map[string]int{}
	started := time.Now()
	front.Set(func(w http.ResponseWriter, r *http.Request) bool {
		if rig.IsOwn(r) {
			mutex.Lock()
			refused[r.Method+" "+r.URL.Path]++
			mutex.Unlock()
			rig.TooManyRequests(w, 1)
		}
		return rig.IsOwn(r)
	})
	member := ring.Members["a"]
	member.WaitState("right-lost")
	harness.Must(t, createMore(t, ring, 3)) // to be labelled: more calls of ours
	for range 3 {
		answer := member.Raw(t, controlplane.Admin).Do(http.MethodDelete, fooPath(ring, 0), "")
		if answer.StatusCode < 400 {
			t.Errorf("a delete was answered %s", answer.Response.Status)
		}
	}
	elapsed := time.Since(started)
	front.Set(nil)
	mutex.Lock()
	for what, n := range refused {
		// Told to wait a second, a renewal waits as long as renewals do, half of one.
		allowed := int(elapsed/ring.Renew) + 2
		if strings.Contains(what, "/foos/") {
			allowed = 3 // for a client each
		}
		if n > allowed {
			t.Errorf("%s was tried %d times in %s, although it was told to wait", what, n, elapsed)
		}
	}
	mutex.Unlock()
	ring.WaitActive("a")
	ring.WaitLabelled(8)
	if after := harness.Must1(ring.Assignment(t.Context()))(t); after.Epoch != before.Epoch {
		t.Errorf("buckets have moved: epoch %s, then %s", before.Epoch, after.Epoch)
	}
}

// A refusal by flow control of a client's request is the client's business.
func TestAClientsRequestIsRefusedByFlowControl(t *testing.T) {
	ring, front := startBehind(t, "refused")
	front.Set(func(w http.ResponseWriter, r *http.Request) bool {
		if !rig.IsOwn(r) {
			rig.TooManyRequests(w, 7)
		}
		return !rig.IsOwn(r)
	})
	for _, path := range []string{foosPath, foosPath + "?watch=true", "/api/v1/namespaces"} {
		answer := ring.Members["a"].Raw(t, controlplane.Admin).Get(path)
		if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") != "7" {
			t.Errorf("%s: %s, Retry-After %q", path, answer.Response.Status, answer.Header.Get("Retry-After"))
		}
	}
}

// An API server that takes its time for everything costs time and nothing else.
func TestASlowAPIServer(t *testing.T) {
	ring, front := startBehind(t, "slow")
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
		}
		return false
	})
	member := ring.Members["a"]
	seen := len(member.Process.Output())
	ring.CreateFoos(5)
	list := member.Seen(t)
	if len(list) != 5 {
		t.Errorf("the member shows %d Foos of 5", len(list))
	}
	// Two Leases' time of renewals that take long.
	harness.Eventually(t, "renewals go on", func(context.Context) error {
		if n := strings.Count(member.Process.Output()[seen:], "msg=renewed"); n < 8 {
			return fmt.Errorf("%d so far", n)
		}
		return nil
	})
	if strings.Contains(member.Process.Output()[seen:], "right lost") {
		t.Error("the right was lost meanwhile")
	}
	if after := harness.Must1(ring.Assignment(t.Context()))(t); after.Epoch != before.Epoch {
		t.Errorf("buckets have moved: epoch %s, then %s", before.Epoch, after.Epoch)
	}
}

// A member behind an API server that lags takes over buckets: whatever it shows
// afterwards is not older than what the former owner wrote.
func TestAnAPIServerThatLags(t *testing.T) {
	server, lag, err := harness.Cluster().StartLaggingAPIServer(t.Context())
	harness.Must(t, err)
	t.Cleanup(func() { server.Kill(); lag.Close() })
	ring := harness.NewRing(t, "lag", 2, nil)
	ring.StartWith("a", rig.MemberOptions{})
	ring.StartWith("b", rig.MemberOptions{Upstream: server})
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	lag.Set(500 * time.Millisecond)

	a, b := ring.Members["a"], ring.Members["b"]
	for round := range 3 {
		written := map[string]bool{}
		mark := fmt.Sprintf(`{"metadata":{"annotations":{"round":"%d"}}}`, round)
		foos := a.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
		for name := range a.Seen(t) {
			harness.Must1(foos.Patch(t.Context(), name, types.MergePatchType, []byte(mark), metav1.PatchOptions{}))(t)
			written[name] = true
		}
		if len(written) == 0 {
			t.Fatal("a shows nothing")
		}
		a.Terminate()
		// As informers list: from the API server's cache.
		list := harness.Must1(waitAll(t, ring, b))(t)
		for _, foo := range list {
			if written[foo.GetName()] && foo.GetAnnotations()["round"] != fmt.Sprint(round) {
				t.Errorf("%s is shown as it was before its former owner wrote it: %v", foo.GetName(), foo.GetAnnotations())
			}
		}
		a.Restart()
		ring.WaitActive("a", "b")
	}
}
