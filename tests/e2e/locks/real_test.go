package locks

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Deployments and their ReplicaSets, by an unmodified kube-controller-manager that
// elects a leader.
const builtinResources = `
  - group: apps
    resource: deployments
    owns:
      - {group: apps, resource: replicasets}
`

// The user of replicas that run without Ringside.
var replicaUser = rig.ControllerUser("f")

func builtinRBAC(ids ...string) string {
	all := `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-builtin}
rules:
- {apiGroups: [apps], resources: [deployments, replicasets], verbs: [get, list, watch, patch]}
`
	bind := func(role, user string) {
		all += fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s-%[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, role, user)
	}
	for _, id := range ids {
		bind("ringside-builtin", rig.MemberUser(id))
		bind("cluster-admin", rig.ControllerUser(id))
	}
	bind("cluster-admin", replicaUser)
	return all
}

// startManager runs a kube-controller-manager that elects a leader by the lock.
func startManager(t *testing.T, ring *harness.Ring, name, kubeconfig string) *process.Process {
	t.Helper()
	manager := harness.Must1(harness.Cluster().StartControllerManager(name, kubeconfig,
		"deployment-controller,replicaset-controller",
		"--leader-elect=true", "--leader-elect-resource-namespace="+ring.Namespace,
		"--leader-elect-resource-name="+lockName, "--leader-elect-lease-duration=6s",
		"--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=500ms"))(t)
	t.Cleanup(manager.Kill)
	return manager
}

func startReplica(t *testing.T, ring *harness.Ring, name string) *process.Process {
	t.Helper()
	return startManager(t, ring, name, harness.Must1(harness.Cluster().API.Kubeconfig(replicaUser))(t))
}

func startBehind(t *testing.T, ring *harness.Ring, id string) {
	t.Helper()
	kubeconfig := harness.Must1(ring.Members[id].Kubeconfig(rig.ControllerUser(id)))(t)
	ring.Members[id].Controller = startManager(t, ring, "manager-"+id, kubeconfig)
}

// scale asks for so many Pods and waits until each Deployment's ReplicaSet does.
func scale(t *testing.T, ring *harness.Ring, count, replicas int) {
	t.Helper()
	kube := harness.Cluster().Kube.AppsV1()
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	for i := range count {
		name := fmt.Sprintf("deployment-%02d", i)
		harness.Must1(kube.Deployments(ring.Namespace).Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	}
	harness.Within(t, 2*time.Minute, fmt.Sprintf("all ReplicaSets have %d replicas", replicas), func(ctx context.Context) error {
		sets, err := kube.ReplicaSets(ring.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, set := range sets.Items {
			if *set.Spec.Replicas != int32(replicas) || set.Status.Replicas != int32(replicas) {
				return fmt.Errorf("%s is to have %d and has %d", set.Name, *set.Spec.Replicas, set.Status.Replicas)
			}
		}
		if len(sets.Items) != count {
			return fmt.Errorf("there are %d", len(sets.Items))
		}
		return nil
	})
}

// An unsharded controller becomes a ring, and the ring an unsharded controller again, by
// replacing one replica after the other. Whoever works, works alone: the writes of the
// replicas and those of the ring do not overlap in the API server's audit log.
func TestAReplicaWithoutRingsideAndTheRingTakeTurns(t *testing.T) {
	const count = 12
	ring := harness.NewRing(t, "turns", 2, func(r *rig.Ring) {
		r.Resources = builtinResources
		r.Duration, r.Renew = 8*time.Second, time.Second
		r.Extra = fmt.Sprintf("\nlocks: [{namespace: %s, name: %s}]\n", r.Namespace, lockName)
	})
	cluster := harness.Cluster()
	harness.Must(t, cluster.Apply(t.Context(), builtinRBAC("a", "b")))
	reader := cluster.NewAuditReader()
	harness.Must(t, reader.Skip())

	t.Log("an unsharded controller, of two replicas")
	replicas := []*process.Process{startReplica(t, ring, "replica-1"), startReplica(t, ring, "replica-2")}
	for i := range count {
		deployment := rig.NewDeployment(ring.Namespace, fmt.Sprintf("deployment-%02d", i), nil)
		harness.Must1(cluster.Kube.AppsV1().Deployments(ring.Namespace).Create(t.Context(), deployment, metav1.CreateOptions{}))(t)
	}
	scale(t, ring, count, 2)

	t.Log("a rolling update: two members come, which wait, and the replicas go")
	for i, id := range []string{"a", "b"} {
		ring.Start(id)
		startBehind(t, ring, id)
		status := ring.Members[id].WaitState("waiting")
		if len(status.Locks) != 1 || status.Locks[0].State != "foreign" || status.Locks[0].Holder == "" {
			t.Errorf("%s says of the locks: %+v", id, status.Locks)
		}
		// Or the rolling update would not go on.
		harness.Eventually(t, "who waits is ready", ring.Members[id].Ready)
		scale(t, ring, count, 3+i)
		replicas[i].Stop(harness.Patience)
	}
	ring.WaitActive("a", "b")
	scale(t, ring, count, 5)

	t.Log("the coordinator dies, and comes back: the lock stays the ring's")
	coordinator := ring.Members[ring.Coordinator()]
	coordinator.Kill()
	scale(t, ring, count, 6)
	coordinator.Restart()
	startBehind(t, ring, coordinator.ID)
	ring.WaitActive("a", "b")
	scale(t, ring, count, 7)

	t.Log("a rolling update back: replicas come, which wait, and the members go")
	for i, id := range []string{"a", "b"} {
		startReplica(t, ring, fmt.Sprintf("replica-%d", 3+i))
		scale(t, ring, count, 8+i)
		ring.Members[id].Controller.Stop(harness.Patience)
		ring.Members[id].Terminate()
	}
	scale(t, ring, count, 10)
	checkTurns(t, ring, harness.Must1(reader.Next())(t))
}

// checkTurns checks that replicas worked, then the ring, then replicas, and no write of
// the one began before the last one of the other had ended.
func checkTurns(t *testing.T, ring *harness.Ring, events []controlplane.Event) {
	t.Helper()
	var turns []string
	var last controlplane.Event
	counts := map[string]int{}
	for _, event := range events {
		isOurs := event.Object.Namespace == ring.Namespace && event.Object.Group == "apps"
		if !isOurs || !event.IsWrite() || !strings.HasPrefix(event.User.Name, "controller-") {
			continue
		}
		side := "ring"
		if event.User.Name == replicaUser {
			side = "replica"
		}
		counts[side]++
		if len(turns) == 0 || turns[len(turns)-1] != side {
			turns = append(turns, side)
			if last.At.After(event.Received) {
				t.Errorf("writes overlap: %v and %v", &last, &event)
			}
		}
		if event.At.After(last.At) {
			last = event
		}
	}
	t.Logf("turns %v; writes %v", turns, counts)
	if strings.Join(turns, " ") != "replica ring replica" {
		t.Errorf("the turns were %v", turns)
	}
}

// A controller that elects a leader renews its lock, work or not: one that does so no
// more is found silent by that alone.
func TestAControllerThatRenewsItsLockNoMoreLosesItsBuckets(t *testing.T) {
	const count = 8
	ring := harness.NewRing(t, "renewals", 2, func(r *rig.Ring) {
		r.Resources = builtinResources
		r.Extra = fmt.Sprintf("\nlocks: [{namespace: %s, name: %s}]\ncontroller: {silence: 4s}\n", r.Namespace, lockName)
	})
	cluster := harness.Cluster()
	harness.Must(t, cluster.Apply(t.Context(), builtinRBAC("a", "b")))
	ring.Start("a", "b")
	for _, id := range []string{"a", "b"} {
		startBehind(t, ring, id)
	}
	for i := range count {
		deployment := rig.NewDeployment(ring.Namespace, fmt.Sprintf("deployment-%02d", i), nil)
		harness.Must1(cluster.Kube.AppsV1().Deployments(ring.Namespace).Create(t.Context(), deployment, metav1.CreateOptions{}))(t)
	}
	scale(t, ring, count, 2)
	ring.WaitActive("a", "b")

	a := ring.Members["a"]
	a.Controller.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	ring.WaitActive("b")
	t.Logf("the other one had its buckets after %.1f s", time.Since(stopped).Seconds())
	if status := a.WaitState("standby"); !strings.Contains(status.Controller, "lock") {
		t.Errorf("it says of its controller: %s", status.Controller)
	}
	scale(t, ring, count, 3)

	t.Log("it goes on, finds that it leads no more, and is started anew")
	a.Controller.Signal(syscall.SIGCONT)
	a.Controller.Stop(harness.Patience)
	startBehind(t, ring, "a")
	ring.WaitActive("a", "b")
	scale(t, ring, count, 4)
}

// The ring's stake is seen by kubectl and by whoever is on call.
func TestTheRingHoldsTheRealLock(t *testing.T) {
	ring := newRing(t, "stakes", 2)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	leases := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
	lease := harness.Must1(leases.Get(t.Context(), lockName, metav1.GetOptions{}))(t)
	want := "ringside.dev/" + ring.Namespace + "/" + ring.Name
	if *lease.Spec.HolderIdentity != want {
		t.Errorf("it is held by %s", *lease.Spec.HolderIdentity)
	}
	status := ring.Members["a"].WaitState("active")
	if len(status.Locks) != 1 || status.Locks[0].State != "held" || status.Locks[0].Holder != want {
		t.Errorf("/ring says %+v", status.Locks)
	}
	b := ring.Members["b"]
	if b.Metric("ringside_locks_held") != 1 || b.Metric("ringside_locks_foreign") != 0 {
		t.Error("the metrics do not tell of it")
	}

	t.Log("what others say about the Lease stays")
	patch := []byte(`{"metadata":{"labels":{"team":"x"}}}`)
	lease = harness.Must1(leases.Patch(t.Context(), lockName, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	harness.Eventually(t, "the lock is renewed", func(ctx context.Context) error {
		now, err := leases.Get(ctx, lockName, metav1.GetOptions{})
		if err == nil && now.ResourceVersion == lease.ResourceVersion {
			err = fmt.Errorf("it is as it was")
		}
		if err == nil && (now.Labels["team"] != "x" || *now.Spec.HolderIdentity != want) {
			t.Errorf("it has the labels %v and is held by %s", now.Labels, *now.Spec.HolderIdentity)
		}
		return err
	})

	t.Log("somebody takes it by force: the ring makes room, and comes back")
	ring.CreateFoos(4)
	patch = []byte(`{"spec":{"holderIdentity":"pod_1","leaseDurationSeconds":4}}`)
	harness.Must1(leases.Patch(t.Context(), lockName, types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	ring.Members["a"].WaitState("waiting")
	if seen := ring.Members["a"].Seen(t); len(seen) != 0 {
		t.Errorf("a member that waits shows %d Foos", len(seen))
	}
	ring.WaitActive("a", "b")
	for _, id := range []string{"b", "a"} {
		ring.Members[id].Terminate()
	}
	lease = harness.Must1(leases.Get(t.Context(), lockName, metav1.GetOptions{}))(t)
	if lease.Spec.HolderIdentity != nil {
		t.Errorf("the last one has left, and it is held by %s", *lease.Spec.HolderIdentity)
	}
}

// A controller may have several locks, in several namespaces: each replica holds all of
// its own, and the ring works only while it holds all of the real ones.
func TestTheRingHoldsEachOfItsLocks(t *testing.T) {
	cluster, ids := harness.Cluster(), []string{"a", "b"}
	namespaces := []string{"several", "several-more", "several-most"}
	ring := harness.NewRing(t, namespaces[0], 2, func(r *rig.Ring) {
		r.Extra = "\nlocks:\n"
		for _, namespace := range namespaces {
			r.Extra += fmt.Sprintf("  - {namespace: %s, name: %s}\n", namespace, lockName)
		}
	})
	for _, namespace := range namespaces[1:] {
		harness.Must(t, cluster.CreateNamespace(t.Context(), namespace))
		harness.Must(t, cluster.Apply(t.Context(), lockRole(ids...), "--namespace="+namespace))
	}
	setHolder := func(namespace, holder string, seconds int) {
		leases := cluster.Kube.CoordinationV1().Leases(namespace)
		patch := fmt.Appendf(nil, `{"spec":{"holderIdentity":%q,"leaseDurationSeconds":%d}}`, holder, seconds)
		_, err := leases.Patch(t.Context(), lockName, types.MergePatchType, patch, metav1.PatchOptions{})
		if apierrors.IsNotFound(err) {
			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: lockName}}
			lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &holder, ptr.To(int32(seconds))
			_, err = leases.Create(t.Context(), lease, metav1.CreateOptions{})
		}
		harness.Must(t, err)
	}
	states := func(want string) func(context.Context) error {
		return func(ctx context.Context) error {
			status, err := ring.Members["a"].Status(ctx)
			if err != nil {
				return err
			}
			got := ""
			for _, lock := range status.Locks {
				got += lock.Namespace + " " + lock.State + ", "
			}
			if got != want {
				return fmt.Errorf("%s says of the locks: %s", status.Member, got)
			}
			return nil
		}
	}

	t.Log("one is another replica's, one is free, one is not there")
	setHolder(namespaces[0], "pod_1", 8)
	setHolder(namespaces[1], "", 1)
	ring.Start(ids...)
	for _, id := range ids {
		ring.Members[id].WaitState("waiting")
	}
	harness.Eventually(t, "the others are taken", states("several foreign, several-more held, several-most held, "))

	t.Log("its time is over")
	ring.WaitActive(ids...)
	harness.Eventually(t, "all are held", states("several held, several-more held, several-most held, "))
	for _, id := range ids {
		for _, namespace := range namespaces {
			waitClosed(t, id+" leads in "+namespace, startElector(t, clients(t, ring.Members[id], harness.JSON), namespace, id).leads)
			harness.Must1(cluster.Kube.CoordinationV1().Leases(namespace).Get(t.Context(), lockName+"."+id, metav1.GetOptions{}))(t)
		}
	}

	t.Log("somebody takes the last one by force")
	setHolder(namespaces[2], "pod_2", 4)
	for _, id := range ids {
		ring.Members[id].WaitState("waiting")
	}
	ring.WaitActive(ids...)

	t.Log("the ring goes, and gives up all of them")
	for _, id := range ids {
		ring.Members[id].Terminate()
	}
	for _, namespace := range namespaces {
		lease := harness.Must1(cluster.Kube.CoordinationV1().Leases(namespace).Get(t.Context(), lockName, metav1.GetOptions{}))(t)
		if lease.Spec.HolderIdentity != nil {
			t.Errorf("that in %s is held by %s", namespace, *lease.Spec.HolderIdentity)
		}
	}
}

// lockRole is what deploy/rbac.yaml says of a lock in another namespace.
func lockRole(ids ...string) string {
	all := `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ringside-lock}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, patch]}
`
	for _, id := range ids {
		all += fmt.Sprintf(`---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ringside-lock-%[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ringside-lock}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, id, rig.MemberUser(id))
	}
	return all
}
