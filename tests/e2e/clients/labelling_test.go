package clients

import (
	"context"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func TestLabelsAreMendedAndFollowTheOwner(t *testing.T) {
	cluster := harness.Cluster()
	ring := harness.NewRing(t, "mended", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	foos := cluster.Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	foo := ring.CreateFoos(1)[0]
	bucket := foo.GetLabels()[ring.Label()]

	for what, value := range map[string]string{
		"removed":  "null",
		"garbage":  `"garbage"`,
		"too high": `"256"`,
		"padded":   `"00"`,
	} {
		patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%s}}}`, ring.Label(), value)
		harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
		harness.Eventually(t, "a label that was "+what+" is mended", func(ctx context.Context) error {
			now, err := foos.Get(ctx, foo.GetName(), metav1.GetOptions{})
			if err == nil && now.GetLabels()[ring.Label()] != bucket {
				return fmt.Errorf("it is %q, not %q", now.GetLabels()[ring.Label()], bucket)
			}
			return err
		})
	}
	createChild(t, ring, &foo) // waits for the Foo's bucket on the child

	free := rig.NewDeployment(ring.Namespace, "free", nil)
	deployments := cluster.Kube.AppsV1().Deployments(ring.Namespace)
	harness.Must1(deployments.Create(t.Context(), free, metav1.CreateOptions{}))(t)
	for id, member := range ring.Members {
		list := harness.Must1(member.AsAdmin().Kube.AppsV1().Deployments(ring.Namespace).
			List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=free"}))(t)
		if len(list.Items) != 1 {
			t.Errorf("%s does not show a Deployment that belongs to nobody", id)
		}
	}
	// It stays so: a Foo that is created later is labelled by then, and the free
	// Deployment is not.
	harness.Must1(foos.Create(t.Context(), rig.NewFoo(ring.Namespace, "later"), metav1.CreateOptions{}))(t)
	ring.WaitLabelled(2)
	now := harness.Must1(deployments.Get(t.Context(), "free", metav1.GetOptions{}))(t)
	if label, isLabelled := now.Labels[ring.Label()]; isLabelled {
		t.Errorf("a Deployment that belongs to nobody was labelled %q", label)
	}
}

// A valid label is the truth, whoever wrote it: it moves that object.
func TestAValidLabelOfAnOutsiderMovesTheObject(t *testing.T) {
	ring := harness.NewRing(t, "outsider", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(8)
	foo := ring.FooOf("a")
	bucket := firstBucket(t, ring.Members["b"])
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, ring.Label(), bucket)
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)

	if ring.Members["a"].Seen(t)[foo.GetName()] || !ring.Members["b"].Seen(t)[foo.GetName()] {
		t.Error("it is not shown by its new member alone")
	}
	// And it stays so: what its controller writes keeps the label.
	through := ring.Members["b"].AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	again := rig.NewFoo(ring.Namespace, foo.GetName())
	again.SetResourceVersion(harness.Must1(foos.Get(t.Context(), foo.GetName(), metav1.GetOptions{}))(t).GetResourceVersion())
	now := harness.Must1(through.Update(t.Context(), again, metav1.UpdateOptions{}))(t)
	if label := now.GetLabels()[ring.Label()]; label != bucket {
		t.Errorf("its bucket is %q, not %s", label, bucket)
	}
	harness.Eventually(t, "the former member refuses to write to it", func(ctx context.Context) error {
		former := ring.Members["a"].AsAdmin().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
		_, err := former.Patch(ctx, foo.GetName(), types.MergePatchType, []byte(`{"spec":{"replicas":7}}`), metav1.PatchOptions{})
		if !apierrors.IsConflict(err) {
			return fmt.Errorf("%v, not a conflict", err)
		}
		return nil
	})
}
