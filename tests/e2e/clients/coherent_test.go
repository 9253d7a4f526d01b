package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The invariant coherent_view: after any history of lists, watches, reconnects, moves
// and restarts, what a client holds equals the API server's objects of the shard.
//
// What is told of objects that leave differs by member (releases): b marks them, and its
// clients do not see by a list what has left; c says nothing of them; the others are as
// the API server is. All that b's clients and b ask for comes from an API server that
// lags, a's clients are served by that one, too, and a itself is not.
//
// Who plays a failed run again, and looks for what it takes:
//
//	COHERENT_SEED     the same disturbances; each round has random numbers of its own
//	COHERENT_ROUND    this round alone
//	COHERENT_KINDS    of these kinds alone, as "shards,lag"
//	COHERENT_PATIENCE seconds that a cache may take to hold all
//	COHERENT_SECONDS  for so long (make coherent), with three to five members
func TestCoherentView(t *testing.T) {
	seed := number("COHERENT_SEED", uint64(time.Now().UnixNano()))
	seconds := number("COHERENT_SECONDS", 0)
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	t.Logf("COHERENT_SEED=%d", seed)
	u := newUpheaval(t, seed, seconds > 0)
	ring := u.ring
	ring.CreateFoos(60)
	u.churn(60)
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
	owners := newOwners(t, ring)
	for _, o := range all {
		if releases[o.member.ID] == "suppress" {
			o.keepsMoved, o.keepsDeleted = true, true
		}
	}
	calm.Store(true)
	compare(t, ring, all, "at first")
	round, only := number("COHERENT_ROUND", 1), os.Getenv("COHERENT_ROUND") != ""
	for first := round; round < first+2 || time.Now().Before(until); round++ {
		u.random, u.changes = rand.New(rand.NewPCG(seed, round)), rand.New(rand.NewPCG(seed, ^round))
		calm.Store(false)
		u.disturb()
		calm.Store(true)
		when := fmt.Sprintf("in round %d, after %s", round, strings.Join(u.what, ", "))
		t.Log(when)
		compare(t, ring, all, when)
		for _, o := range all {
			o.checkRules(t)
		}
		owners.check(all)
		checkSuppressed(t, ring, all)
		if t.Failed() {
			t.Fatalf("COHERENT_SEED=%d, %s", seed, when)
		}
		if only {
			break
		}
	}
	for _, o := range all {
		if r, ok := o.watcher.(*recorder); ok {
			t.Logf("%s: %d lists", o.name, r.relists)
		}
	}
}

// fooResources are rig.FooResources with more keys for both.
func fooResources(keys string) string {
	return fmt.Sprintf(`
  - {group: samplecontroller.k8s.io, resource: foos, %[1]s, owns: [{group: apps, resource: deployments, %[1]s}]}
`, keys)
}

func number(variable string, otherwise uint64) uint64 {
	if value, err := strconv.ParseUint(os.Getenv(variable), 10, 64); err == nil {
		return value
	}
	return otherwise
}

// upheaval is a ring to which things happen.
type upheaval struct {
	t      *testing.T
	ring   *harness.Ring
	ids    []string
	random *rand.Rand // what happens
	// How objects change; how many do depends on how fast.
	changes *rand.Rand
	lag     *controlplane.Lag // of an API server
	what    []string          // has happened in this round
	kinds   []kind
}

type kind struct {
	name   string
	weight int
	do     func(*upheaval)
}

var kinds = []kind{
	{"shards", 6, (*upheaval).scale},
	{"restart", 1, (*upheaval).restart},
	{"crash", 1, (*upheaval).crash},
	{"compact", 1, (*upheaval).compact},
	{"lag", 1, (*upheaval).slow},
}

func newUpheaval(t *testing.T, seed uint64, isLong bool) *upheaval {
	u := &upheaval{t: t, ids: []string{"a", "b", "c"}, changes: rand.New(rand.NewPCG(seed, 0))}
	if isLong {
		u.ids = []string{"a", "b", "c", "d", "e"}[:3+seed%3]
	}
	chosen := os.Getenv("COHERENT_KINDS")
	for _, kind := range kinds {
		if chosen == "" || slices.Contains(strings.Split(chosen, ","), kind.name) {
			u.kinds = append(u.kinds, kind)
		}
	}
	server, lag, err := harness.Cluster().StartLaggingAPIServer(t.Context())
	harness.Must(t, err)
	t.Cleanup(func() { server.Kill(); lag.Close() })
	u.lag = lag
	front := harness.Must1(harness.Cluster().StartSplitFront("coherent", server))(t)
	t.Cleanup(front.Close)
	u.ring = harness.NewRing(t, "coherent", len(u.ids), func(ring *rig.Ring) {
		ring.Duration, ring.Renew, ring.Margin = 6*time.Second, time.Second, 2*time.Second
		ring.ResourcesOf = map[string]string{}
		for id, release := range releases {
			ring.ResourcesOf[id] = fooResources("onRelease: " + release)
		}
		ring.ResourcesOf[noDiff] = fooResources("relist: nodiff, onRelease: " + releases[noDiff])
	})
	split := harness.Must1(front.Kubeconfig(rig.MemberUser("a")))(t)
	for id, options := range map[string]rig.MemberOptions{
		"a": {Flags: []string{"--kubeconfig", split}},
		// Its clients are known to it again when it is restarted.
		"b": {Upstream: server, Flags: []string{"--lock-file", filepath.Join(t.TempDir(), "lock")}},
		"c": {}, "d": {}, "e": {},
	} {
		if slices.Contains(u.ids, id) {
			u.ring.StartWith(id, options)
		}
	}
	u.ring.WaitActiveWithin(time.Minute, u.ids...)
	u.changeAtFloors(front, seed)
	return u
}

// changeAtFloors lets some objects change, mostly, between a's write and its reading of a
// floor: so that the floor is the version of an object, of one that it has not shown.
func (u *upheaval) changeAtFloors(front *rig.Front, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 1<<32))
	var mutex sync.Mutex
	front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if rig.IsOwn(r) && r.URL.RawQuery == "limit=1" && random.IntN(4) > 0 {
			resource := rig.Foos
			if r.URL.Path == deploymentsPath {
				resource = rig.Deployments
			}
			u.touch(resource, random)
		}
		return false
	})
}

// touch changes an object of each kind: one that a shows, and then one that it does not.
func (u *upheaval) touch(resource schema.GroupVersionResource, random *rand.Rand) {
	objects := harness.Cluster().Dynamic.Resource(resource).Namespace(u.ring.Namespace)
	list, err := objects.List(u.t.Context(), metav1.ListOptions{LabelSelector: u.ring.Label()})
	status, statusErr := u.ring.Members["a"].Status(u.t.Context())
	if err != nil || statusErr != nil {
		return // the test has ended
	}
	var shown rig.Buckets
	for _, r := range status.Resources {
		if strings.HasPrefix(r.Resource, resource.Resource+".") {
			shown, _ = rig.ParseBuckets(r.View)
		}
	}
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"floor":"%d"}}}`, random.Int())
	random.Shuffle(len(list.Items), func(i, k int) { list.Items[i], list.Items[k] = list.Items[k], list.Items[i] })
	for _, isShown := range []bool{true, false} {
		for _, object := range list.Items {
			if shown.HasLabel(object.GetLabels()[u.ring.Label()]) == isShown {
				_, _ = objects.Patch(u.t.Context(), object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
				break
			}
		}
	}
}

// disturb lets things happen among changes of objects; at its end the ring is at rest.
func (u *upheaval) disturb() {
	u.t.Helper()
	u.what = nil
	for range 1 + u.random.IntN(3) {
		u.churn(10 + u.random.IntN(40))
		u.one().do(u)
		u.churn(u.random.IntN(60))
	}
	u.lag.Set(0)
	harness.Must(u.t, u.ring.SetShards(len(u.ids)))
	u.ring.WaitActiveWithin(time.Minute, u.ids...)
	u.churn(u.random.IntN(30))
}

func (u *upheaval) one() kind {
	total := 0
	for _, kind := range u.kinds {
		total += kind.weight
	}
	at := u.random.IntN(total)
	for _, kind := range u.kinds {
		if at -= kind.weight; at < 0 {
			return kind
		}
	}
	panic("the weights are their sum")
}

func (u *upheaval) churn(changes int) { churn(u.t, u.ring, u.changes, changes) }

func (u *upheaval) note(format string, args ...any) {
	u.what = append(u.what, fmt.Sprintf(format, args...))
}

func (u *upheaval) member() *harness.Member {
	return u.ring.Members[u.ids[u.random.IntN(len(u.ids))]]
}

// scale changes how many share the buckets. While they move, things go on changing, no
// faster than each change comes to all before the next one does: so that some watch is
// ended by an object's event, and the floor is read right then.
func (u *upheaval) scale() {
	shards := 1 + u.random.IntN(len(u.ids))
	u.note("shards %d", shards)
	harness.Must(u.t, u.ring.SetShards(shards))
	pace := time.NewTicker(time.Duration(20+u.random.IntN(100)) * time.Millisecond)
	defer pace.Stop()
	for until := time.Now().Add(time.Duration(1+u.random.IntN(3)) * time.Second); time.Now().Before(until); {
		<-pace.C
		u.churn(1)
	}
}

func (u *upheaval) restart() {
	member := u.member()
	u.note("a restart of %s", member.ID)
	member.Terminate()
	u.churn(u.random.IntN(20))
	member.Restart()
}

func (u *upheaval) crash() {
	member := u.member()
	u.note("a crash of %s", member.ID)
	member.Crash()
	u.churn(u.random.IntN(20))
	member.Restart()
}

// compact makes etcd forget the past.
func (u *upheaval) compact() {
	cluster, ctx := harness.Cluster(), u.t.Context()
	u.note("a compaction")
	harness.Must(u.t, cluster.Compact(ctx, harness.Must1(cluster.Revision(ctx))(u.t)))
}

// slow lets an API server lag until the end of the round, and moves buckets there.
func (u *upheaval) slow() {
	delay := time.Duration(100+u.random.IntN(900)) * time.Millisecond
	u.note("a lag of %s", delay)
	u.lag.Set(delay)
	u.churn(u.random.IntN(20))
	u.scale()
}

// checkRules fails the test if events came that no watch may bring.
func (o *observed) checkRules(t *testing.T) {
	t.Helper()
	for _, rule := range o.broken() {
		harness.Errorf(t, "%s: %s", o.name, rule)
	}
}
