package faults

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// mover is a ring of two, of which a stands behind a front, with an informer behind a.
type mover struct {
	t        *testing.T
	ring     *harness.Ring
	front    *rig.Front
	a        *harness.Member
	informer cache.SharedIndexInformer
}

func startMover(t *testing.T, name string, extra string, foos int) *mover {
	t.Helper()
	front := harness.Must1(harness.Cluster().StartFront(name))(t)
	t.Cleanup(front.Close)
	ring := harness.NewRing(t, name, 1, func(ring *rig.Ring) { ring.Extra = extra })
	kubeconfig := harness.Must1(front.Kubeconfig(rig.MemberUser("a")))(t)
	m := &mover{t: t, ring: ring, front: front}
	m.a = ring.StartWith("a", rig.MemberOptions{Flags: []string{"--kubeconfig", kubeconfig}})
	ring.WaitActive("a")
	ring.Start("b")
	ring.CreateFoos(foos)
	return m
}

// watch starts the informer, and waits until it holds what it should.
func (m *mover) watch() {
	m.t.Helper()
	client := m.a.Clients(rig.ControllerUser("a")).Dynamic
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, m.ring.Namespace, nil)
	m.informer = factory.ForResource(rig.Foos).Informer()
	ctx, cancel := context.WithCancel(m.t.Context())
	m.t.Cleanup(cancel)
	factory.Start(ctx.Done())
	m.waitHolds()
	m.waitEvent()
}

// waitEvent lets an event pass the informer's watch: one without any does not end before
// session.minAge, and is cut where handover.sessionTimeout is shorter.
func (m *mover) waitEvent() {
	m.t.Helper()
	assignment := harness.Must1(m.ring.Assignment(m.t.Context()))(m.t)
	foos := m.ring.Foos()
	for i := range foos {
		if m.ring.OwnerOf(assignment, &foos[i]) == "a" {
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"seen":"%d"}}}`, time.Now().UnixNano())
			_, err := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(m.ring.Namespace).
				Patch(m.t.Context(), foos[i].GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
			harness.Must(m.t, err)
			break
		}
	}
	m.waitHolds()
}

func (m *mover) scale(shards int) {
	m.t.Helper()
	harness.Must(m.t, m.ring.SetShards(shards))
}

// waitMoved waits until these members share the buckets, the informer holds a's, and
// stands in the view of that: who is told of the next change before lists anew.
func (m *mover) waitMoved(ids ...string) {
	m.t.Helper()
	m.ring.WaitActive(ids...)
	m.waitHolds()
	m.a.WaitMoved()
	m.waitEvent()
}

func (m *mover) waitHolds() {
	m.t.Helper()
	harness.Eventually(m.t, "the informer holds a's Foos", func(ctx context.Context) error {
		assignment, err := m.ring.Assignment(ctx)
		if err != nil {
			return err
		}
		held, owned := m.informer.GetStore(), 0
		for _, foo := range m.ring.Foos() {
			object, isHeld, _ := held.GetByKey(m.ring.Namespace + "/" + foo.GetName())
			isOwned := m.ring.OwnerOf(assignment, &foo) == "a"
			if isHeld != isOwned {
				return fmt.Errorf("%s: held: %v, owned: %v", foo.GetName(), isHeld, isOwned)
			}
			if isHeld && object.(metav1.Object).GetResourceVersion() != foo.GetResourceVersion() {
				return fmt.Errorf("%s is held as it was", foo.GetName())
			}
			if isOwned {
				owned++
			}
		}
		if n := len(held.ListKeys()); n != owned {
			return fmt.Errorf("it holds %d, not %d", n, owned)
		}
		return nil
	})
}

// relists are how often a has told a client to list anew, by reason.
func (m *mover) relists() map[string]int {
	m.t.Helper()
	relists := map[string]int{}
	for name, n := range m.a.Metrics() {
		if rest, isRelist := strings.CutPrefix(name, `ringside_relists_total{reason="`); isRelist {
			relists[strings.TrimSuffix(rest, `"}`)] = int(n)
		}
	}
	return relists
}

// checkRelists fails the test if a client was told to list anew, but for one reason.
func (m *mover) checkRelists(but string) {
	m.t.Helper()
	for reason, n := range m.relists() {
		if n > 0 && reason != but {
			m.t.Errorf("told to list anew: %d times, %s", n, reason)
		}
	}
}

// isMoveList says whether a member asks for what has moved.
func isMoveList(r *http.Request) bool {
	query := r.URL.Query()
	return !rig.IsOwn(r) && query.Get("watch") == "" &&
		(query.Get("resourceVersionMatch") == "Exact" || isPage(r))
}

// isPage says whether it is a further page of a list.
func isPage(r *http.Request) bool { return r.URL.Query().Get("continue") != "" }

// cutShort makes a page of it that has few items.
func cutShort(r *http.Request) {
	query := r.URL.Query()
	query.Set("limit", "5")
	r.URL.RawQuery = query.Encode()
}

// The API server is down for the lists of a move, and for nothing else: the client
// comes back until it is moved, and lists nothing itself.
func TestAMoveWhoseListsAreRefusedIsMadeLater(t *testing.T) {
	m := startMover(t, "refusing", "", 40)
	m.watch()
	moves := []struct {
		shards int
		ids    []string
	}{{2, []string{"a", "b"}}, {1, []string{"a"}}}
	for _, move := range moves {
		var refused atomic.Int64
		m.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			if isMoveList(r) {
				refused.Add(1)
				http.Error(w, "down", http.StatusServiceUnavailable)
			}
			return isMoveList(r)
		})
		m.scale(move.shards)
		harness.Eventually(t, "the lists are refused again and again", func(context.Context) error {
			if n := refused.Load(); n < 3 {
				return fmt.Errorf("%d times", n)
			}
			return nil
		})
		m.front.Set(nil)
		m.waitMoved(move.ids...)
	}
	m.checkRelists("")
	if m.a.Metric("ringside_moves_paused_total") < 6 {
		t.Error("moves were not paused")
	}
}

// The API server takes longer for the lists of a move than a client that reads nothing
// may hold it up. This one reads.
func TestAMoveWhoseListsTakeLongIsMade(t *testing.T) {
	m := startMover(t, "slow-lists", "handover: {sessionTimeout: 500ms}\n", 40)
	m.watch()
	m.scale(2)
	m.waitMoved("a", "b")
	m.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
		if isMoveList(r) {
			time.Sleep(1500 * time.Millisecond)
		}
		return false
	})
	before := m.a.Metric("ringside_sessions_cut_total")
	m.scale(1)
	m.waitMoved("a")
	m.checkRelists("")
	if n := m.a.Metric("ringside_sessions_cut_total"); n != before {
		t.Errorf("%d watches were cut that had nothing to be told of", n-before)
	}
}

// The API server forgets the version of a list between two of its pages: its client
// lists anew, and then holds everything.
func TestAMoveWhosePagesAreForgottenEndsInAList(t *testing.T) {
	m := startMover(t, "forgotten", "", 40)
	m.watch()
	for i, ids := range [][]string{{"a", "b"}, {"a"}} {
		m.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
			if !isMoveList(r) {
				return false
			}
			cutShort(r)
			if isPage(r) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusGone)
				fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}`)
			}
			return isPage(r)
		})
		m.scale(len(ids))
		m.waitMoved(ids...)
		m.checkRelists("gone")
		if n := m.relists()["gone"]; n != i+1 {
			t.Errorf("told %d times that the position is gone", n)
		}
	}
}

// checkTakenBack is nil where the change after that epoch has moved nobody: a release that
// had not been seen by the coordinator yet was taken back.
func (m *mover) checkTakenBack(ctx context.Context, before string, shards int) error {
	assignment, err := m.ring.Assignment(ctx)
	if err != nil {
		return err
	}
	status, err := m.a.Status(ctx)
	if err != nil {
		return err
	}
	if n := assignment.Count("a"); assignment.Epoch == before || n != 256/shards || status.OwnedCount != n {
		return fmt.Errorf("epoch %s after %s: a has %d buckets, and knows of %d", assignment.Epoch, before, n, status.OwnedCount)
	}
	return nil
}

// Views change again and again while the lists of a move are under way, and longer than
// a change waits for the clients of the last one.
func TestViewsThatChangeInTheMiddleOfAMove(t *testing.T) {
	m := startMover(t, "again", "handover: {settleTimeout: 300ms}\n", 60)
	m.watch()
	var pages atomic.Int64
	m.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
		if isMoveList(r) {
			cutShort(r)
			pages.Add(1)
			time.Sleep(200 * time.Millisecond)
		}
		return false
	})
	for _, shards := range []int{2, 1, 2, 1, 2} {
		progress := func() int { return int(pages.Load()) + m.relists()["doubted"] }
		seen, before := progress(), harness.Must1(m.ring.Assignment(t.Context()))(t).Epoch
		m.scale(shards)
		harness.Eventually(t, "a move is under way, or its client lists", func(ctx context.Context) error {
			if n := progress(); n > seen {
				return nil
			}
			return m.checkTakenBack(ctx, before, shards)
		})
	}
	m.ring.WaitActive("a", "b")
	m.waitHolds()
	m.front.Set(nil)
	m.scale(1)
	m.ring.WaitActive("a")
	m.waitHolds()
	m.checkRelists("doubted")
}
