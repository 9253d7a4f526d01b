package controllers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The invariant one_writer: at no instant do two members forward writes for
// objects of one bucket. Behind each member a controller without any idea of
// shards writes all objects all the time, so that nothing but the fence decides;
// the API server's audit log says what came of it.
func TestOneWriter(t *testing.T) {
	// A handover takes longer than members take to see that the file has changed.
	slow := func(r *rig.Ring) { r.Extra = "handover: {quiet: 1500ms}\n" }
	ring := harness.NewRing(t, "onewriter", 2, slow)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.Start("c")
	ring.Members["c"].WaitState("standby")
	ring.CreateFoos(24)
	log := newLog(t, ring)
	for _, id := range []string{"a", "b", "c"} {
		startWriter(t, ring, id, 5*time.Millisecond)
	}
	log.check("a", "b")

	t.Log("shards 2 -> 3 -> 2 -> 3, the later ones in mid-handover")
	for _, shards := range []int{3, 2, 3} {
		harness.Must(t, ring.SetShards(shards))
		log.waitEpoch()
	}
	ring.WaitActive("a", "b", "c")
	log.check("a", "b", "c")

	t.Log("a member is asked to leave, and comes back")
	ring.Members["b"].Terminate()
	ring.WaitActive("a", "c")
	ring.Members["b"].Restart()
	ring.WaitActive("a", "b", "c")
	log.check("a", "b", "c")

	t.Log("the coordinator is killed, and comes back")
	coordinator := ring.Coordinator()
	others := without([]string{"a", "b", "c"}, coordinator)
	ring.Members[coordinator].Kill()
	ring.WaitActive(others...)
	ring.Members[coordinator].Restart()
	ring.WaitActive("a", "b", "c")
	log.check("a", "b", "c")

	t.Log("the coordinator stands still for longer than its Lease lasts")
	coordinator = ring.Coordinator()
	others = without([]string{"a", "b", "c"}, coordinator)
	ring.Members[coordinator].Process.Signal(syscall.SIGSTOP)
	ring.WaitActive(others...)
	ring.Members[coordinator].Process.Signal(syscall.SIGCONT)
	ring.WaitActive("a", "b", "c")
	log.check("a", "b", "c")
}

// A rolling restart of three members, each replaced by a new one that stands by
// before it is asked to leave, moves each bucket once.
func TestARollingRestartMovesEachBucketOnce(t *testing.T) {
	ring := harness.NewRing(t, "rolling", 3, nil)
	ring.Start("a", "b", "c")
	ring.WaitActive("a", "b", "c")
	log := newLog(t, ring)
	active := []string{"a", "b", "c"}
	for i, successor := range []string{"d", "e", "f"} {
		ring.Start(successor)
		ring.Members[successor].WaitState("standby")
		harness.Eventually(t, "the successor is ready", ring.Members[successor].Ready)
		ring.Members[active[i]].Terminate()
		active[i] = successor
		ring.WaitActive(active...)
	}
	log.read()
	for bucket, moves := range log.Moves() {
		if moves != 1 {
			t.Errorf("bucket %d has moved %d times", bucket, moves)
		}
	}
}

func without(ids []string, id string) []string {
	var others []string
	for _, other := range ids {
		if other != id {
			others = append(others, other)
		}
	}
	return others
}

// startWriter runs a controller behind a member that writes every Foo of the
// ring all the time, whoever owns it, until the test ends or it is stopped.
func startWriter(t *testing.T, ring *harness.Ring, id string, rest time.Duration) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for first := range 3 {
		group.Go(func() {
			var foos dynamic.ResourceInterface
			for i := first; ctx.Err() == nil; i++ {
				if foos == nil {
					foos = writerClient(ring, id)
				}
				if !writeFoo(ctx, foos, i) {
					foos = nil // its connections may lead to a process that is gone
				}
				pause(ctx, rest)
			}
		})
	}
	stop = func() {
		cancel()
		group.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// writerClient is nil while the member cannot be reached.
func writerClient(ring *harness.Ring, id string) dynamic.ResourceInterface {
	clients, err := ring.Members[id].Member.Clients(controlplane.Admin)
	if err != nil {
		return nil
	}
	config := rest.CopyConfig(clients.Config)
	config.UserAgent = writerAgent + id
	config.Timeout = 10 * time.Second
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil
	}
	return client.Resource(rig.Foos).Namespace(ring.Namespace)
}

// writeFoo says whether there was an answer.
func writeFoo(ctx context.Context, foos dynamic.ResourceInterface, i int) bool {
	if foos == nil {
		return false
	}
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, i%9+1)
	_, err := foos.Patch(ctx, rig.FooName(i%24), types.MergePatchType, patch, metav1.PatchOptions{})
	return err == nil || apierrors.ReasonForError(err) != metav1.StatusReasonUnknown
}

func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

const writerAgent = "writer-"

func writerOf(userAgent string) (id string, found bool) {
	return strings.CutPrefix(userAgent, writerAgent)
}
