package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/rig"
)

// moving are the buckets that b gets when it becomes the second active member, and
// those that a keeps: tried, while there are no objects.
func (b *bench) moving() (moving, kept []int, err error) {
	if err := b.ring.SetShards(2); err != nil {
		return nil, nil, err
	}
	if err := b.waitActive("a", "b"); err != nil {
		return nil, nil, err
	}
	assignment, err := b.ring.Assignment(b.ctx)
	if err != nil {
		return nil, nil, err
	}
	for bucket := range buckets {
		if assignment.OwnerID(bucket) == "b" {
			moving = append(moving, bucket)
		} else {
			kept = append(kept, bucket)
		}
	}
	if err := b.ring.SetShards(1); err != nil {
		return nil, nil, err
	}
	return moving, kept, b.waitActive("a")
}

// startTwo starts the ring's members, a active and b standing by.
func (b *bench) startTwo(name string, change func(*rig.Ring)) error {
	if err := b.newRing(name, 1, change); err != nil {
		return err
	}
	if err := b.start("a"); err != nil {
		return err
	}
	if err := b.waitActive("a"); err != nil {
		return err
	}
	return b.start("b")
}

// measureKept looks at what does not move: how late events of it come meanwhile, and
// whether a move costs more requests when more is kept.
func measureKept(b *bench) error {
	if err := b.startTwo("kept", nil); err != nil {
		return err
	}
	moving, kept, err := b.moving()
	if err != nil {
		return err
	}
	const moved = 512
	b.resources = []schema.GroupVersionResource{rig.Foos}
	b.places = func(i int) int {
		if i < moved {
			return moving[i%len(moving)]
		}
		return kept[i%len(kept)]
	}
	var requests [2]float64
	for round, count := range []int{2 * moved, 20 * moved} {
		if err := b.createObjects(b.objects, count); err != nil {
			return err
		}
		if round == 0 {
			for _, id := range []string{"a", "b"} {
				if err := b.members[id].startInformers(b.ctx, false, b.resources...); err != nil {
					return err
				}
			}
		}
		if requests[round], err = b.keep(moved); err != nil {
			return err
		}
	}
	b.results.add(fmt.Sprintf("requests in a move of %d: kept %d less kept %d", moved, 19*moved, moved), 0,
		"constant in what is kept", requests[1]-requests[0])
	return nil
}

// keep moves the first objects to b and back while others are changed. It tells how
// many requests about Foos, Leases and the assignment a move has taken: the median.
func (b *bench) keep(moved int) (float64, error) {
	var requests []float64
	atRest, inMove := []time.Duration{}, []time.Duration{}
	a := b.members["a"].informers[0]
	for range *rounds {
		for shards := 2; shards > 0; shards-- {
			if err := b.settle(3-shards, moved); err != nil {
				return 0, err
			}
			stop := b.changeKept(moved)
			time.Sleep(time.Second)
			a.takeDelays()
			time.Sleep(time.Second)
			atRest = append(atRest, a.takeDelays()...)
			c, err := b.beginChange()
			if err != nil {
				return 0, err
			}
			if err = b.ring.SetShards(shards); err == nil {
				err = b.settle(shards, moved)
			}
			stop()
			if err != nil {
				return 0, err
			}
			inMove = append(inMove, a.takeDelays()...)
			o, err := b.endChange(c, "")
			if err != nil {
				return 0, err
			}
			requests = append(requests, o.requests("foos"))
			name := fmt.Sprintf("move of %d, kept %d: ", moved, b.objects-moved)
			b.results.add(name+"requests about them", noTarget, "", o.requests("foos"))
			b.results.add(name+"relists", 0, "", o.relists)
		}
	}
	name := fmt.Sprintf("event of one of %d kept: p99 ", b.objects-moved)
	b.results.add(name+"at rest, ms", noTarget, "", percentile(atRest, 99))
	b.results.add(name+"while 512 move, ms", noTarget, "", percentile(inMove, 99))
	slices.Sort(requests)
	return requests[len(requests)/2], nil
}

// settle waits until the moved ones are where they shall be, and nobody is moved.
func (b *bench) settle(shards, moved int) error {
	held := map[string]int{"a": b.objects, "b": 0}
	if shards == 2 {
		held = map[string]int{"a": b.objects - moved, "b": moved}
	}
	for id, want := range held {
		if _, _, err := b.waitHeld(id, want); err != nil {
			return err
		}
	}
	return b.waitQuiet()
}

// changeKept changes kept objects, about 100 a second, until it is stopped.
func (b *bench) changeKept(moved int) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		foos := b.cluster.Dynamic.Resource(rig.Foos).Namespace(b.ring.Namespace)
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"%s":"%d"}}}`, asked, time.Now().UnixNano())
			name := rig.FooName(moved + i%(b.objects-moved))
			_, _ = foos.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
		}
	})
	return func() { cancel(); group.Wait() }
}

// requests counts those of members and controllers about a resource.
func (o *outcome) requests(resource string) float64 {
	count := 0.0
	for _, event := range o.events {
		if event.Object.Resource == resource &&
			(strings.HasPrefix(event.User.Name, "controller-") || strings.HasPrefix(event.User.Name, "member-")) {
			count++
		}
	}
	return count
}
