package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/rig"
)

// informer is one of client-go, and what it was told.
type informer struct {
	cache.SharedIndexInformer
	mutex   sync.Mutex
	held    int
	filled  time.Time       // when it held something again
	arrived time.Time       // when an object came last
	left    time.Time       // when one left last
	delays  []time.Duration // from when a change was asked for until it was seen
}

func (i *informer) added(any) {
	now := time.Now()
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.held == 0 {
		i.filled = now
	}
	i.held++
	i.arrived = now
}

func (i *informer) deleted(any) {
	now := time.Now()
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.held--
	i.left = now
}

// asked is an annotation: when its object's change was asked for, in nanoseconds.
const asked = "bench.ringside.dev/asked"

func (i *informer) updated(_, object any) {
	now := time.Now()
	at, err := strconv.ParseInt(object.(metav1.Object).GetAnnotations()[asked], 10, 64)
	if err != nil {
		return
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.delays = append(i.delays, now.Sub(time.Unix(0, at)))
}

// takeDelays are those since it was asked last.
func (i *informer) takeDelays() []time.Duration {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	delays := i.delays
	i.delays = nil
	return delays
}

// count is how many it holds, and when one came and left last.
func (i *informer) count() (held int, arrived, left time.Time) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.held, i.arrived, i.left
}

// first is when the first of the objects that it holds came.
func (i *informer) first() time.Time {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.filled
}

// newInformer makes an informer of all namespaces: dynamic (JSON) for custom resources,
// typed (protobuf) for built-in ones, or of metadata alone.
func newInformer(clients *rig.Clients, resource schema.GroupVersionResource, isMetadata bool,
) (cache.SharedIndexInformer, error) {
	if isMetadata {
		return metadatainformer.NewSharedInformerFactory(clients.Metadata, 0).
			ForResource(resource).Informer(), nil
	}
	if resource == rig.Foos {
		return dynamicinformer.NewDynamicSharedInformerFactory(clients.Dynamic, 0).
			ForResource(resource).Informer(), nil
	}
	generic, err := informers.NewSharedInformerFactory(clients.Kube, 0).ForResource(resource)
	if err != nil {
		return nil, err
	}
	return generic.Informer(), nil
}

// startInformers starts an informer for each resource; it does not wait for them.
func (m *member) startInformers(ctx context.Context, isMetadata bool,
	resources ...schema.GroupVersionResource) error {
	ctx, m.cancel = context.WithCancel(ctx)
	for _, resource := range resources {
		shared, err := newInformer(m.clients, resource, isMetadata)
		if err != nil {
			return err
		}
		i := &informer{SharedIndexInformer: shared}
		_, err = shared.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: i.added, UpdateFunc: i.updated, DeleteFunc: i.deleted,
		})
		if err != nil {
			return err
		}
		m.informers = append(m.informers, i)
		go shared.RunWithContext(ctx)
	}
	return nil
}

// waitHeld waits until each informer of the member holds so many; it tells when the
// last object came, and when the last one left.
func (b *bench) waitHeld(id string, want ...int) (arrived, left time.Time, err error) {
	err = rig.Wait(b.ctx, patience, func(context.Context) error {
		arrived, left = time.Time{}, time.Time{}
		for n, i := range b.members[id].informers {
			held, came, went := i.count()
			if held != want[n] || !i.HasSynced() {
				return fmt.Errorf("informer %d of %s holds %d objects, not %d", n, id, held, want[n])
			}
			if came.After(arrived) {
				arrived = came
			}
			if went.After(left) {
				left = went
			}
		}
		return nil
	})
	return arrived, left, err
}
