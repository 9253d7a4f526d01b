package releases

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const foosPath = "/apis/samplecontroller.k8s.io/v1alpha1"

// actor watches as KubeOps and shell-operator do that act on DELETED: it never lists,
// and takes DELETED for the end of an object.
type actor struct {
	id    string // of its member
	raw   *harness.Raw
	agent string
	// From the last BOOKMARK, as KubeOps; else from the last event, as client-go.
	fromBookmarks bool

	mutex    sync.Mutex
	position string
	added    map[string]bool   // uids
	ended    map[string]string // uids of objects that it takes for gone, by name
	watches  int
}

func (a *actor) run(ctx context.Context, path string) {
	for ctx.Err() == nil {
		a.watch(ctx, path)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (a *actor) watch(ctx context.Context, path string) {
	path += "watch=true&allowWatchBookmarks=true"
	if a.position != "" {
		path += "&resourceVersion=" + a.position
	}
	response, err := a.raw.Try(ctx, http.MethodGet, path, "", "User-Agent: "+a.agent)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return
	}
	a.mutex.Lock()
	a.watches++
	a.mutex.Unlock()
	lines := bufio.NewReader(response.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		a.take(line)
	}
}

func (a *actor) take(line []byte) {
	var event struct {
		Type   string
		Object metav1.PartialObjectMetadata
	}
	if json.Unmarshal(line, &event) != nil {
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	switch event.Type {
	case "ERROR":
		a.position = ""
		return
	case "DELETED":
		a.ended[string(event.Object.UID)] = event.Object.Name
	case "ADDED":
		a.added[string(event.Object.UID)] = true
	}
	if event.Type == "BOOKMARK" || !a.fromBookmarks {
		a.position = event.Object.ResourceVersion
	}
}

func (a *actor) hasEnded(uid types.UID) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.ended[string(uid)] != ""
}

func (a *actor) hasSeen(uid types.UID) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.added[string(uid)]
}

// startActors starts both kinds behind each member.
func startActors(t *testing.T, ring *harness.Ring, query string) []*actor {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var all []*actor
	for id, member := range ring.Members {
		for _, agent := range []string{"kubernetes-csharp/19.0.2", "shell-operator/1.20"} {
			a := &actor{
				id: id, raw: member.Raw(t, rig.ControllerUser(id)), agent: agent,
				fromBookmarks: strings.HasPrefix(agent, "kubernetes-csharp"),
				added:         map[string]bool{}, ended: map[string]string{},
			}
			all = append(all, a)
			group.Go(func() {
				a.run(ctx, foosPath+"/namespaces/"+ring.Namespace+"/foos?"+query)
			})
		}
	}
	t.Cleanup(func() {
		cancel()
		group.Wait()
	})
	return all
}

// checkNoneEnded checks that nobody takes an object that exists for gone.
func checkNoneEnded(t *testing.T, ring *harness.Ring, all []*actor, when string) {
	t.Helper()
	for _, foo := range ring.Foos() {
		for _, a := range all {
			if a.hasEnded(foo.GetUID()) {
				t.Errorf("%s: %s at %s was told that %s is gone, which exists", when, a.agent, a.id, foo.GetName())
			}
		}
	}
}

// waitOwners waits until each Foo was shown to the actors behind its owner.
func waitOwners(t *testing.T, ring *harness.Ring, all []*actor, when string) {
	t.Helper()
	assignment := harness.Must1(ring.Assignment(t.Context()))(t)
	harness.Eventually(t, "each Foo is shown to its owner "+when, func(context.Context) error {
		for _, foo := range ring.Foos() {
			for _, a := range all {
				if a.id == ring.OwnerOf(assignment, &foo) && !a.hasSeen(foo.GetUID()) {
					return fmt.Errorf("%s has not been shown %s", a.agent, foo.GetName())
				}
			}
		}
		return nil
	})
}

// waitEnded waits until the actors behind the Foo's owner know that it is gone.
func waitEnded(t *testing.T, ring *harness.Ring, all []*actor, foo *unstructured.Unstructured) {
	t.Helper()
	assignment := harness.Must1(ring.Assignment(t.Context()))(t)
	harness.Eventually(t, foo.GetName()+"'s end is told", func(context.Context) error {
		for _, a := range all {
			if a.id == ring.OwnerOf(assignment, foo) && !a.hasEnded(foo.GetUID()) {
				return fmt.Errorf("%s at %s has not been told", a.agent, a.id)
			}
		}
		return nil
	})
}

const suppressed = `
  - group: samplecontroller.k8s.io
    resource: foos
    onRelease: suppress
    owns:
      - {group: apps, resource: deployments}
`

// Controllers that take DELETED for the end of an object are told so of those that are
// deleted, and never of those that move, nor of one whose label somebody takes away.
func TestSuppressTellsDeletionsAndNoMoves(t *testing.T) {
	const foos = 30
	ring := harness.NewRing(t, "suppress", 2, func(r *rig.Ring) { r.Resources = suppressed })
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.Start("c")
	ring.CreateFoos(foos)
	all := startActors(t, ring, "")
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	waitOwners(t, ring, all, "at first")
	for i, shards := range []int{3, 2, 3} {
		harness.Must(t, ring.SetShards(shards))
		ring.WaitActive([]string{"a", "b", "c"}[:shards]...)
		when := fmt.Sprintf("with %d shards", shards)
		waitOwners(t, ring, all, when)

		t.Logf("%s: a label is taken away, and an object is deleted", when)
		robbed := ring.FooOf([]string{"a", "b"}[i%2])
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:null}}}`, ring.Label())
		harness.Must1(client.Patch(t.Context(), robbed.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
		deleted := ring.Foos()[0]
		if deleted.GetName() == robbed.GetName() {
			deleted = ring.Foos()[1]
		}
		harness.Must(t, client.Delete(t.Context(), deleted.GetName(), metav1.DeleteOptions{}))
		waitEnded(t, ring, all, &deleted)
		ring.WaitLabelled(foos - 1 - i)
		checkNoneEnded(t, ring, all, when)
	}
	checkLookedUp(t, ring)
}

// What leaves the client's own selector is DELETED for it, as the API server tells it.
func TestSuppressLeavesTheClientsOwnSelectorAsItIs(t *testing.T) {
	ring := harness.NewRing(t, "ownselector", 1, func(r *rig.Ring) { r.Resources = suppressed })
	ring.Start("a")
	ring.WaitActive("a")
	foo := ring.CreateFoos(1)[0]
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	label := func(value string) {
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{"app":%s}}}`, value)
		harness.Must1(client.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	}
	label(`"x"`)
	all := startActors(t, ring, "labelSelector=app%3Dx&")
	waitOwners(t, ring, all, "at first")
	checkNoneEnded(t, ring, all, "at first")
	label("null")
	waitEnded(t, ring, all, &foo)
}

// checkLookedUp checks that some deletions were not told, by the members' own account.
func checkLookedUp(t *testing.T, ring *harness.Ring) {
	t.Helper()
	sum := 0
	for _, member := range ring.Members {
		sum += member.Metric("ringside_farewells_suppressed_total")
	}
	if sum == 0 {
		t.Error("no deletion was looked up and not told")
	}
}
