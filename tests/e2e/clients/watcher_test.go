package clients

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/harness"
)

// watcher holds what it was told by watches through one member: an informer, a
// recorder, or another program that prints what it holds.
type watcher interface {
	// held are the objects that it holds now: their text by "namespace/name".
	held(t *testing.T) map[string]string
	// isSynced says whether it has been told the state of things once.
	isSynced() bool
	// broken are the rules of a watch that what it was told has broken since the
	// last call; nil from one that does not look.
	broken() []string
}

// observed is a watcher behind a member and what it should hold.
type observed struct {
	watcher
	name     string
	member   *harness.Member
	resource schema.GroupVersionResource
	metadata bool                                  // holds PartialObjectMetadata
	match    func(*unstructured.Unstructured) bool // nil: it selects nothing itself
	// What it may hold and should not: what is not there any more, what is another's.
	keepsDeleted, keepsMoved bool
	// text is an object as `held` has it; nil: canonical. A program that prints
	// uid and version alone says so here.
	text func(object map[string]any) string
}

// startPrograms are further watchers of TestCoherentView: each starts programs
// behind a member, which end with the test.
var startPrograms []func(t *testing.T, ring *harness.Ring, member *harness.Member) []*observed

// informer is a watcher of client-go.
type informer struct{ cache.SharedIndexInformer }

func (i informer) isSynced() bool   { return i.HasSynced() }
func (i informer) broken() []string { return nil }

func (i informer) held(t *testing.T) map[string]string {
	t.Helper()
	held := map[string]string{}
	for _, item := range i.GetStore().List() {
		object := harness.Must1(meta.Accessor(item))(t)
		var generic map[string]any
		harness.Must(t, json.Unmarshal(harness.Must1(json.Marshal(item))(t), &generic))
		held[object.GetNamespace()+"/"+object.GetName()] = canonical(generic)
	}
	return held
}
