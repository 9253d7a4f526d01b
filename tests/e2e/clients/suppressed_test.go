package clients

import (
	"context"
	"errors"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// checkSuppressed checks, at a quiet point, those that are told nothing of what moves
// away: nobody was told that an object is gone that exists, and all are told of one that
// is deleted.
func checkSuppressed(t *testing.T, ring *harness.Ring, all []*observed) {
	t.Helper()
	all = slices.DeleteFunc(slices.Clone(all), func(o *observed) bool {
		return releases[o.member.ID] != "suppress"
	})
	for _, o := range all {
		// Who selects by itself is told of what leaves its own selection.
		if r, isRecorder := o.watcher.(*recorder); isRecorder && o.match == nil {
			exists := map[types.UID]string{}
			for _, object := range harness.Must1(o.direct(t.Context()))(t) {
				exists[object.GetUID()] = object.GetName()
			}
			for _, uid := range r.takeDeleted() {
				if name := exists[uid]; name != "" {
					harness.Errorf(t, "%s: was told DELETED of %s, which exists", o.name, name)
				}
			}
		}
	}
	for _, o := range all[:1] {
		foo := ring.FooOf(o.member.ID)
		foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
		harness.Must(t, foos.Delete(t.Context(), foo.GetName(), metav1.DeleteOptions{}))
		for _, o := range all {
			harness.Eventually(t, o.name+" is told that a Foo was deleted", func(context.Context) error {
				if _, isHeld := o.held(t)[key(foo)]; isHeld && o.resource == rig.Foos {
					return errors.New("it is not")
				}
				return nil
			})
		}
	}
}

func (r *recorder) takeDeleted() []types.UID {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	deleted := r.deleted
	r.deleted = nil
	return deleted
}
