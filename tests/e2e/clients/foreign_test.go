package clients

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func testForeignWrite(t *testing.T) {
	ring := harness.NewRing(t, "foreign", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	foo := ring.FooOf("b")
	deployment := createChild(t, ring, foo)
	audit := newAudit(t)

	a, b := ring.Members["a"], ring.Members["b"]
	writes := foreignWrites(t, a, foo, deployment.GetName())
	says := regexp.MustCompile(`owned by another member, b/\S+ \(ring foreign, member a, epoch \d+\)`)
	before := refusals(a, "foreign")
	for what, write := range writes {
		if err := write(); !apierrors.IsConflict(err) || !says.MatchString(err.Error()) {
			t.Errorf("%s through another member: %v, not a conflict", what, err)
		}
	}
	if n := refusals(a, "foreign") - before; n != len(writes) {
		t.Errorf("%d writes are counted as refused, not %d", n, len(writes))
	}
	checkConflictEncodings(t, a, foo)
	for _, event := range audit() {
		if event.Object.Namespace == ring.Namespace && event.User.Name == controlplane.Admin &&
			event.Verb != "get" && event.Verb != "list" && event.Verb != "watch" {
			t.Errorf("the member forwarded: %v", &event)
		}
	}

	writes = foreignWrites(t, b, foo, deployment.GetName())
	owners := []string{"merge patch", "JSON patch", "status update", "status patch", "child patch", "child scale", "child delete", "delete"}
	for _, what := range owners {
		if err := writes[what](); err != nil {
			t.Errorf("%s through the owner: %v", what, err)
		}
	}
	// The API server is told how long they may take.
	forwarded := 0
	for _, event := range audit() {
		if event.Object.Namespace != ring.Namespace || event.User.Name != controlplane.Admin || !event.IsWrite() {
			continue
		}
		forwarded++
		if !limited.MatchString(event.RequestURI) {
			t.Errorf("without a time limit: %s", event.RequestURI)
		}
	}
	if forwarded != len(owners) {
		t.Errorf("%d writes were forwarded, not %d", forwarded, len(owners))
	}
}

var limited = regexp.MustCompile(`[?&]timeout=\d+ms\b`)

// refusals is how many writes the member has refused for a reason.
func refusals(member *harness.Member, reason string) int {
	return member.Metric(fmt.Sprintf("ringside_writes_refused_total{reason=%q}", reason))
}

// newAudit gives what the audit log gained since the call before.
func newAudit(t *testing.T) func() []controlplane.Event {
	t.Helper()
	reader := harness.Cluster().NewAuditReader()
	harness.Must(t, reader.Skip())
	return func() []controlplane.Event {
		t.Helper()
		return harness.Must1(reader.Next())(t)
	}
}

func createChild(t *testing.T, ring *harness.Ring, foo *unstructured.Unstructured) metav1.Object {
	t.Helper()
	deployments := harness.Cluster().Kube.AppsV1().Deployments(ring.Namespace)
	child := rig.NewDeployment(ring.Namespace, foo.GetName(), foo)
	harness.Must1(deployments.Create(t.Context(), child, metav1.CreateOptions{}))(t)
	harness.Eventually(t, "the Foo's Deployment is labelled like the Foo", func(ctx context.Context) error {
		child, err := deployments.Get(ctx, foo.GetName(), metav1.GetOptions{})
		if err == nil && child.Labels[ring.Label()] != foo.GetLabels()[ring.Label()] {
			return fmt.Errorf("its labels are %v", child.Labels)
		}
		return err
	})
	return child
}

// foreignWrites are writes through a member to a Foo and its Deployment: JSON for
// Foos, protobuf for Deployments.
func foreignWrites(t *testing.T, member *harness.Member, foo *unstructured.Unstructured,
	child string) map[string]func() error {
	clients := member.AsAdmin()
	foos := clients.Dynamic.Resource(rig.Foos).Namespace(foo.GetNamespace())
	deployments := clients.Kube.AppsV1().Deployments(foo.GetNamespace())
	mergePatch := []byte(`{"spec":{"replicas":7}}`)
	current := func() *unstructured.Unstructured {
		return harness.Must1(foos.Get(t.Context(), foo.GetName(), metav1.GetOptions{}))(t)
	}
	return map[string]func() error{
		"merge patch": func() error {
			_, err := foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, mergePatch, metav1.PatchOptions{})
			return err
		},
		"update": func() error {
			_, err := foos.Update(t.Context(), current(), metav1.UpdateOptions{})
			return err
		},
		"update that claims another bucket": func() error {
			claim := current()
			claim.SetLabels(map[string]string{member.Ring.Label(): firstBucket(t, member)})
			_, err := foos.Update(t.Context(), claim, metav1.UpdateOptions{})
			return err
		},
		"status update": func() error {
			_, err := foos.UpdateStatus(t.Context(), current(), metav1.UpdateOptions{})
			return err
		},
		"apply": func() error {
			object := rig.NewFoo(foo.GetNamespace(), foo.GetName())
			_, err := foos.Apply(t.Context(), foo.GetName(), object,
				metav1.ApplyOptions{FieldManager: "e2e", Force: true})
			return err
		},
		"JSON patch": func() error {
			patch := []byte(`[{"op":"replace","path":"/spec/replicas","value":7}]`)
			_, err := foos.Patch(t.Context(), foo.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{})
			return err
		},
		"status patch": func() error {
			patch := []byte(`{"status":{"availableReplicas":7}}`)
			_, err := foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status")
			return err
		},
		"child create": func() error {
			object := rig.NewDeployment(foo.GetNamespace(), child+"-2", foo)
			_, err := deployments.Create(t.Context(), object, metav1.CreateOptions{})
			return err
		},
		"child create under a generated name": func() error {
			object := rig.NewDeployment(foo.GetNamespace(), "", foo)
			object.GenerateName = child + "-"
			_, err := deployments.Create(t.Context(), object, metav1.CreateOptions{})
			return err
		},
		"child scale": func() error {
			scale := harness.Must1(deployments.GetScale(t.Context(), child, metav1.GetOptions{}))(t)
			scale.Spec.Replicas = 3
			_, err := deployments.UpdateScale(t.Context(), child, scale, metav1.UpdateOptions{})
			return err
		},
		"child apply": func() error {
			object := applyappsv1.Deployment(child, foo.GetNamespace()).WithLabels(map[string]string{"a": "x"})
			_, err := deployments.Apply(t.Context(), object, metav1.ApplyOptions{FieldManager: "e2e", Force: true})
			return err
		},
		"child patch": func() error {
			_, err := deployments.Patch(t.Context(), child, types.StrategicMergePatchType, mergePatch, metav1.PatchOptions{})
			return err
		},
		"child update": func() error {
			object := harness.Must1(deployments.Get(t.Context(), child, metav1.GetOptions{}))(t)
			_, err := deployments.Update(t.Context(), object, metav1.UpdateOptions{})
			return err
		},
		"child delete": func() error {
			return deployments.Delete(t.Context(), child, metav1.DeleteOptions{})
		},
		"delete": func() error {
			return foos.Delete(t.Context(), foo.GetName(), metav1.DeleteOptions{})
		},
	}
}

func firstBucket(t *testing.T, member *harness.Member) string {
	t.Helper()
	owned := harness.Must1(member.WaitState("active").OwnedBuckets())(t)
	for bucket := range owned {
		return fmt.Sprint(bucket)
	}
	t.Fatalf("%s owns nothing", member.ID)
	return ""
}

func checkConflictEncodings(t *testing.T, member *harness.Member, foo *unstructured.Unstructured) {
	t.Helper()
	path := fmt.Sprintf("%s/namespaces/%s/foos/%s", foosPath, foo.GetNamespace(), foo.GetName())
	raws := map[string]*harness.Raw{
		"HTTP/2":   member.Raw(t, controlplane.Admin),
		"HTTP/1.1": member.RawHTTP1(t, controlplane.Admin),
		"http":     member.RawPlain(t, controlplane.Admin),
	}
	for name, raw := range raws {
		for _, accept := range []string{harness.JSON, harness.Protobuf} {
			answer := raw.Do(http.MethodPatch, path, `{"spec":{"replicas":7}}`,
				"Content-Type: application/merge-patch+json", "Accept: "+accept)
			t.Logf("%s, %s: %s", name, accept, answer.Response.Status)
			answer.CheckStatus(t, accept, http.StatusConflict, metav1.StatusReasonConflict)
		}
	}
}
