package releases

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/frameworks"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const kopfResources = `
  - group: samplecontroller.k8s.io
    resource: foos
    onRelease: marked
    relist: nodiff
    refuse: notFound
    owns:
      - {group: "", resource: configmaps, onRelease: marked, relist: nodiff}
`

// What the ring needs besides, and what its operator may do.
const kopfRBAC = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-kopf}
rules:
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kopf-operator}
rules:
- {apiGroups: [samplecontroller.k8s.io], resources: [foos], verbs: [get, list, watch, patch]}
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, create, patch]}
- {apiGroups: [""], resources: [events], verbs: [create]}
- {apiGroups: [""], resources: [namespaces], verbs: [get, list, watch]}
- {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], verbs: [get, list, watch]}
`

func binding(role, user string) string {
	return fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s-%[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, role, user)
}

// kopfRing is a ring with a kopf operator behind each member.
type kopfRing struct {
	*harness.Ring
	t         *testing.T
	operators map[string]*operator
	audit     *controlplane.AuditReader
	told      []said // that nobody has asked for yet
}

// operator is one replica; its output is what its handlers and daemons print.
type operator struct {
	*process.Process
	read int // of the output, by next
}

// next are the lines that it has printed since the last call, without the operator's
// own log: "tick foo-00003".
func (o *operator) next() []string {
	output := o.Output()
	fresh := output[o.read:]
	fresh = fresh[:strings.LastIndexByte(fresh, '\n')+1]
	o.read += len(fresh)
	var lines []string
	for line := range strings.Lines(fresh) {
		if words := strings.Fields(line); len(words) == 2 && strings.HasPrefix(words[1], "foo-") {
			lines = append(lines, words[0]+" "+words[1])
		}
	}
	return lines
}

func startKopf(t *testing.T, name, resources string, ids ...string) *kopfRing {
	t.Helper()
	cluster := harness.Cluster()
	rbac := kopfRBAC
	for _, id := range ids {
		rbac += binding("ringside-kopf", rig.MemberUser(id)) + binding("kopf-operator", rig.ControllerUser(id))
	}
	harness.Must(t, cluster.Apply(t.Context(), rbac))
	ring := &kopfRing{
		Ring:      harness.NewRing(t, name, 2, func(r *rig.Ring) { r.Resources = resources }),
		t:         t,
		operators: map[string]*operator{},
		audit:     cluster.NewAuditReader(),
	}
	ring.Start(ids[:2]...)
	ring.WaitActive(ids[:2]...)
	ring.Start(ids[2:]...)
	harness.Must(t, ring.audit.Skip())
	for _, id := range ids {
		member := ring.Members[id]
		kubeconfig := harness.Must1(member.Kubeconfig(rig.ControllerUser(id)))(t)
		dir := filepath.Join(cluster.Dir, "kopf-"+name+"-"+id)
		member.Controller = harness.Must1(frameworks.StartKopf(kubeconfig, dir, ring.Namespace))(t)
		ring.operators[id] = &operator{Process: member.Controller}
	}
	return ring
}

// ticks is how often a daemon must have ticked where it should, and nowhere else in
// the meantime.
const ticks = 5

// waitTicks waits until each Foo's daemon ticks at its owner and nowhere else.
func (r *kopfRing) waitTicks(when string) {
	r.t.Helper()
	assignment := harness.Must1(r.Assignment(r.t.Context()))(r.t)
	owner := map[string]string{}
	for _, foo := range r.Foos() {
		owner[foo.GetName()] = r.OwnerOf(assignment, &foo)
	}
	counts := map[string]int{}
	harness.Eventually(r.t, "each daemon runs at its object's owner alone, "+when, func(context.Context) error {
		var strays error
		for _, tick := range r.hear("tick") {
			counts[tick.foo]++
			if tick.id != owner[tick.foo] {
				strays = errors.Join(strays, fmt.Errorf("%s is %s's, and ticks at %s", tick.foo, owner[tick.foo], tick.id))
				counts[tick.foo] = -100
			}
		}
		for foo := range counts {
			counts[foo] = max(counts[foo], 0)
		}
		for foo, id := range owner {
			if counts[foo] < ticks && strays == nil {
				return fmt.Errorf("%s has ticked %d times at %s", foo, counts[foo], id)
			}
		}
		return strays
	})
}

// said is a line that an operator has printed of a Foo.
type said struct{ id, word, foo string }

// hear reads what the operators have printed: those lines that are of the word; the
// others are kept in r.told.
func (r *kopfRing) hear(word string) []said {
	var heard []said
	for id, o := range r.operators {
		for _, line := range o.next() {
			what, foo, _ := strings.Cut(line, " ")
			if what == word {
				heard = append(heard, said{id, what, foo})
			} else {
				r.told = append(r.told, said{id, what, foo})
			}
		}
	}
	return heard
}

// takeCalls are the operators that have called each Foo's handler since the last time.
func (r *kopfRing) takeCalls(word string, foos int) map[string][]string {
	r.t.Helper()
	var others []said
	calls := map[string][]string{}
	r.hear("tick")
	for _, told := range r.told {
		if told.word == word {
			calls[told.foo] = append(calls[told.foo], told.id)
		} else {
			others = append(others, told)
		}
	}
	r.told = others
	if len(calls) != foos {
		r.t.Errorf("on.%s was called for %d Foos, not %d", word, len(calls), foos)
	}
	return calls
}

// checkCalledOnce checks that each Foo's handler was called once.
func (r *kopfRing) checkCalledOnce(word string, foos int) {
	r.t.Helper()
	for foo, ids := range r.takeCalls(word, foos) {
		if len(ids) != 1 {
			r.t.Errorf("on.%s of %s was called by %v", word, foo, ids)
		}
	}
}

// checkWriters checks by the audit log that nobody but an object's owner wrote it or its
// ConfigMap since the last call, and that no ConfigMap was made twice.
func (r *kopfRing) checkWriters() {
	r.t.Helper()
	assignment := harness.Must1(r.Assignment(r.t.Context()))(r.t)
	owner := map[string]string{}
	for _, foo := range r.Foos() {
		user := rig.ControllerUser(r.OwnerOf(assignment, &foo))
		owner["foos/"+foo.GetName()] = user
		owner["configmaps/"+foo.GetName()+"-child"] = user
	}
	writes := map[string]int{}
	for _, event := range harness.Must1(r.audit.Next())(r.t) {
		name := event.Object.Resource + "/" + event.Object.Name
		if !event.IsWrite() || event.Object.Namespace != r.Namespace || owner[name] == "" ||
			!strings.HasPrefix(event.User.Name, "controller-") {
			continue
		}
		writes[event.User.Name]++
		if event.User.Name != owner[name] {
			r.t.Errorf("the owner's operator is %q, but: %v", owner[name], &event)
		}
	}
	r.t.Logf("writes by writer: %v", writes)
}

func (r *kopfRing) waitChildren(foos, replicas int) {
	r.t.Helper()
	harness.Within(r.t, time.Minute, fmt.Sprintf("every Foo's ConfigMap says %d", replicas), func(ctx context.Context) error {
		for i := range foos {
			name := rig.FooName(i) + "-child"
			child, err := harness.Cluster().Kube.CoreV1().ConfigMaps(r.Namespace).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if child.Data["replicas"] != fmt.Sprint(replicas) {
				return fmt.Errorf("%s says %s", name, child.Data["replicas"])
			}
		}
		return nil
	})
}

// scale changes every Foo, as its user does.
func (r *kopfRing) scale(foos, replicas int) {
	r.t.Helper()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(r.Namespace)
	for i := range foos {
		harness.Must1(client.Patch(r.t.Context(), rig.FooName(i), types.MergePatchType, patch, metav1.PatchOptions{}))(r.t)
	}
}

// An unmodified kopf operator runs three times. A Foo that moves has its daemon at its
// owner alone, before and after; its handlers are called once; no move is a deletion,
// and deletions are.
func TestKopfDaemonsFollowTheirObjects(t *testing.T) {
	const foos = 12
	ring := startKopf(t, "kopf", kopfResources, "a", "b", "c")
	ring.CreateFoos(foos)
	ring.waitChildren(foos, 1)
	ring.waitTicks("at first")
	ring.checkCalledOnce("create", foos)
	for i, shards := range []int{3, 2, 3} {
		harness.Must(t, ring.SetShards(shards))
		ring.WaitActive([]string{"a", "b", "c"}[:shards]...)
		ring.waitTicks(fmt.Sprintf("with %d shards", shards))
		harness.Must(t, ring.audit.Skip())
		ring.scale(foos, 2+i)
		ring.waitChildren(foos, 2+i)
		ring.checkWriters()
		ring.checkCalledOnce("update", foos)
	}
	for _, told := range ring.told {
		if told.word != "stop" {
			t.Errorf("an operator has said: %v", told)
		}
	}
	ring.told = nil
	ring.deleteFoos()
	// kopf calls it again while the daemon stops.
	for foo, ids := range ring.takeCalls("delete", foos) {
		if len(slices.Compact(ids)) != 1 {
			t.Errorf("on.delete of %s was called by %v", foo, ids)
		}
	}
}

// deleteFoos deletes all Foos and waits until they are gone: their finalizers are taken
// off by whoever owns them.
func (r *kopfRing) deleteFoos() {
	r.t.Helper()
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(r.Namespace)
	harness.Must(r.t, client.DeleteCollection(r.t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	harness.Within(r.t, time.Minute, "all Foos are gone", func(context.Context) error {
		if left := r.Foos(); len(left) > 0 {
			return fmt.Errorf("%d are left, the first with finalizers %v", len(left), left[0].GetFinalizers())
		}
		return nil
	})
}

// An operator stands still while objects move away, and comes back when the API server
// has forgotten where it stood. It must list anew, and kopf does not see by that what
// has left: it is told, and its daemons end.
func TestKopfDaemonsEndWhereAMoveIsForgotten(t *testing.T) {
	const foos = 12
	ring := startKopf(t, "forgotten", kopfResources, "a", "b", "c")
	ring.CreateFoos(foos)
	ring.waitTicks("at first")
	ring.operators["b"].Signal(syscall.SIGSTOP)
	harness.Must(t, ring.SetShards(3))
	ring.WaitActive("a", "b", "c")
	// Neither etcd nor the API server's cache knows the past any more.
	cluster := harness.Cluster()
	cluster.API.Kill()
	harness.Must(t, cluster.Compact(t.Context(), harness.Must1(cluster.Revision(t.Context()))(t)))
	harness.Must(t, cluster.API.Start(t.Context()))
	ring.WaitActiveWithin(time.Minute, "a", "b", "c")
	ring.operators["b"].Signal(syscall.SIGCONT)
	ring.waitTicks("after a list")
	if n := ring.Members["b"].Metric(`ringside_relists_total{reason="gone"}`); n == 0 {
		t.Error("nothing was told to list anew")
	}
	for _, told := range ring.told {
		if told.word == "delete" {
			t.Errorf("an operator has said: %v", told)
		}
	}
	ring.deleteFoos()
}
