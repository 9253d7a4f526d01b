package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/frameworks"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// message is an event that came in a message of its own, of JSON.
type message struct {
	Type   string
	Object *unstructured.Unstructured
}

func (m message) version() string { return m.Object.GetResourceVersion() }

// readMessages reads what comes until the watch ends, which must be well.
func readMessages(t *testing.T, connection *websocket.Conn) (all []message) {
	t.Helper()
	harness.Must(t, connection.SetReadDeadline(time.Now().Add(harness.Patience)))
	for {
		kind, data, err := connection.ReadMessage()
		if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			return all
		}
		harness.Must(t, err)
		m := message{Object: &unstructured.Unstructured{}}
		if err := json.Unmarshal(data, &m); err != nil || kind != websocket.TextMessage {
			t.Fatalf("%v: a message of type %d: %s", err, kind, data)
		}
		all = append(all, m)
	}
}

// A watch by WebSocket is told of a move as any other: it ends well, and whoever comes
// back with its position is told what left, at that position, or what came, and
// nothing of what it keeps.
func TestAWebSocketWatchIsMoved(t *testing.T) {
	ring := harness.NewRing(t, "sockets", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	ring.Start("b")
	ring.Members["b"].WaitState("standby")
	ring.CreateFoos(30)
	path := foosPath + "/namespaces/" + ring.Namespace + "/foos"
	positions := map[string]string{}
	open := func(id string) *websocket.Conn {
		t.Helper()
		query := "?watch=true&allowWatchBookmarks=true&resourceVersion=" + positions[id]
		connection, _, err := ring.Members[id].Raw(t, controlplane.Admin).Socket(t.Context(), path+query, "User-Agent: sockets")
		harness.Must(t, err)
		t.Cleanup(func() { connection.Close() })
		return connection
	}
	sockets := map[string]*websocket.Conn{}
	for _, id := range []string{"a", "b"} {
		list := harness.Must1(ring.Members[id].AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace).
			List(t.Context(), metav1.ListOptions{}))(t)
		positions[id] = list.GetResourceVersion()
		sockets[id] = open(id)
	}

	harness.Must(t, ring.SetShards(2))
	told := map[string][]message{}
	for id, socket := range sockets {
		if events := readMessages(t, socket); len(events) > 0 {
			t.Errorf("member %s: its watch ends for the move behind %v", id, events)
		}
		told[id] = readMove(t, open(id), map[string]int{"a": 0, "b": 1}[id])
	}
	ring.WaitActive("a", "b")

	ofB := ring.Members["b"].Seen(t)
	versions := map[string]string{}
	for _, foo := range ring.Foos() {
		versions[foo.GetName()] = foo.GetResourceVersion()
	}
	left, came := map[string]bool{}, map[string]bool{}
	for _, event := range told["a"] {
		left[event.Object.GetName()] = true
		if event.Type != "DELETED" || event.version() != positions["a"] {
			t.Errorf("told of what leaves: %s of %s at %s, not DELETED at %s", event.Type, event.Object.GetName(), event.version(), positions["a"])
		}
	}
	for i, event := range told["b"] {
		name := event.Object.GetName()
		if i == len(told["b"])-1 {
			if event.Type != "BOOKMARK" || event.version() != positions["b"] {
				t.Errorf("behind what comes: %s at %s, not a BOOKMARK at %s", event.Type, event.version(), positions["b"])
			}
			continue
		}
		came[name] = true
		if event.Type != "ADDED" || event.version() != versions[name] {
			t.Errorf("told of what comes: %s of %s at %s, not ADDED at %s", event.Type, name, event.version(), versions[name])
		}
	}
	if !maps.Equal(left, ofB) || !maps.Equal(came, ofB) {
		t.Errorf("%d were told to have left, %d to have come; %d moved", len(left), len(came), len(ofB))
	}
	for id, member := range ring.Members {
		checkNoRelists(t, id, member)
	}
}

// readMove reads the events of a move, with so many BOOKMARKs among them: the next one
// is the API server's own, by which the client has arrived.
func readMove(t *testing.T, connection *websocket.Conn, bookmarks int) (all []message) {
	t.Helper()
	harness.Must(t, connection.SetReadDeadline(time.Now().Add(harness.Patience)))
	for {
		_, data, err := connection.ReadMessage()
		harness.Must(t, err)
		m := message{Object: &unstructured.Unstructured{}}
		harness.Must(t, json.Unmarshal(data, &m))
		if m.Type == "BOOKMARK" {
			if bookmarks--; bookmarks < 0 {
				return all
			}
		}
		all = append(all, m)
	}
}

// What watchers by WebSocket hold is what the API server has of the shard, whatever
// becomes of it; they list once.
func TestWebSocketWatchesHoldWhatTheAPIServerHasOfTheShard(t *testing.T) {
	ring := harness.NewRing(t, "socketed", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(40)
	random := rand.New(rand.NewPCG(5, 6))
	churn(t, ring, random, 40)
	var all []*observed
	for _, id := range []string{"a", "b"} {
		all = append(all, startSockets(t, ring.Members[id])...)
	}
	compare(t, ring, all, "at first")
	for _, shards := range []int{1, 2} {
		harness.Must(t, ring.SetShards(shards))
		churn(t, ring, random, 30)
		waitShards(t, ring, shards)
		compare(t, ring, all, fmt.Sprintf("with %d shards", shards))
	}
	for _, o := range all {
		o.checkRules(t)
		if r := o.watcher.(*recorder); r.relists != 1 {
			t.Errorf("%s has listed %d times", o.name, r.relists)
		}
	}
}

// fabric8's client for Java watches by WebSocket, unless that is refused; what an
// informer of it holds is what the API server has of the shard, whatever becomes of it.
func TestFabric8WatchesByWebSocket(t *testing.T) {
	ring := harness.NewRing(t, "fabric", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	a := ring.Members["a"]
	kubeconfig := harness.Must1(a.Kubeconfig(rig.ControllerUser("a")))(t)
	of := frameworks.Resource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Kind: "Foo", Plural: "foos"}
	w := harness.Must1(frameworks.StartWatcher("java", kubeconfig, t.TempDir(), of))(t)
	t.Cleanup(func() { w.Process.Stop(time.Second) })
	all := []*observed{{watcher: program{w}, name: "fabric8's informer", member: a, resource: rig.Foos, text: uidAndVersion}}
	opened := func() int { return strings.Count(w.Process.Output(), "WebSocket successfully opened") }
	compare(t, ring, all, "at first")
	random := rand.New(rand.NewPCG(7, 8))
	for _, shards := range []int{1, 2} {
		before := opened()
		if before == 0 {
			t.Fatalf("it watches without a WebSocket: %s", w.Process.Tail(20))
		}
		harness.Must(t, ring.SetShards(shards))
		waitShards(t, ring, shards)
		churn(t, ring, random, 20)
		compare(t, ring, all, fmt.Sprintf("with %d shards", shards))
		a.WaitMoved()
		if opened() == before {
			t.Errorf("it came back from a move without a WebSocket: %s", w.Process.Tail(20))
		}
	}
	checkNoRelists(t, "a", a)
}

// waitShards waits until so many members, whichever they are, are active.
func waitShards(t *testing.T, ring *harness.Ring, shards int) {
	t.Helper()
	var active []string
	harness.Eventually(t, fmt.Sprintf("%d members are active", shards), func(ctx context.Context) error {
		active = nil
		for id, member := range ring.Members {
			if status, err := member.Status(ctx); err == nil && status.State == "active" {
				active = append(active, id)
			}
		}
		if len(active) != shards {
			return errors.New(strings.Join(active, ", "))
		}
		return nil
	})
	slices.Sort(active)
	ring.WaitActive(active...)
}

// startSockets starts recorders that watch by WebSocket behind a member.
func startSockets(t *testing.T, member *harness.Member) []*observed {
	t.Helper()
	var all []*observed
	for path, resource := range map[string]string{foosPath + "/foos?": "Foos", deploymentsPath + "?": "Deployments"} {
		r := &recorder{
			raw: member.Raw(t, rig.ControllerUser(member.ID)), path: path, label: member.Ring.Label(),
			agent: "socket", manner: manner{bookmarks: true, socket: true},
		}
		o := &observed{
			name: fmt.Sprintf("the WebSocket watcher of %s of member %s", resource, member.ID), member: member,
			resource: rig.Foos, watcher: r,
		}
		if resource == "Deployments" {
			o.resource = rig.Deployments
		}
		all = append(all, o)
		go r.run(t.Context())
	}
	return all
}
