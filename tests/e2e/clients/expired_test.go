package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The invariant never_410_over_http: on a WATCH, loss of position is told as HTTP
// 200 with one ERROR event that holds a Status 410 Expired. Three client libraries
// loop or die on an HTTP 410.
func TestNever410OverHTTP(t *testing.T) {
	server := harness.Must1(harness.Cluster().StartAPIServer(t.Context()))(t)
	t.Cleanup(server.Kill)
	ring := harness.NewRing(t, "expired", 2, nil)
	ring.StartWith("a", rig.MemberOptions{Upstream: server})
	ring.StartWith("b", rig.MemberOptions{})
	ring.WaitActive("a", "b")
	ring.CreateFoos(10)
	createChild(t, ring, ring.FooOf("a"))
	a := ring.Members["a"]

	t.Run("a position of a view that is not known any more", func(t *testing.T) {
		old := positions(t, a)
		next := secondPage(t, a)
		ring.Members["b"].Terminate()
		ring.WaitActive("a") // the view has changed: old positions are below its floor
		a.Terminate()
		a.Restart() // and who was shown what is forgotten
		ring.WaitActive("a")
		checkExpired(t, a, old)
		// On a LIST, HTTP 410 is the API's own habit.
		a.Raw(t, controlplane.Admin).Get(next).
			CheckStatus(t, harness.JSON, http.StatusGone, metav1.StatusReasonExpired)
	})
	t.Run("a position that the API server has forgotten", func(t *testing.T) {
		old := positions(t, a)
		for _, foo := range ring.Foos() { // so that there is something to forget
			object := foo.DeepCopy()
			object.SetAnnotations(map[string]string{"changed": "yes"})
			foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
			harness.Must1(foos.Update(t.Context(), object, metav1.UpdateOptions{}))(t)
		}
		next := secondPage(t, a)
		forgetEverything(t, server)
		ring.WaitActive("a")
		checkExpired(t, a, old)
		a.Raw(t, controlplane.Admin).Get(next).
			CheckStatus(t, harness.JSON, http.StatusGone, metav1.StatusReasonExpired)
	})
}

// secondPage is the path of the second page of a LIST of Foos.
func secondPage(t *testing.T, member *harness.Member) string {
	t.Helper()
	path := foosPath + "/foos?limit=2"
	answer := member.Raw(t, controlplane.Admin).Get(path)
	var page metav1.PartialObjectMetadataList
	decodeJSON(t, answer.Data, &page)
	if page.Continue == "" {
		t.Fatalf("no continue token: %s", answer.Data)
	}
	return path + "&continue=" + page.Continue
}

// forgetEverything restarts an API server after etcd was compacted: it knows no
// past, neither its own nor etcd's.
func forgetEverything(t *testing.T, server *controlplane.APIServer) {
	t.Helper()
	cluster, ctx := harness.Cluster(), t.Context()
	harness.Must1(cluster.Kube.CoreV1().Namespaces().
		Update(ctx, touched(t, "default"), metav1.UpdateOptions{}))(t)
	server.Kill()
	revision := harness.Must1(cluster.Revision(ctx))(t)
	harness.Must(t, cluster.Compact(ctx, revision))
	harness.Must(t, server.Start(ctx))
}

// positions are the resourceVersions of lists of both resources at this moment.
func positions(t *testing.T, member *harness.Member) map[string]string {
	t.Helper()
	clients := member.AsAdmin()
	foos := harness.Must1(clients.Dynamic.Resource(rig.Foos).List(t.Context(), metav1.ListOptions{}))(t)
	deployments := harness.Must1(clients.Kube.AppsV1().Deployments("").List(t.Context(), metav1.ListOptions{}))(t)
	return map[string]string{"foos": foos.GetResourceVersion(), "deployments": deployments.ResourceVersion}
}

// checkExpired watches from old positions: Foos in JSON, Deployments in protobuf
// through client-go, and both in JSON by hand, to see the bytes.
func checkExpired(t *testing.T, member *harness.Member, old map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	clients := member.AsAdmin()
	from := func(resource string) metav1.ListOptions {
		return metav1.ListOptions{ResourceVersion: old[resource], AllowWatchBookmarks: true}
	}
	foos := harness.Must1(clients.Dynamic.Resource(rig.Foos).Watch(ctx, from("foos")))(t)
	checkExpiredEvent(t, "Foos in JSON", foos)
	deployments := harness.Must1(clients.Kube.AppsV1().Deployments("").Watch(ctx, from("deployments")))(t)
	checkExpiredEvent(t, "Deployments in protobuf", deployments)

	raw := member.Raw(t, controlplane.Admin)
	for resource, path := range map[string]string{"foos": foosPath + "/foos", "deployments": "/apis/apps/v1/deployments"} {
		answer := raw.Get(path + "?watch=true&resourceVersion=" + old[resource])
		text := strings.TrimSpace(string(answer.Data))
		if answer.StatusCode != http.StatusOK || strings.Contains(text, "\n") {
			t.Errorf("%s: %s, %q: not HTTP 200 with one event", resource, answer.Response.Status, text)
		}
		var event struct {
			Type   string
			Object metav1.Status
		}
		decodeJSON(t, answer.Data, &event)
		if event.Type != "ERROR" || event.Object.Code != http.StatusGone || event.Object.Kind != "Status" {
			t.Errorf("%s: the event is %s", resource, text)
		}
	}
}

func checkExpiredEvent(t *testing.T, what string, w watch.Interface) {
	t.Helper()
	defer w.Stop()
	event, isOpen := <-w.ResultChan()
	if !isOpen {
		t.Fatalf("%s: the watch ended without an event", what)
	}
	if err := apierrors.FromObject(event.Object); event.Type != watch.Error || !apierrors.IsResourceExpired(err) {
		t.Fatalf("%s: the first event is %s: %v", what, event.Type, err)
	}
	if _, isOpen := <-w.ResultChan(); isOpen {
		t.Errorf("%s: more than one event", what)
	}
}

// A client may ask to watch from a version that does not exist yet. That is no
// loss of position, and must not become one.
func TestAWatchFromTheFutureIsAnsweredAsByTheAPIServer(t *testing.T) {
	ring := harness.NewRing(t, "future", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	revision := harness.Must1(harness.Cluster().Revision(t.Context()))(t)
	future := strconv.FormatInt(revision+1000000, 10)
	path := foosPath + "/foos?watch=true&timeoutSeconds=1&resourceVersion=" + future
	direct := harness.Direct(t, controlplane.Admin).Get(path)
	proxied := ring.Members["a"].Raw(t, controlplane.Admin).Get(path)
	if direct.StatusCode != proxied.StatusCode {
		t.Errorf("directly %s, through the proxy %s", direct.Response.Status, proxied.Response.Status)
	}
	if err := sameEventTypes(direct.Data, proxied.Data); err != nil {
		t.Error(err)
	}
}

func sameEventTypes(direct, proxied []byte) error {
	isError := func(data []byte) bool { return strings.Contains(string(data), `"type":"ERROR"`) }
	if isError(direct) != isError(proxied) {
		return errors.Join(fmt.Errorf("directly: %s", direct), fmt.Errorf("through the proxy: %s", proxied))
	}
	return nil
}
