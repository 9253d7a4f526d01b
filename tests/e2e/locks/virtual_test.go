package locks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
)

// clients are those of an administrator through the member, in one encoding.
func clients(t *testing.T, m *harness.Member, contentType string) *kubernetes.Clientset {
	t.Helper()
	config := rest.CopyConfig(m.AsAdmin().Config)
	config.ContentType = contentType
	config.AcceptContentTypes = contentType
	return harness.Must1(kubernetes.NewForConfig(config))(t)
}

// elector is client-go's leader election, as controllers run it.
type elector struct {
	leads, stopped chan struct{}
	cancel         context.CancelFunc
}

func startElector(t *testing.T, kube kubernetes.Interface, namespace, id string) *elector {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e := &elector{leads: make(chan struct{}), stopped: make(chan struct{}), cancel: cancel}
	le := harness.Must1(leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: lockName},
			Client:     kube.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: id},
		},
		LeaseDuration: 4 * time.Second,
		RenewDeadline: 3 * time.Second,
		RetryPeriod:   300 * time.Millisecond,
		Name:          id,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(e.leads) },
			OnStoppedLeading: func() { close(e.stopped) },
		},
	}))(t)
	go le.Run(ctx)
	t.Cleanup(cancel)
	return e
}

func waitClosed(t *testing.T, what string, channel chan struct{}) {
	t.Helper()
	select {
	case <-channel:
	case <-time.After(harness.Patience):
		t.Fatalf("%s: not within %s", what, harness.Patience)
	}
}

func (e *elector) isLeading() bool {
	select {
	case <-e.stopped:
		return false
	default:
	}
	select {
	case <-e.leads:
		return true
	default:
		return false
	}
}

// All replicas lead, a standby's too; each renews a Lease of its own. When the proxy
// of one is gone, its controller stops by itself, and no other one does.
func TestEveryReplicaWinsItsElection(t *testing.T) {
	ring := newRing(t, "winners", 2)
	ring.Start("a", "b", "c")
	ids := []string{"a", "b", "c"}
	electors := map[string]*elector{}
	for i, id := range ids {
		encoding := []string{harness.JSON, harness.Protobuf}[i%2]
		electors[id] = startElector(t, clients(t, ring.Members[id], encoding), ring.Namespace, "replica-"+id)
	}
	leases := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
	seen := map[string]string{}
	for _, id := range ids {
		waitClosed(t, id+" leads", electors[id].leads)
		lease := harness.Must1(leases.Get(t.Context(), lockName+"."+id, metav1.GetOptions{}))(t)
		if holder := *lease.Spec.HolderIdentity; holder != "replica-"+id {
			t.Errorf("%s is held by %s", lease.Name, holder)
		}
		if lease.Labels["ringside.dev/lock-of"] != ring.Name {
			t.Errorf("%s has the labels %v", lease.Name, lease.Labels)
		}
		seen[id] = lease.ResourceVersion
	}
	for _, id := range ids {
		harness.Eventually(t, id+" renews", func(ctx context.Context) error {
			lease, err := leases.Get(ctx, lockName+"."+id, metav1.GetOptions{})
			if err == nil && lease.ResourceVersion == seen[id] {
				err = errors.New("it has not changed")
			}
			return err
		})
	}
	ring.Members["a"].Kill()
	waitClosed(t, "the one without a proxy stops", electors["a"].stopped)
	for _, id := range ids[1:] {
		if !electors[id].isLeading() {
			t.Errorf("%s does not lead any more", id)
		}
	}
}

func newLease() *coordinationv1.Lease {
	holder, seconds := "somebody", int32(15)
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: lockName},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds},
	}
}

func checkName(t *testing.T, what string, lease *coordinationv1.Lease, err error) *coordinationv1.Lease {
	t.Helper()
	harness.Must(t, err)
	if lease.Name != lockName {
		t.Errorf("%s: the Lease is called %s", what, lease.Name)
	}
	return lease
}

// checkError checks that the error tells of the lock by the name the client knows.
func checkError(t *testing.T, what string, err error, is func(error) bool) {
	t.Helper()
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !is(err) {
		t.Errorf("%s: %v", what, err)
		return
	}
	if details := status.Status().Details; details == nil || details.Name != lockName {
		t.Errorf("%s: details %v", what, details)
	}
	if message := status.Status().Message; strings.Contains(message, lockName+".") || !strings.Contains(message, lockName) {
		t.Errorf("%s: %s", what, message)
	}
}

// Whatever a client does with the lock, it sees the name that it uses, and what is
// stored has the other one.
func TestAVirtualLockLooksLikeTheRealOne(t *testing.T) {
	ring := newRing(t, "looks", 1)
	ring.Start("a")
	ring.WaitActive("a")
	for _, encoding := range []string{harness.JSON, harness.Protobuf} {
		t.Run(strings.TrimPrefix(encoding, "application/"), func(t *testing.T) {
			lookAt(t, ring, clients(t, ring.Members["a"], encoding).CoordinationV1().Leases(ring.Namespace))
		})
	}
	t.Run("by WebSocket", func(t *testing.T) { lookByWebSocket(t, ring.Members["a"]) })
}

func lookByWebSocket(t *testing.T, member *harness.Member) {
	ctx := t.Context()
	path := "/apis/coordination.k8s.io/v1/namespaces/" + member.Ring.Namespace + "/leases?watch=true&fieldSelector=metadata.name%3D" + lockName
	connection, _, err := member.Raw(t, controlplane.Admin).Socket(ctx, path)
	harness.Must(t, err)
	defer connection.Close()
	harness.Must(t, connection.SetReadDeadline(time.Now().Add(harness.Patience)))
	leases := clients(t, member, harness.JSON).CoordinationV1().Leases(member.Ring.Namespace)
	harness.Must1(leases.Create(ctx, newLease(), metav1.CreateOptions{}))(t)
	harness.Must(t, leases.Delete(ctx, lockName, metav1.DeleteOptions{}))
	for _, expected := range []watch.EventType{watch.Added, watch.Deleted} {
		var event struct {
			Type   watch.EventType
			Object coordinationv1.Lease
		}
		harness.Must(t, connection.ReadJSON(&event))
		if event.Type != expected || event.Object.Name != lockName {
			t.Errorf("%s of %s, not %s of %s", event.Type, event.Object.Name, expected, lockName)
		}
	}
}

func lookAt(t *testing.T, ring *harness.Ring, leases typed.LeaseInterface) {
	ctx := t.Context()
	stored := harness.Cluster().Kube.CoordinationV1().Leases(ring.Namespace)
	selected := metav1.ListOptions{FieldSelector: "metadata.name=" + lockName}
	_, err := leases.Get(ctx, lockName, metav1.GetOptions{})
	checkError(t, "get of none", err, apierrors.IsNotFound)

	watcher := harness.Must1(leases.Watch(ctx, selected))(t)
	defer watcher.Stop()
	lease, err := leases.Create(ctx, newLease(), metav1.CreateOptions{})
	checkName(t, "create", lease, err)
	_, err = leases.Create(ctx, newLease(), metav1.CreateOptions{})
	checkError(t, "create again", err, apierrors.IsAlreadyExists)
	lease, err = leases.Get(ctx, lockName, metav1.GetOptions{})
	checkName(t, "get", lease, err)
	truth := harness.Must1(stored.Get(ctx, lockName+".a", metav1.GetOptions{}))(t)
	if truth.ResourceVersion != lease.ResourceVersion || truth.UID != lease.UID {
		t.Errorf("got %s at %s; stored is %s at %s", lease.UID, lease.ResourceVersion, truth.UID, truth.ResourceVersion)
	}
	old := lease.DeepCopy()
	lease.Annotations = map[string]string{"a": "a"}
	updated, err := leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: "update"})
	checkName(t, "update", updated, err)
	old.Annotations = map[string]string{"a": "b"}
	_, err = leases.Update(ctx, old, metav1.UpdateOptions{FieldManager: "another"})
	checkError(t, "update of an old version", err, apierrors.IsConflict)
	lookAtPatches(t, leases)
	list := harness.Must1(leases.List(ctx, selected))(t)
	if len(list.Items) != 1 || list.Items[0].Name != lockName {
		t.Errorf("listed: %v", list.Items)
	}
	harness.Must(t, leases.Delete(ctx, lockName, metav1.DeleteOptions{}))
	_, err = stored.Get(ctx, lockName+".a", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("it is still stored: %v", err)
	}
	checkWatched(t, watcher)
}

func lookAtPatches(t *testing.T, leases typed.LeaseInterface) {
	t.Helper()
	for _, patch := range []struct {
		kind types.PatchType
		body string
	}{
		{types.MergePatchType, `{"metadata":{"annotations":{"x":"1"}}}`},
		{types.MergePatchType, `{"metadata":{"name":"` + lockName + `","annotations":{"x":"2"}}}`},
		{types.StrategicMergePatchType, `{"metadata":{"annotations":{"x":"3"}}}`},
		{types.JSONPatchType, `[{"op":"add","path":"/metadata/annotations/x","value":"4"}]`},
		{types.ApplyPatchType, `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"` +
			lockName + `","annotations":{"y":"5"}}}`},
	} {
		options := metav1.PatchOptions{FieldManager: "e2e"}
		lease, err := leases.Patch(t.Context(), lockName, patch.kind, []byte(patch.body), options)
		checkName(t, "patch "+string(patch.kind), lease, err)
	}
}

// checkWatched reads the events up to the deletion.
func checkWatched(t *testing.T, watcher watch.Interface) {
	t.Helper()
	deadline := time.After(harness.Patience)
	var types []string
	for {
		select {
		case event, ok := <-watcher.ResultChan():
			if !ok {
				t.Fatalf("the watch ended after %v", types)
			}
			lease, isLease := event.Object.(*coordinationv1.Lease)
			if !isLease || lease.Name != lockName {
				t.Fatalf("%s of %v", event.Type, event.Object)
			}
			types = append(types, string(event.Type))
			if event.Type == watch.Deleted {
				if types[0] != "ADDED" || len(types) < 3 {
					t.Errorf("watched: %v", types)
				}
				return
			}
		case <-deadline:
			t.Fatalf("no deletion after %v", types)
		}
	}
}

// Leases of other names, and of this name elsewhere, are nobody's business.
func TestOtherLeasesPassUntouched(t *testing.T) {
	ring := newRing(t, "others", 1)
	ring.Start("a")
	ring.WaitActive("a")
	harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), "elsewhere"))
	kube := clients(t, ring.Members["a"], harness.JSON)
	for _, where := range [][2]string{{ring.Namespace, "another"}, {"elsewhere", lockName}} {
		lease := newLease()
		lease.Name = where[1]
		made := harness.Must1(kube.CoordinationV1().Leases(where[0]).Create(t.Context(), lease, metav1.CreateOptions{}))(t)
		stored, err := harness.Cluster().Kube.CoordinationV1().Leases(where[0]).Get(t.Context(), where[1], metav1.GetOptions{})
		harness.Must(t, err)
		if fmt.Sprint(stored) != fmt.Sprint(made) || len(stored.Labels) != 0 {
			t.Errorf("stored %v, answered %v", stored, made)
		}
	}
}
