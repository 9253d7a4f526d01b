package faults

import (
	"context"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func createFoos(t *testing.T, ring *harness.Ring, count int) error {
	return rig.CreateFoos(t.Context(), harness.Cluster().Dynamic, ring.Namespace, count)
}

// createMore creates Foos with names of their own.
func createMore(t *testing.T, ring *harness.Ring, count int) error {
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	for i := range count {
		foo := rig.NewFoo(ring.Namespace, fmt.Sprintf("more-%d", i))
		if _, err := foos.Create(t.Context(), foo, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func fooPath(ring *harness.Ring, i int) string {
	return fmt.Sprintf("/apis/samplecontroller.k8s.io/v1alpha1/namespaces/%s/foos/%s", ring.Namespace, rig.FooName(i))
}

// waitAll lists through a member, from the API server's cache, until it shows all
// Foos of the ring.
func waitAll(t *testing.T, ring *harness.Ring, member *harness.Member) (items []unstructured.Unstructured, err error) {
	foos := member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	all := len(ring.Foos())
	err = rig.Wait(t.Context(), harness.Patience, func(ctx context.Context) error {
		list, err := foos.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
		if err != nil {
			return err
		}
		if items = list.Items; len(items) != all {
			return fmt.Errorf("%d Foos of %d", len(items), all)
		}
		return nil
	})
	return items, err
}
