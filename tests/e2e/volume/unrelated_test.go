package volume

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The members' rights for ConfigMaps, beside those of deploy/rbac.yaml.
const configMapRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-configmaps}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ringside-configmaps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ringside-configmaps}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}]
`

// crowd is a lot of ConfigMaps that are none of the ring's: most have no owner, or
// one of another kind; each tenth names a Foo that is gone.
type crowd struct {
	t         *testing.T
	ring      *harness.Ring
	namespace string
	count     int
}

// Ten thousand objects of an owned type that belong to nobody change all the
// time: nobody writes to them, whom they name is looked up once, what the member
// remembers of them is bounded, and what is the ring's gets its label as fast.
func TestUnrelatedObjectsOfAnOwnedType(t *testing.T) {
	harness.Must(t, harness.Cluster().Apply(t.Context(), configMapRights))
	ring := harness.NewRing(t, "unrelated", 1, func(r *rig.Ring) {
		r.Resources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns: [{resource: configmaps}]
`
	})
	ring.KeepObjects = true // the cluster ends with this package
	c := &crowd{t, ring, "crowd", 10000}
	harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), c.namespace))
	c.create()
	reader := harness.Cluster().NewAuditReader()
	harness.Must(t, reader.Skip())
	ring.Start("a")
	ring.WaitActiveWithin(2*time.Minute, "a")
	member := ring.Members["a"]

	before := c.measure(member)
	slowest := c.changeAndLabel()
	after := c.measure(member)
	events := after.unrelated - before.unrelated
	t.Logf("%d events of unrelated objects cost the member %s: %s each; it holds %d KiB, before that %d",
		events, after.cpu-before.cpu, (after.cpu-before.cpu)/time.Duration(max(events, 1)), after.rss, before.rss)
	t.Logf("meanwhile the slowest label of what is the ring's took %s", slowest)
	// The API server compacts its watch's events only when it falls behind.
	if events < c.count/2 {
		t.Errorf("%d events of unrelated objects were counted, and %d changed", events, c.count)
	}
	// The address sanitizer keeps up to 256 MiB that were freed.
	if after.rss > before.rss+(256+32)*1024 {
		t.Errorf("it held %d KiB and now holds %d", before.rss, after.rss)
	}
	lookups := 0
	for _, event := range harness.Must1(reader.Next())(t) {
		if event.User.Name != rig.MemberUser("a") {
			continue
		}
		if event.IsWrite() && event.Object.Namespace == c.namespace {
			t.Fatalf("the member wrote to what is not the ring's: %v", &event)
		}
		if event.Verb == "get" && event.Object.Resource == "foos" {
			lookups++
		}
	}
	// Once each, and for each child; one more where the first came to nothing.
	if want := c.count / 10; lookups < want || lookups > want+200 {
		t.Errorf("%d owners were looked up, not about %d", lookups, want)
	}
}

func (c *crowd) create() {
	c.t.Helper()
	maps := harness.Cluster().Kube.CoreV1().ConfigMaps(c.namespace)
	harness.Must(c.t, rig.InParallel(c.t.Context(), c.count, func(ctx context.Context, i int) error {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("unrelated-%05d", i)}}
		reference := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "n", UID: "n"}
		if i%10 == 0 {
			reference.APIVersion, reference.Kind = rig.Foos.GroupVersion().String(), "Foo"
			reference.Name, reference.UID = rig.FooName(i), types.UID(strconv.Itoa(i))
		}
		if i%3 > 0 || i%10 == 0 {
			object.OwnerReferences = []metav1.OwnerReference{reference}
		}
		_, err := maps.Create(ctx, object, metav1.CreateOptions{})
		return err
	}))
}

// change changes each of them once.
func (c *crowd) change(round int) error {
	maps := harness.Cluster().Kube.CoreV1().ConfigMaps(c.namespace)
	patch := fmt.Appendf(nil, `{"data":{"round":"%d"}}`, round)
	return rig.InParallel(c.t.Context(), c.count, func(ctx context.Context, i int) error {
		_, err := maps.Patch(ctx, fmt.Sprintf("unrelated-%05d", i), types.MergePatchType, patch, metav1.PatchOptions{})
		return err
	})
}

// changeAndLabel changes all, and makes Foos with children meanwhile. It tells
// how long the slowest of these waited for its label.
func (c *crowd) changeAndLabel() time.Duration {
	c.t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.change(2) }()
	var slowest time.Duration
	for i := 0; ; i++ {
		slowest = max(slowest, c.label(i))
		select {
		case err := <-done:
			harness.Must(c.t, err)
			return slowest
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *crowd) label(i int) time.Duration {
	c.t.Helper()
	cluster, ctx := harness.Cluster(), c.t.Context()
	foo := harness.Must1(cluster.Dynamic.Resource(rig.Foos).Namespace(c.ring.Namespace).
		Create(ctx, rig.NewFoo(c.ring.Namespace, fmt.Sprintf("related-%d", i)), metav1.CreateOptions{}))(c.t)
	maps := cluster.Kube.CoreV1().ConfigMaps(c.ring.Namespace)
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: foo.GetName(),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(foo, rig.Foos.GroupVersion().WithKind("Foo"))}}}
	harness.Must1(maps.Create(ctx, child, metav1.CreateOptions{}))(c.t)
	started := time.Now()
	harness.Eventually(c.t, "what is the ring's is labelled", func(ctx context.Context) error {
		now, err := maps.Get(ctx, child.Name, metav1.GetOptions{})
		if err == nil && now.Labels[c.ring.Label()] == "" {
			err = fmt.Errorf("%s is not", child.Name)
		}
		return err
	})
	return time.Since(started)
}

// measure waits until the member has seen all changes, and tells what it has cost.
func (c *crowd) measure(member *harness.Member) (now struct {
	unrelated, rss int
	cpu            time.Duration
}) {
	c.t.Helper()
	for last := -1; last != now.unrelated; {
		last = now.unrelated
		time.Sleep(time.Second)
		now.unrelated = member.Metric("ringside_unrelated_objects_total")
	}
	proc := fmt.Sprintf("/proc/%d/", member.Process.Pid())
	status := string(harness.Must1(os.ReadFile(proc + "status"))(c.t))
	_, rest, _ := strings.Cut(status, "VmRSS:")
	now.rss = harness.Must1(strconv.Atoi(strings.Fields(rest)[0]))(c.t)
	stat := strings.Fields(string(harness.Must1(os.ReadFile(proc + "stat"))(c.t)))
	for _, ticks := range stat[13:15] { // utime, stime: hundredths of a second
		now.cpu += time.Duration(harness.Must1(strconv.Atoi(ticks))(c.t)) * 10 * time.Millisecond
	}
	return now
}
