package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// load changes, creates and deletes Foos, past the ring, all the time.
type load struct {
	w      *world
	foos   dynamic.ResourceInterface
	cancel context.CancelFunc
	group  sync.WaitGroup

	names   []string
	seq     int
	buckets map[string]int // of Foos that were deleted
}

const changesPerSecond = 12

func startLoad(w *world, foos int) *load {
	ctx, cancel := context.WithCancel(w.t.Context())
	l := &load{
		w:       w,
		foos:    harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(w.ring.Namespace),
		cancel:  cancel,
		buckets: map[string]int{},
	}
	harness.Must(w.t, rig.CreateFoos(ctx, harness.Cluster().Dynamic, w.ring.Namespace, foos))
	for i := range foos {
		l.names = append(l.names, rig.FooName(i))
	}
	random := rand.New(rand.NewPCG(1, 2))
	l.group.Go(func() {
		tick := time.NewTicker(time.Second / changesPerSecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.change(ctx, random)
			case <-ctx.Done():
				return
			}
		}
	})
	return l
}

func (l *load) stop() {
	l.cancel()
	l.group.Wait()
}

// change does one thing; what the API server does not answer is left.
func (l *load) change(ctx context.Context, random *rand.Rand) {
	at := random.IntN(len(l.names))
	name := l.names[at]
	var err error
	switch kind := random.IntN(20); {
	case kind == 0:
		name = fmt.Sprintf("late-%05d", l.seq)
		l.seq++
		if _, err = l.foos.Create(ctx, rig.NewFoo(l.w.ring.Namespace, name), metav1.CreateOptions{}); err == nil {
			l.names = append(l.names, name)
		}
	case kind == 1 && len(l.names) > 10:
		err = l.delete(ctx, at)
	default:
		err = l.patch(ctx, name)
	}
	if err != nil && ctx.Err() == nil && apierrors.IsNotFound(err) {
		l.w.t.Errorf("%s is gone: %v", name, err)
	}
}

func (l *load) patch(ctx context.Context, name string) error {
	l.seq++
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"seq":"%d"}},"spec":{"replicas":%d}}`, l.seq, l.seq%9+1)
	_, err := l.foos.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

func (l *load) delete(ctx context.Context, at int) error {
	name := l.names[at]
	foo, err := l.foos.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if bucket, err := strconv.Atoi(foo.GetLabels()[l.w.ring.Label()]); err == nil {
		l.buckets[name] = bucket
	}
	// Whatever the answer, it may be carried out: it is left alone from now on.
	l.names[at] = l.names[len(l.names)-1]
	l.names = l.names[:len(l.names)-1]
	_ = l.foos.Delete(ctx, name, metav1.DeleteOptions{})
	return nil
}

// finish changes every Foo once more.
func (l *load) finish(ctx context.Context) error {
	l.seq += 1000
	foos, err := l.foos.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return rig.InParallel(ctx, len(foos.Items), func(ctx context.Context, i int) error {
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"seq":"%d"}},"spec":{"replicas":10}}`, l.seq)
		_, err := l.foos.Patch(ctx, foos.Items[i].GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
		return err
	})
}
