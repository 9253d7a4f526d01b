package clients

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const foosPath = "/apis/samplecontroller.k8s.io/v1alpha1"

// The invariant fail_closed: a member that cannot prove that it owns a bucket
// forwards no write for it, and data that could not be filtered is not forwarded.
func TestFailClosed(t *testing.T) {
	t.Run("a write to another member's object is a conflict", testForeignWrite)
	t.Run("a delete of a collection spares other members' objects", testDeleteCollection)
	t.Run("a request that cannot be narrowed is refused", testUnnarrowable)
	t.Run("an upgrade is no way around", testUpgrade)
	t.Run("a member without a right to its Lease serves nothing sharded", testNeverReady)
	t.Run("an outage of the API server is told, ends writes, and heals", testOutage)
	t.Run("a stopped member writes nothing when it goes on", testStopped)
}

func testDeleteCollection(t *testing.T) {
	ring := harness.NewRing(t, "deletemany", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(40)
	ofB := ring.Members["b"].Seen(t)

	foos := ring.Members["a"].AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	harness.Must(t, foos.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	left := ring.Foos()
	for _, foo := range left {
		if !ofB[foo.GetName()] {
			t.Errorf("%s is left", foo.GetName())
		}
	}
	if len(left) != len(ofB) {
		t.Errorf("%d of the %d Foos of the other member are left", len(left), len(ofB))
	}
}

func testUnnarrowable(t *testing.T) {
	ring := harness.NewRing(t, "narrow", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	foreign := ring.FooOf("b").GetName()
	owned := ring.FooOf("a").GetName()
	raw := ring.Members["a"].Raw(t, controlplane.Admin)

	answer := raw.Get(foosPath + "/foos")
	if text := string(answer.Data); !strings.Contains(text, owned) || strings.Contains(text, foreign) {
		t.Fatalf("a plain LIST is not narrowed: %s", text)
	}
	everything := url.QueryEscape(ring.Label())
	for _, query := range []string{
		"labelSelector=x%20in%20(",
		"labelSelector=%zz",
		"labelSelector=a%00b",
	} {
		answer := raw.Get(foosPath + "/foos?" + query)
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, answer.Response.Status)
			continue
		}
		answer.CheckStatus(t, harness.JSON, http.StatusBadRequest, metav1.StatusReasonBadRequest)
	}
	// Whatever the answer to these is, it holds no object of another member.
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	for _, path := range []string{
		foosPath + "/foos?labelSelector=" + everything,
		// The first of several counts for the API server, and so for us.
		foosPath + "/foos?labelSelector=" + everything + "&labelSelector=" + everything,
		foosPath + "/foos?labelSelector=" + everything + "&labelSelector=none",
		foosPath + "/foos?labelSelector=%21none%2C" + everything,
		foosPath + "/foos?limit=5",
		foosPath + "/foos?watch=0", foosPath + "/foos?watch=false",
		foosPath + "/foos?LabelSelector=x",
		foosPath + "/foos?;labelSelector=x",
		foosPath + "/foos/", foosPath + "//foos", foosPath + "/./foos", foosPath + "/x/../foos",
		foosPath + "/%66oos", foosPath + "/foos%3Flimit=1", foosPath + "/foos#x",
		foosPath + "/namespaces/" + ring.Namespace + "/foos/",
		foosPath + "/namespaces//foos",
		foosPath + "/namespaces/" + ring.Namespace + "/foos?fieldSelector=metadata.name%3D" + foreign,
		foosPath + "/watch/foos?timeoutSeconds=1",
		foosPath + "/watch/namespaces/" + ring.Namespace + "/foos?timeoutSeconds=1",
		foosPath + "/foos?watch=1&timeoutSeconds=1", foosPath + "/foos?watch=true&timeoutSeconds=1",
		foosPath + "/foos?watch&timeoutSeconds=1", foosPath + "/foos?watch=TRUE&timeoutSeconds=1",
		foosPath + "/foos?watch=yes&timeoutSeconds=1",
		foosPath + "/foos?watch=true&watch=false&timeoutSeconds=1",
	} {
		response, err := ring.Members["a"].RawHTTP1(t, controlplane.Admin).Try(ctx, http.MethodGet, path, "")
		if err != nil {
			t.Logf("%s: %v", path, err)
			continue
		}
		text := harness.ReadAll(t, response)
		t.Logf("%s: %s, %d bytes", path, response.Status, len(text))
		if strings.Contains(text, `"`+foreign+`"`) && response.StatusCode == http.StatusOK {
			t.Errorf("%s shows %s, which belongs to another member", path, foreign)
		}
	}
}

// What is tunnelled is neither narrowed nor fenced as a whole: nothing is that has
// another way.
func testUpgrade(t *testing.T) {
	ring := harness.NewRing(t, "upgrade", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	a, ofB := ring.Members["a"], ring.Members["b"].Seen(t)
	raw := a.RawHTTP1(t, controlplane.Admin)
	foos := foosPath + "/namespaces/" + ring.Namespace + "/foos"
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()

	for _, path := range []string{foos + "?watch=true&timeoutSeconds=1", foosPath + "/watch/namespaces/" + ring.Namespace + "/foos?timeoutSeconds=1"} {
		connection, _, err := raw.Socket(ctx, path)
		harness.Must(t, err)
		defer connection.Close()
		seen := map[string]bool{}
		for _, message := range readMessages(t, connection) {
			seen[message.Object.GetName()] = true
			if ofB[message.Object.GetName()] {
				t.Errorf("%s shows %s, which belongs to another member", path, message.Object.GetName())
			}
		}
		if len(seen)+len(ofB) != 20 {
			t.Errorf("%s shows %d of the %d Foos of its member", path, len(seen), 20-len(ofB))
		}
	}
	for _, protocol := range []string{"websocket", "SPDY/3.1"} {
		upgrade := []string{"Connection: Upgrade", "Upgrade: " + protocol, "Origin: http://localhost",
			"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="}
		answer := raw.Do(http.MethodGet, foos, "", upgrade...)
		for name := range ofB {
			if answer.StatusCode != http.StatusOK || strings.Contains(string(answer.Data), `"`+name+`"`) {
				t.Errorf("a LIST with an upgrade to %s, answered %d, shows %s, which belongs to another member", protocol, answer.StatusCode, name)
			}
			answer := raw.Do(http.MethodDelete, foos+"/"+name, "", upgrade...)
			if answer.StatusCode != http.StatusConflict {
				t.Errorf("a DELETE of another member's object, with an upgrade to %s, is answered %d", protocol, answer.StatusCode)
			}
		}
		raw.Do(http.MethodDelete, foos, "", upgrade...)
		if left := ring.Foos(); len(left) != len(ofB) {
			t.Errorf("%d of the %d Foos of the other member are left by a DELETE of all with an upgrade to %s", len(left), len(ofB), protocol)
		}
	}
}

func testNeverReady(t *testing.T) {
	ring := harness.NewRing(t, "unready", 1, func(r *rig.Ring) { r.Extra = "hold: 1s\n" })
	kubeconfig := harness.Must1(harness.Cluster().API.Kubeconfig(rig.Nobody))(t)
	ring.StartWith("a", rig.MemberOptions{Flags: []string{"--kubeconfig", kubeconfig}})
	member := ring.Members["a"]
	member.WaitHealthy()
	audit := newAudit(t)
	if err := member.Ready(t.Context()); err == nil {
		t.Error("it says that it is ready")
	}

	raw := member.Raw(t, controlplane.Admin)
	for _, path := range []string{"/foos", "/foos?watch=true"} {
		for _, accept := range []string{harness.JSON, harness.Protobuf} {
			answer := raw.Do(http.MethodGet, foosPath+path, "", "Accept: "+accept)
			answer.CheckStatus(t, accept, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable)
			if answer.Header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", path)
			}
		}
	}
	path := foosPath + "/namespaces/" + ring.Namespace + "/foos"
	answer := raw.Do(http.MethodPost, path, string(harness.Must1(rig.NewFoo(ring.Namespace, "x").MarshalJSON())(t)),
		"Content-Type: "+harness.JSON)
	if answer.StatusCode < 400 {
		t.Errorf("a create was answered %s", answer.Response.Status)
	}
	for _, event := range audit() {
		if event.Object.Resource == "foos" && event.User.Name == controlplane.Admin {
			t.Errorf("the member forwarded: %v", &event)
		}
	}
	// What is not sharded goes through all the same.
	if answer := raw.Get("/api/v1/namespaces"); answer.StatusCode != http.StatusOK {
		t.Errorf("namespaces: %s", answer.Response.Status)
	}
}

func testOutage(t *testing.T) {
	ctx := t.Context()
	server := harness.Must1(harness.Cluster().StartAPIServer(ctx))(t)
	t.Cleanup(server.Kill)
	ring := harness.NewRing(t, "outage", 1, nil)
	member := ring.StartWith("a", rig.MemberOptions{Upstream: server})
	ring.WaitActive("a")
	ring.CreateFoos(5)
	before := harness.Must1(ring.Assignment(ctx))(t)

	server.Kill()
	raw := member.Raw(t, controlplane.Admin)
	for _, accept := range []string{harness.JSON, harness.Protobuf} {
		answer := raw.Do(http.MethodGet, "/api/v1/namespaces", "", "Accept: "+accept)
		answer.CheckStatus(t, accept, http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable)
		if answer.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	member.WaitState("right-lost")
	path := fmt.Sprintf("%s/namespaces/%s/foos/%s", foosPath, ring.Namespace, rig.FooName(0))
	if answer := raw.Do(http.MethodDelete, path, ""); answer.StatusCode < 400 {
		t.Errorf("a delete was answered %s", answer.Response.Status)
	}

	harness.Must(t, server.Start(ctx))
	ring.WaitActive("a")
	if answer := raw.Get("/api/v1/namespaces"); answer.StatusCode != http.StatusOK {
		t.Errorf("after the outage: %s", answer.Response.Status)
	}
	if seen := member.Seen(t); len(seen) != 5 {
		t.Errorf("after the outage the member shows %d Foos of 5", len(seen))
	}
	after := harness.Must1(ring.Assignment(ctx))(t)
	if after.Epoch != before.Epoch {
		t.Errorf("the outage has moved buckets: epoch %s, then %s", before.Epoch, after.Epoch)
	}
}

// testStopped stops a member (SIGSTOP) under a stream of writes until its buckets
// are somebody else's, and lets it go on.
func testStopped(t *testing.T) {
	ring := harness.NewRing(t, "stopped", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	audit := newAudit(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := ring.Members["a"]
	writeAll(ctx, t, ring, a)
	waitEvent(t, "the member writes", audit, isWriteOf(ring, "writer-a"))

	a.Process.Signal(19) // SIGSTOP
	ring.WaitActive("b")
	writeAll(ctx, t, ring, ring.Members["b"])
	events := waitEvent(t, "the other member writes", audit, isWriteOf(ring, "writer-b"))
	a.Process.Signal(18) // SIGCONT
	ring.WaitActive("a", "b")
	events = append(events, waitEvent(t, "the member writes again", audit, isWriteOf(ring, "writer-a"))...)

	sealed, rejoined := sealAndReturn(t, ring, events)
	for _, event := range events {
		if isWriteOf(ring, "writer-a")(&event) && event.Received.After(sealed) && event.Received.Before(rejoined) {
			t.Fatalf("its Lease was sealed at %s, and yet: %v", sealed.Format(time.StampMilli), &event)
		}
	}
}

// writeAll patches all Foos of the ring through a member, over and over, as the
// user agent "writer-<id>". What is refused is tried again in the next round.
func writeAll(ctx context.Context, t *testing.T, ring *harness.Ring, member *harness.Member) {
	t.Helper()
	agent := "writer-" + member.ID
	for i, foo := range ring.Foos() {
		path := fmt.Sprintf("%s/namespaces/%s/foos/%s", foosPath, ring.Namespace, foo.GetName())
		raw := member.RawHTTP1(t, controlplane.Admin)
		go func() {
			for round := i; ctx.Err() == nil; round++ {
				body := fmt.Sprintf(`{"spec":{"replicas":%d}}`, 1+round%10)
				response, err := raw.Try(ctx, http.MethodPatch, path, body,
					"Content-Type: application/merge-patch+json", "User-Agent: "+agent)
				if err == nil {
					response.Body.Close()
				}
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		}()
	}
}

func isWriteOf(ring *harness.Ring, agent string) func(*controlplane.Event) bool {
	return func(event *controlplane.Event) bool {
		return event.IsWrite() && event.UserAgent == agent && event.Object.Namespace == ring.Namespace
	}
}

// waitEvent reads the audit log until an event matches, and gives all it read.
func waitEvent(t *testing.T, what string, audit func() []controlplane.Event,
	matches func(*controlplane.Event) bool) []controlplane.Event {
	t.Helper()
	var events []controlplane.Event
	harness.Eventually(t, what, func(context.Context) error {
		more := audit()
		events = append(events, more...)
		for i := range more {
			if matches(&more[i]) {
				return nil
			}
		}
		return fmt.Errorf("no such request in the audit log")
	})
	return events
}

// sealAndReturn finds in the audit log when the other member sealed the Lease of
// member a, and when an assignment gave buckets to a again.
func sealAndReturn(t *testing.T, ring *harness.Ring, events []controlplane.Event) (sealed, rejoined time.Time) {
	t.Helper()
	for _, event := range events {
		if sealed.IsZero() && event.IsWrite() && event.Object.Resource == "leases" &&
			event.Key() == ring.Namespace+"/"+ring.Name+".a" && event.User.Name == rig.MemberUser("b") {
			sealed = event.At
		}
	}
	publications := harness.Must1(ring.Publications(events))(t)
	for _, publication := range publications {
		if publication.After.After(sealed) && publication.Count("a") > 0 && rejoined.IsZero() {
			rejoined = publication.After
		}
	}
	if sealed.IsZero() || rejoined.IsZero() {
		t.Fatalf("the audit log shows no seal (%v) or no return (%v)", sealed, rejoined)
	}
	return sealed, rejoined
}
