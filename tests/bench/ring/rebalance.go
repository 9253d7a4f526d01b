package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/rig"
)

// measureRebalances lets a third member join two, and leave again.
func measureRebalances(b *bench) error {
	if err := b.newRing("rebalance", 3, nil); err != nil {
		return err
	}
	b.resources = []schema.GroupVersionResource{rig.Foos, rig.Deployments}
	if err := b.createObjects(0, 1024); err != nil {
		return err
	}
	if err := b.startWithInformers("a", "b"); err != nil {
		return err
	}
	if err := b.waitActive("a", "b"); err != nil {
		return err
	}
	for range *rounds {
		if err := b.join(); err != nil {
			return err
		}
		if err := b.leave(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) startWithInformers(ids ...string) error {
	for _, id := range ids {
		if err := b.start(id); err != nil {
			return err
		}
		err := b.members[id].startInformers(b.ctx, false, b.resources...)
		if err != nil {
			return err
		}
	}
	return nil
}

// waitShared waits until these share the buckets and their informers hold what is in
// them; it tells when the last object came to a member.
func (b *bench) waitShared(ids ...string) (map[string]time.Time, error) {
	if err := b.waitActive(ids...); err != nil {
		return nil, err
	}
	assignment, err := b.ring.Assignment(b.ctx)
	if err != nil {
		return nil, err
	}
	arrived := map[string]time.Time{}
	for _, id := range ids {
		want := b.objectsOf(assignment, id)
		if arrived[id], _, err = b.waitHeld(id, slices.Repeat([]int{want}, len(b.resources))...); err != nil {
			return nil, err
		}
	}
	return arrived, nil
}

// readyAt tells when the member said for the first time that it is ready.
func (m *member) readyAt(ctx context.Context) (time.Time, error) {
	for ctx.Err() == nil {
		if m.Ready(ctx) == nil {
			return time.Now(), nil
		}
		time.Sleep(time.Millisecond)
	}
	return time.Time{}, ctx.Err()
}

// join starts c, and its controller as soon as it can be.
func (b *bench) join() error {
	if _, err := b.waitShared("a", "b"); err != nil {
		return err
	}
	if err := b.waitQuiet(); err != nil {
		return err
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.startWithInformers("c"); err != nil {
		return err
	}
	ready, err := b.members["c"].readyAt(b.ctx)
	if err != nil {
		return err
	}
	arrived, err := b.waitShared("a", "b", "c")
	if err != nil {
		return err
	}
	o, err := b.endChange(c, "c")
	if err != nil {
		return err
	}
	const name = "2 -> 3 with 1024 main, 1024 owned: "
	b.results.add(name+"from ready until held, ms", 1000, published, ms(arrived["c"].Sub(ready)))
	b.results.add(name+"from start to ready, ms", noTarget, "", ms(ready.Sub(began)))
	b.results.add(name+"from start until held, ms", 1000, published, ms(arrived["c"].Sub(began)))
	b.results.add(name+"from published until held, ms", noTarget, "", ms(arrived["c"].Sub(o.publications[0].After)))
	b.results.add(name+"object writes", 0, "", o.writes)
	b.results.add(name+"relists", 0, "", o.relists)
	return nil
}

// waitUnwatched waits until nobody watches through the member.
func (b *bench) waitUnwatched(m *member) error {
	return rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		status, err := m.Status(ctx)
		if err != nil {
			return err
		}
		for _, resource := range status.Resources {
			if resource.Sessions > 0 {
				return fmt.Errorf("%s of %s: %d sessions", resource.Resource, m.ID, resource.Sessions)
			}
		}
		return nil
	})
}

// leave stops c's controller, then c with SIGTERM: a sidecar is told last.
func (b *bench) leave() error {
	if err := b.waitQuiet(); err != nil {
		return err
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	leaving := b.members["c"]
	began := time.Now()
	leaving.stopInformers()
	if err := b.waitUnwatched(leaving); err != nil {
		return err
	}
	leaving.Process.Signal(15)
	arrived, err := b.waitShared("a", "b")
	if err != nil {
		return err
	}
	last := arrived["a"]
	if arrived["b"].After(last) {
		last = arrived["b"]
	}
	<-leaving.Process.Done()
	delete(b.members, "c")
	o, err := b.endChange(c, "c")
	if err != nil {
		return err
	}
	b.results.add("graceful stop, 3 -> 2: until others hold them, ms", 1000, published, ms(last.Sub(began)))
	b.results.add("graceful stop, 3 -> 2: object writes", 0, "", o.writes)
	b.results.add("graceful stop, 3 -> 2: relists", 0, "", o.relists)
	return nil
}
