package controllers

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func withSilence(r *rig.Ring) { r.Extra = "controller: {silence: 4s}\n" }

// waitSilent waits until the member says so of its controller, and the others have its
// buckets.
func waitSilent(t *testing.T, ring *harness.Ring, id, complaint string, others ...string) {
	t.Helper()
	harness.Within(t, time.Minute, "the controller behind "+id+" is found silent", func(ctx context.Context) error {
		status, err := ring.Members[id].Status(ctx)
		if err == nil && !strings.Contains(status.Controller, complaint) {
			err = fmt.Errorf("it is %s", status.Controller)
		}
		return err
	})
	ring.WaitActive(others...)
	ring.Members[id].WaitState("standby")
}

// A controller without work is left alone, however long. One that is killed beside its
// proxy loses its buckets, and gets some again when it is back.
func TestAControllerThatIsGoneLosesItsBuckets(t *testing.T) {
	ring, witness := startRing(t, "gone", 20, withSilence, "a", "b", "c")
	log := newLog(t, ring)
	versions := len(log.Versions)
	began := time.Now()
	harness.Eventually(t, "the controllers have idled for long", func(context.Context) error {
		if idle := time.Since(began); idle < 3*4*time.Second {
			return fmt.Errorf("for %s", idle)
		}
		return nil
	})
	if log.read(); len(log.Versions) != versions {
		t.Errorf("beside idle controllers there were %d assignments", len(log.Versions)-versions)
	}

	b := ring.Members["b"]
	b.Controller.Kill()
	killed := time.Now()
	waitSilent(t, ring, "b", "is gone", "a", "c")
	t.Logf("the others had its buckets after %.1f s", time.Since(killed).Seconds())
	createMore(t, ring, 10)
	ring.WaitDeployments(time.Minute)
	checkShares(t, ring, "a", "c")
	witness.checkReconciled(2)

	ring.StartControllers("b")
	ring.WaitActive("a", "b", "c")
	checkShares(t, ring, "a", "b", "c")
	witness.checkReconciled(3)
}

// A controller that is stopped keeps its connections, and its kernel takes what there is
// room for: then bytes wait.
func TestAControllerThatIsStoppedLosesItsBuckets(t *testing.T) {
	ring, witness := startRing(t, "stopped", 20, withSilence, "a", "b", "c")
	b := ring.Members["b"]
	b.Controller.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	fill(t, ring, "b")
	waitSilent(t, ring, "b", "does not take", "a", "c")
	t.Logf("the others had its buckets after %.1f s", time.Since(stopped).Seconds())
	createMore(t, ring, 10)
	ring.WaitDeployments(time.Minute)

	b.Controller.Signal(syscall.SIGCONT)
	ring.WaitActive("a", "b", "c")
	checkShares(t, ring, "a", "b", "c")
	witness.checkReconciled(3)
}

// A controller that never came, and one that is stopped and has nothing to read, to write
// or to renew, show by their health URL alone that they do nothing.
func TestAControllerThatIsNotWellLosesItsBuckets(t *testing.T) {
	ring := harness.NewRing(t, "unwell", 2, func(r *rig.Ring) {
		r.Resources = rig.DeploymentResources
		r.Extra = "controller: {silence: 5s}\n"
	})
	ids := []string{"a", "b"}
	rbac := builtinRBAC
	ports := map[string]int{}
	for _, id := range ids {
		rbac += binding("ringside-builtin", rig.MemberUser(id)) + binding("cluster-admin", rig.ControllerUser(id))
		ports[id] = harness.Must1(controlplane.FreePort())(t)
		// Its certificate is one that it signs itself.
		url := fmt.Sprintf("RINGSIDE_CONTROLLER_HEALTH=https://127.0.0.1:%d/healthz", ports[id])
		ring.StartWith(id, rig.MemberOptions{Env: []string{url}})
	}
	harness.Must(t, harness.Cluster().Apply(t.Context(), rbac))
	start := func(id string) {
		kubeconfig := harness.Must1(ring.Members[id].Kubeconfig(rig.ControllerUser(id)))(t)
		ring.Members[id].Controller = harness.Must1(harness.Cluster().StartControllerManager("unwell-"+id, kubeconfig,
			"deployment-controller", fmt.Sprintf("--secure-port=%d", ports[id]), "--bind-address=127.0.0.1",
			"--cert-dir="+t.TempDir()))(t)
	}
	ring.WaitActive(ids...)

	start("a")
	waitSilent(t, ring, "b", "health URL", "a")
	start("b")
	ring.WaitActive(ids...)

	ring.Members["b"].Controller.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	waitSilent(t, ring, "b", "health URL", "a")
	t.Logf("the other one had its buckets after %.1f s", time.Since(stopped).Seconds())
	ring.Members["b"].Controller.Signal(syscall.SIGCONT)
	ring.WaitActive(ids...)
}

// fill changes a Foo of the member until what its controller is to be told of it is more
// than its kernel has room for.
func fill(t *testing.T, ring *harness.Ring, id string) {
	t.Helper()
	foo := ring.FooOf(id)
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	for i := range 60 {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"fill":"%d%s"}}}`, i, strings.Repeat("x", 200_000))
		harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	}
	patch := []byte(`{"metadata":{"annotations":{"fill":null}}}`)
	harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
}
