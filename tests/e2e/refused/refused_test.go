package refused

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/frameworks"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const (
	foos = 24
	// How long a controller works on a Foo: what it read may have moved meanwhile.
	takes = 250 * time.Millisecond
	// So many refusals each library has to get over.
	refusals = 12
)

const rbac = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: refused}
rules:
- {apiGroups: [""], resources: [configmaps, events], verbs: ["*"]}
- {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]}
- {apiGroups: [samplecontroller.k8s.io], resources: [foos, foos/status], verbs: ["*"]}
- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: refused}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: refused}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-b}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: controller-a}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: controller-b}
`

// Two members pass Foos to and fro, which change all the time, and their controllers
// are in the midst of work on them: what they write then is refused. None of them dies
// of it, and in the end each Foo is as its controller should have made it.
func TestControllersGetOverRefusals(t *testing.T) {
	harness.Must(t, harness.Cluster().Apply(t.Context(), rbac))
	for _, library := range frameworks.Mirrors {
		for _, refuse := range []string{"conflict", "notFound"} {
			t.Run(library+" "+refuse, func(t *testing.T) { testRefusals(t, library, refuse) })
		}
	}
}

// town is a ring with a controller behind each of its members.
type town struct {
	t           *testing.T
	ring        *harness.Ring
	controllers []*process.Process
}

func testRefusals(t *testing.T, library, refuse string) {
	town := &town{t: t}
	name := regexp.MustCompile("[^a-z]").ReplaceAllString(library+refuse, "")
	town.ring = harness.NewRing(t, name, 2, func(r *rig.Ring) {
		r.Resources = fmt.Sprintf(`
  - group: samplecontroller.k8s.io
    resource: foos
    refuse: %[1]s
    owns:
      - {group: "", resource: configmaps, refuse: %[1]s}
`, refuse)
	})
	town.ring.Start("a", "b")
	town.ring.WaitActive("a", "b")
	for _, id := range []string{"a", "b"} {
		town.startController(library, id)
	}
	town.ring.CreateFoos(foos)
	town.waitMirrored(1)

	ctx, stop := context.WithCancel(t.Context())
	var changes sync.WaitGroup
	changes.Go(func() { town.change(ctx) })
	began := time.Now()
	for town.refused() < refusals && time.Since(began) < 3*time.Minute {
		town.move()
	}
	stop()
	changes.Wait()
	if n := town.refused(); n < refusals {
		t.Errorf("%d writes were refused: that is too few to tell", n)
	}
	town.ask(10)
	town.waitMirrored(10)
	for id, member := range town.ring.Members {
		for name, n := range member.Metrics() {
			if strings.HasPrefix(name, "ringside_writes_refused_total{") && n > 0 {
				t.Logf("%s: %s %v", id, name, n)
			}
		}
	}
}

func (w *town) startController(library, id string) {
	w.t.Helper()
	kubeconfig := harness.Must1(w.ring.Members[id].Kubeconfig(rig.ControllerUser(id)))(w.t)
	log := filepath.Join(w.t.TempDir(), id+".log")
	p := harness.Must1(frameworks.StartMirror(library, library+" "+id, kubeconfig, log, takes))(w.t)
	w.controllers = append(w.controllers, p)
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("--- %s\n%s", p.Name, p.Tail(30))
		}
		p.Kill()
	})
}

// checkAlive fails if a controller has ended, whatever it ended of.
func (w *town) checkAlive() error {
	for _, p := range w.controllers {
		if !p.Running() {
			w.t.Fatalf("%s has ended: %v", p.Name, p.Err())
		}
	}
	return nil
}

// change changes one Foo after the other.
func (w *town) change(ctx context.Context) {
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(w.ring.Namespace)
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, n/foos%9+1)
		_, err := client.Patch(ctx, rig.FooName(n%foos), types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil && ctx.Err() == nil {
			w.t.Error(err)
		}
	}
}

// ask asks for so many replicas of each Foo.
func (w *town) ask(replicas int) {
	w.t.Helper()
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(w.ring.Namespace)
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	for i := range foos {
		harness.Must1(client.Patch(w.t.Context(), rig.FooName(i), types.MergePatchType, patch, metav1.PatchOptions{}))(w.t)
	}
}

// move lets one of the members stand by, and come back.
func (w *town) move() {
	w.t.Helper()
	harness.Must(w.t, w.ring.SetShards(1))
	harness.Eventually(w.t, "one member stands by", func(ctx context.Context) error {
		for _, m := range w.ring.Members {
			if status, err := m.Status(ctx); err != nil || status.State == "standby" {
				return err
			}
		}
		return errors.Join(errors.New("none does"), w.checkAlive())
	})
	harness.Must(w.t, w.ring.SetShards(2))
	w.ring.WaitActive("a", "b")
}

// refused counts writes that were refused: all are the controllers'.
func (w *town) refused() int {
	w.t.Helper()
	sum := 0.0
	for _, member := range w.ring.Members {
		sum += harness.Must1(member.Metrics().Sum("ringside_writes_refused_total"))(w.t)
	}
	return int(sum)
}

func (w *town) waitMirrored(replicas int) {
	w.t.Helper()
	what := fmt.Sprintf("the controllers have made what asks for %d replicas", replicas)
	// kopf lets an object rest that it could not write to: 1, 1, 2, 3, 5, 8, 13 s.
	harness.Within(w.t, 2*time.Minute, what, func(ctx context.Context) error {
		return errors.Join(w.checkAlive(), w.checkMirrored(ctx, replicas))
	})
}

func (w *town) checkMirrored(ctx context.Context, replicas int) error {
	cluster, all := harness.Cluster(), metav1.ListOptions{}
	list, err := cluster.Dynamic.Resource(rig.Foos).Namespace(w.ring.Namespace).List(ctx, all)
	if err != nil {
		return err
	}
	children, err := cluster.Kube.CoreV1().ConfigMaps(w.ring.Namespace).List(ctx, all)
	if err != nil {
		return err
	}
	says := map[string]string{}
	for _, child := range children.Items {
		if owner := child.OwnerReferences; len(owner) > 0 {
			says[child.Name+" "+string(owner[0].UID)] = child.Data["replicas"]
		}
	}
	for _, foo := range list.Items {
		status, _, _ := unstructured.NestedInt64(foo.Object, "status", "availableReplicas")
		child := says[foo.GetName()+" "+string(foo.GetUID())]
		if status != int64(replicas) || child != strconv.Itoa(replicas) {
			return fmt.Errorf("%s: its ConfigMap says %q, its status %d", foo.GetName(), child, status)
		}
	}
	return nil
}
