package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/rig"
)

// measureRequests counts what members ask of the API server for themselves, with few
// objects and with many: at rest, and in a rebalance.
func measureRequests(b *bench) error {
	// So often that audits of labels are among what is counted.
	err := b.newRing("requests", 2, func(r *rig.Ring) { r.Extra = "label: {audit: 10s}\n" })
	if err != nil {
		return err
	}
	b.resources = []schema.GroupVersionResource{rig.Foos}
	if err := b.createObjects(0, 100); err != nil {
		return err
	}
	if err := b.startWithInformers("a", "b"); err != nil {
		return err
	}
	few, err := b.countRequests()
	if err != nil {
		return err
	}
	if err := b.createObjects(100, 10000); err != nil {
		return err
	}
	many, err := b.countRequests()
	if err != nil {
		return err
	}
	const name = "10000 objects over 100, our requests: "
	b.results.add(name+"at rest, times as many", 1.2, "", many.rest/few.rest)
	b.results.add(name+"in a rebalance, times as many", 1.2, "", many.rebalance/few.rebalance)
	return nil
}

// own are our requests, for each member.
type own struct{ rest, rebalance float64 }

func (k *mark) own() (float64, error) {
	events, err := k.events()
	count := 0.0
	for i := range events {
		if strings.HasPrefix(events[i].User.Name, rig.MemberUser("")) {
			count++
		}
	}
	return count, err
}

func (b *bench) countRequests() (*own, error) {
	counted := &own{}
	if _, err := b.waitShared("a", "b"); err != nil {
		return nil, err
	}
	if err := b.waitQuiet(); err != nil {
		return nil, err
	}
	rest, err := b.mark()
	if err != nil {
		return nil, err
	}
	const lasts = 30 * time.Second
	time.Sleep(lasts)
	n, err := rest.own()
	if err != nil {
		return nil, err
	}
	counted.rest = n / 2 / lasts.Minutes()
	rebalance, err := b.mark()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for shards := 1; shards <= 2; shards++ {
		if err := b.ring.SetShards(shards); err != nil {
			return nil, err
		}
		if err := b.waitCount(shards); err != nil {
			return nil, err
		}
	}
	if n, err = rebalance.own(); err != nil {
		return nil, err
	}
	// What is asked at rest anyway is none of its.
	counted.rebalance = n/2 - counted.rest*time.Since(began).Minutes()
	name := fmt.Sprintf("%d objects, an audit every 10 s: our requests, for each member ", b.objects)
	b.results.add(name+"and minute at rest", noTarget, "", counted.rest)
	b.results.add(name+"in two rebalances, 2 -> 1 -> 2", noTarget, "", counted.rebalance)
	return counted, nil
}

// waitCount waits until so many members hold all objects, and nothing moves.
func (b *bench) waitCount(shards int) error {
	err := rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		assignment, err := b.ring.Assignment(ctx)
		if err != nil {
			return err
		}
		held, active := 0, 0
		for id, m := range b.members {
			if assignment.Count(id) > 0 {
				active++
			}
			n, _, _ := m.informers[0].count()
			held += n
			if n != b.objectsOf(assignment, id) {
				return fmt.Errorf("%s holds %d objects", id, n)
			}
		}
		if active != shards || held != b.objects {
			return fmt.Errorf("%d members hold %d objects", active, held)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.waitQuiet()
}
