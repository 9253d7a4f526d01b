package controllers

import (
	"fmt"
	"strings"
	"testing"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// witness reads the audit log: who wrote what.
type witness struct {
	t      *testing.T
	ring   *harness.Ring
	reader *controlplane.AuditReader
}

func newWitness(t *testing.T, ring *harness.Ring) *witness {
	t.Helper()
	w := &witness{t, ring, harness.Cluster().NewAuditReader()}
	harness.Must(t, w.reader.Skip())
	return w
}

// writes are the writes to objects of the ring's namespace that reached the API
// server since the last call.
func (w *witness) writes(resource string) []controlplane.Event {
	w.t.Helper()
	var writes []controlplane.Event
	for _, event := range harness.Must1(w.reader.Next())(w.t) {
		if event.IsWrite() && event.Object.Resource == resource && event.Object.Namespace == w.ring.Namespace {
			writes = append(writes, event)
		}
	}
	return writes
}

// owners tells, for each Foo by name, the user of the controller whose member
// owns it now.
func (w *witness) owners() map[string]string {
	w.t.Helper()
	assignment := harness.Must1(w.ring.Assignment(w.t.Context()))(w.t)
	owners := map[string]string{}
	for _, foo := range w.ring.Foos() {
		owners[foo.GetName()] = rig.ControllerUser(w.ring.OwnerOf(assignment, &foo))
	}
	return owners
}

// checkCreators checks that controllers created each Foo's Deployment once, and
// that it was the owner's controller.
func (w *witness) checkCreators() {
	w.t.Helper()
	owners := w.owners()
	creators := map[string][]string{}
	for _, event := range w.writes("deployments") {
		if event.Verb == "create" {
			creators[event.Object.Name] = append(creators[event.Object.Name], event.User.Name)
		}
	}
	var wrong []string
	for foo, owner := range owners {
		if len(creators[foo]) != 1 || creators[foo][0] != owner {
			wrong = append(wrong, fmt.Sprintf("%s by %q, not by %s", foo, creators[foo], owner))
		}
	}
	failIfAny(w.t, wrong, "of %d Deployments were not created once by the owner's controller", len(owners))
}

// failIfAny fails the test with a few examples of what is wrong.
func failIfAny(t *testing.T, wrong []string, format string, values ...any) {
	t.Helper()
	if len(wrong) > 0 {
		t.Errorf("%d %s, such as %s", len(wrong), fmt.Sprintf(format, values...),
			strings.Join(wrong[:min(3, len(wrong))], "; "))
	}
}

// checkReconciled changes every Foo and waits until its controller has done what
// the change asks for; it must be the controller of its owner.
func (w *witness) checkReconciled(replicas int) {
	w.t.Helper()
	w.t.Logf("all Foos shall have %d replicas", replicas)
	harness.Must(w.t, w.reader.Skip())
	setReplicas(w.t, w.ring, replicas)
	owners := w.owners()
	for _, event := range w.writes("deployments") {
		// The coordinator's as well: Deployments have their labels from birth.
		if owner := owners[event.Object.Name]; event.User.Name != owner {
			w.t.Errorf("the owner's controller is %s, but: %v", owner, &event)
		}
	}
}

// checkShares checks that each Foo is shown by exactly one of the members.
func checkShares(t *testing.T, ring *harness.Ring, ids ...string) map[string]int {
	t.Helper()
	shownBy := map[string][]string{}
	counts := map[string]int{}
	for _, id := range ids {
		for name := range ring.Members[id].Seen(t) {
			shownBy[name] = append(shownBy[name], id)
			counts[id]++
		}
	}
	foos := ring.Foos()
	var wrong []string
	for _, foo := range foos {
		if by := shownBy[foo.GetName()]; len(by) != 1 {
			wrong = append(wrong, fmt.Sprintf("%s by %q", foo.GetName(), by))
		}
	}
	failIfAny(t, wrong, "of %d Foos are shown by none or by several", len(foos))
	return counts
}
