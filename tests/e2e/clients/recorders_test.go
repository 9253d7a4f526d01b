package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// deploymentsPath is the path of all Deployments.
const deploymentsPath = "/apis/apps/v1/deployments"

// What members tell of objects that leave, others than the API server does; the clients
// of one of them do not see by a list what has left.
var releases = map[string]string{"b": "marked", "c": "suppress"}

const noDiff = "b"

// startRecorders starts recorders of every kind behind a member.
func startRecorders(ctx context.Context, t *testing.T, member *harness.Member, seed uint64, calm *atomic.Bool) []*observed {
	ring := member.Ring
	named := rig.FooName(3)
	inNamespace := foosPath + "/namespaces/" + ring.Namespace + "/foos?"
	some := "app in (" + rig.FooName(1) + "," + rig.FooName(2) + "," + rig.FooName(5) + ")"
	isSome := func(object *unstructured.Unstructured) bool {
		app := object.GetLabels()["app"]
		return app == rig.FooName(1) || app == rig.FooName(2) || app == rig.FooName(5)
	}
	isNamed := func(object *unstructured.Unstructured) bool { return object.GetName() == named }
	isNoDiff := member.ID == noDiff
	kinds := []struct {
		name  string
		path  string
		match func(*unstructured.Unstructured) bool
		manner
	}{
		{name: "strict, of Foos", path: foosPath + "/foos?", manner: manner{bookmarks: true}},
		{name: "strict, of Deployments", path: deploymentsPath + "?", manner: manner{bookmarks: true}},
		{name: "without bookmarks, of Foos", path: foosPath + "/foos?pretty=true&"},
		{name: "that breaks off, of Foos", path: inNamespace, manner: manner{bookmarks: true, cuts: true}},
		{name: "that breaks off, of Deployments", path: deploymentsPath + "?x=1&", manner: manner{bookmarks: true, cuts: true}},
		{name: "that breaks off, without bookmarks", path: foosPath + "/foos?y=1&", manner: manner{cuts: true}},
		{name: "of one Foo", path: inNamespace + "fieldSelector=metadata.name%3D" + named + "&",
			match: isNamed, manner: manner{bookmarks: true}},
		{name: "of some Deployments", path: deploymentsPath + "?labelSelector=" + url.QueryEscape(some) + "&",
			match: isSome, manner: manner{bookmarks: true, cuts: true}},
		{name: "without a position, of Foos", path: foosPath + "/foos?z=1&", manner: manner{seeds: true}},
		{name: "without a position, of Deployments", path: deploymentsPath + "?z=1&", manner: manner{bookmarks: true, seeds: true}},
		// These two share all that tells one program's watch from another's.
		{name: "that hops, of Foos", path: foosPath + "/foos?h=1&", manner: manner{bookmarks: true, hops: true}},
		{name: "that hops like another one, of Foos", path: foosPath + "/foos?h=1&", manner: manner{bookmarks: true, hops: true}},
		{name: "that hops, of Deployments", path: deploymentsPath + "?h=1&", manner: manner{bookmarks: true, hops: true, lists: true}},
		{name: "that hops without bookmarks, of Deployments", path: deploymentsPath + "?h=2&", manner: manner{hops: true, lists: true}},
		{name: "that keeps, of Foos", path: foosPath + "/foos?k=1&", manner: manner{bookmarks: true, cuts: true, keeps: true}},
		{name: "that keeps, of Deployments", path: deploymentsPath + "?k=1&", manner: manner{keeps: true}},
		{name: "by WebSocket, of Foos", path: foosPath + "/foos?w=1&", manner: manner{bookmarks: true, socket: true}},
		{name: "by WebSocket that breaks off, of Deployments", path: deploymentsPath + "?w=1&", manner: manner{bookmarks: true, socket: true, cuts: true}},
	}
	var all []*observed
	for i, kind := range kinds {
		if kind.keeps && !isNoDiff {
			continue
		}
		r := &recorder{
			raw:      member.Raw(t, rig.ControllerUser(member.ID)),
			path:     kind.path,
			label:    ring.Label(),
			agent:    fmt.Sprintf("recorder-%d", i/2),
			manner:   kind.manner,
			release:  releases[member.ID],
			isNoDiff: isNoDiff,
			random:   rand.New(rand.NewPCG(seed, uint64(i))),
			calm:     calm,
		}
		resource := rig.Foos
		if kind.path[:len(deploymentsPath)] == deploymentsPath {
			resource = rig.Deployments
		}
		all = append(all, &observed{
			name:     fmt.Sprintf("the recorder %s of member %s", kind.name, member.ID),
			member:   member,
			resource: resource,
			watcher:  r,
			match:    kind.match,
			// What is deleted while it does not watch, it is not told of.
			keepsDeleted: kind.keeps,
		})
		go r.run(ctx)
	}
	return all
}
