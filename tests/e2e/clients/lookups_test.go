package clients

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Writes about what the member knows already cost no request: what a controller has
// made or changed through it, and what belongs to that.
func TestKnownWritesCostNoLookUp(t *testing.T) {
	ring := harness.NewRing(t, "lookups", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	member := ring.Members["a"]
	clients := member.AsAdmin()
	foos := clients.Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	deployments := clients.Kube.AppsV1().Deployments(ring.Namespace)
	audit := newAudit(t)

	foo := harness.Must1(foos.Create(t.Context(), rig.NewFoo(ring.Namespace, "known"), metav1.CreateOptions{}))(t)
	child := harness.Must1(deployments.Create(t.Context(), rig.NewDeployment(ring.Namespace, "known", foo), metav1.CreateOptions{}))(t)
	for i := range 5 {
		harness.Must(t, unstructured.SetNestedField(foo.Object, int64(i+1), "spec", "replicas"))
		foo = harness.Must1(foos.Update(t.Context(), foo, metav1.UpdateOptions{}))(t)
		harness.Must(t, unstructured.SetNestedField(foo.Object, int64(i+1), "status", "availableReplicas"))
		foo = harness.Must1(foos.UpdateStatus(t.Context(), foo, metav1.UpdateOptions{}))(t)
		child.Spec.Replicas = new(int32)
		child = harness.Must1(deployments.Update(t.Context(), child, metav1.UpdateOptions{}))(t)
		child.Status.ObservedGeneration = int64(i)
		child = harness.Must1(deployments.UpdateStatus(t.Context(), child, metav1.UpdateOptions{}))(t)
	}
	for _, event := range audit() {
		if event.User.Name == rig.MemberUser("a") && event.Verb == "get" && event.Object.Namespace == ring.Namespace &&
			(event.Object.Resource == "foos" || event.Object.Resource == "deployments") {
			t.Errorf("looked up: %v", &event)
		}
	}

	// What another client has made is looked up once.
	direct := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	harness.Must1(direct.Create(t.Context(), rig.NewFoo(ring.Namespace, "new"), metav1.CreateOptions{}))(t)
	ring.WaitLabelled(2)
	fetched := lookUps(member, `result="fetched",reason="new"`)
	for range 3 {
		foo := harness.Must1(foos.Get(t.Context(), "new", metav1.GetOptions{}))(t)
		harness.Must1(foos.UpdateStatus(t.Context(), foo, metav1.UpdateOptions{}))(t)
	}
	if n := lookUps(member, `result="fetched",reason="new"`) - fetched; n != 1 {
		t.Errorf("%d look-ups of an object that was not known, not one", n)
	}
}

func lookUps(member *harness.Member, of string) int {
	return member.Metric("ringside_locate_total{" + of + "}")
}
