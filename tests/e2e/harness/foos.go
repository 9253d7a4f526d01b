package harness

import (
	"context"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/e2e/rig"
)

// CreateFoos creates Foos in the ring's namespace as the administrator, directly,
// and waits until they are labelled.
func (r *Ring) CreateFoos(count int) []unstructured.Unstructured {
	r.t.Helper()
	Must(r.t, rig.CreateFoos(r.t.Context(), cluster.Dynamic, r.Namespace, count))
	return r.WaitLabelled(count)
}

// WaitLabelled waits until there are count Foos and all bear a bucket.
func (r *Ring) WaitLabelled(count int) []unstructured.Unstructured {
	r.t.Helper()
	var foos []unstructured.Unstructured
	Eventually(r.t, "all Foos are labelled", func(ctx context.Context) error {
		foos = r.Foos()
		if len(foos) != count {
			return fmt.Errorf("%d Foos exist, not %d", len(foos), count)
		}
		for _, foo := range foos {
			if foo.GetLabels()[r.Label()] == "" {
				return fmt.Errorf("%s is not labelled", foo.GetName())
			}
		}
		return nil
	})
	return foos
}

// WaitDeploymentsLabelled waits until count Deployments of the ring bear a bucket.
func (r *Ring) WaitDeploymentsLabelled(count int) {
	r.t.Helper()
	Eventually(r.t, "the Deployments are labelled", func(ctx context.Context) error {
		list, err := cluster.Kube.AppsV1().Deployments(r.Namespace).
			List(ctx, metav1.ListOptions{LabelSelector: r.Label()})
		if err == nil && len(list.Items) != count {
			err = fmt.Errorf("%d are, not %d", len(list.Items), count)
		}
		return err
	})
}

// Foos are the ring's Foos as the API server has them.
func (r *Ring) Foos() []unstructured.Unstructured {
	r.t.Helper()
	list := Must1(cluster.Dynamic.Resource(rig.Foos).Namespace(r.Namespace).
		List(r.t.Context(), metav1.ListOptions{}))(r.t)
	return list.Items
}

// OwnerOf is the id of the member that owns the object's bucket.
func (r *Ring) OwnerOf(assignment *rig.Assignment, object metav1.Object) string {
	for bucket := range assignment.Owner {
		if object.GetLabels()[r.Label()] == fmt.Sprint(bucket) {
			return assignment.OwnerID(bucket)
		}
	}
	return ""
}

// FooOf finds a Foo that the member of that id owns.
func (r *Ring) FooOf(id string) *unstructured.Unstructured {
	r.t.Helper()
	assignment := Must1(r.Assignment(r.t.Context()))(r.t)
	for _, foo := range r.Foos() {
		if r.OwnerOf(assignment, &foo) == id {
			return &foo
		}
	}
	r.t.Fatalf("%s owns none of the Foos", id)
	return nil
}

// WaitDeployments waits until every Foo of the ring has its Deployment.
func (r *Ring) WaitDeployments(within time.Duration) {
	r.t.Helper()
	Within(r.t, within, "every Foo has its Deployment", func(ctx context.Context) error {
		deployments, err := cluster.Kube.AppsV1().Deployments(r.Namespace).
			List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		owners := map[string]bool{}
		for _, deployment := range deployments.Items {
			for _, owner := range deployment.OwnerReferences {
				owners[owner.Name] = true
			}
		}
		for _, foo := range r.Foos() {
			if !owners[foo.GetName()] {
				return fmt.Errorf("%s has none; %d Deployments exist",
					foo.GetName(), len(deployments.Items))
			}
		}
		return nil
	})
}

// Seen are the names of the Foos that a LIST through the member shows.
func (m *Member) Seen(t testing.TB) map[string]bool {
	t.Helper()
	list := Must1(m.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(m.Ring.Namespace).
		List(t.Context(), metav1.ListOptions{}))(t)
	seen := map[string]bool{}
	for _, foo := range list.Items {
		seen[foo.GetName()] = true
	}
	return seen
}
