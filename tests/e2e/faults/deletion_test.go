package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

var things = schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "things"}

const thingCRD = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

const thingRBAC = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: things}
rules:
- {apiGroups: [example.com], resources: [things], verbs: [get, list, watch, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: things}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: things}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}]
`

// checkThings creates Things, in all versions of their API, past the member and through
// it, and waits until the member shows them all, in each version.
func checkThings(t *testing.T, ring *harness.Ring, round string, count int) {
	t.Helper()
	versions := []schema.GroupVersionResource{things, things.GroupResource().WithVersion("v1beta1")}
	clients := []*rig.Clients{harness.Cluster().Clients, ring.Members["a"].AsAdmin()}
	for i := range count {
		version := versions[i/2%2]
		thing := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": version.GroupVersion().String(), "kind": "Thing",
			"metadata": map[string]any{"name": fmt.Sprintf("%s-%d", round, i)},
		}}
		harness.Eventually(t, "a Thing is created", func(ctx context.Context) error {
			_, err := clients[i%2].Dynamic.Resource(version).Namespace(ring.Namespace).Create(ctx, thing, metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
	}
	for _, version := range versions {
		harness.Eventually(t, "the member shows the Things", func(ctx context.Context) error {
			list, err := clients[1].Dynamic.Resource(version).Namespace(ring.Namespace).List(ctx, metav1.ListOptions{})
			if err == nil && len(list.Items) != count {
				err = fmt.Errorf("%d of %d", len(list.Items), count)
			}
			return err
		})
	}
}

// The type may come after the ring, go, and come back.
func TestACRDThatComesLateAndIsRecreated(t *testing.T) {
	cluster := harness.Cluster()
	harness.Must(t, cluster.Apply(t.Context(), thingRBAC))
	ring := harness.NewRing(t, "crd", 1, func(r *rig.Ring) {
		r.Resources = "\n  - {group: example.com, resource: things}\n"
	})
	ring.Start("a")
	waitLog(t, ring.Members["a"], "things.example.com")
	harness.Must(t, cluster.Apply(t.Context(), thingCRD))
	ring.WaitActive("a")
	checkThings(t, ring, "first", 4)

	kubeconfig := harness.Must1(cluster.API.Kubeconfig(controlplane.Admin))(t)
	harness.Must1(cluster.Kubectl(t.Context(), kubeconfig, "delete", "crd", "things.example.com", "--timeout=30s"))(t)
	harness.Must(t, cluster.Apply(t.Context(), thingCRD))
	checkThings(t, ring, "second", 4)
	ring.WaitActive("a")
}

// The namespace of the objects goes, or that of the ring itself with its Leases
// and its assignment. Made again, both are served without a restart.
func TestANamespaceThatIsDeleted(t *testing.T) {
	cluster := harness.Cluster()
	kubeconfig := harness.Must1(cluster.API.Kubeconfig(controlplane.Admin))(t)
	manager := harness.Must1(cluster.StartControllerManager("namespaces", kubeconfig, "namespace-controller"))(t)
	t.Cleanup(manager.Kill)
	ring := harness.NewRing(t, "doomed", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)

	namespaces := cluster.Kube.CoreV1().Namespaces()
	harness.Must(t, namespaces.Delete(t.Context(), ring.Namespace, metav1.DeleteOptions{}))
	harness.Eventually(t, "the namespace is gone", func(ctx context.Context) error {
		_, err := namespaces.Get(ctx, ring.Namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is still there"), err)
	})
	harness.Must(t, ring.Prepare(t.Context()))
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	seen := map[string]int{}
	for _, member := range ring.Members {
		for name := range member.Seen(t) {
			seen[name]++
		}
	}
	for _, foo := range ring.Foos() {
		if seen[foo.GetName()] != 1 {
			t.Errorf("%s is shown by %d members", foo.GetName(), seen[foo.GetName()])
		}
	}
}
