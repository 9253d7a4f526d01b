package main

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/rig"
)

// measureCrashes kills one of two members, of which a standby takes the buckets: with
// few objects and with many, and also when it coordinates.
func measureCrashes(b *bench) error {
	err := b.newRing("crash", 2, func(r *rig.Ring) {
		r.Duration, r.Renew, r.Margin = 5*time.Second, time.Second, time.Second
	})
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
	if err := b.waitActive("a", "b"); err != nil {
		return err
	}
	if err := b.startWithInformers("c"); err != nil {
		return err
	}
	for _, count := range []int{100, 10000} {
		if err := b.createObjects(b.objects, count); err != nil {
			return err
		}
		for round := range 2 * *rounds {
			if err := b.crash(round%2 == 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// cast is who plays which part before a crash.
type cast struct {
	victim, survivor, standby string
	isCoordinator             bool // the victim
}

// choose picks an active member as the victim: the one that coordinates or the one that
// does not, if such a one is active.
func (b *bench) choose(wantsCoordinator bool) (*cast, error) {
	assignment, err := b.ring.Assignment(b.ctx)
	if err != nil {
		return nil, err
	}
	status, err := b.members["a"].Status(b.ctx)
	if err != nil {
		return nil, err
	}
	coordinator, _, _ := strings.Cut(status.Coordinator, "/")
	chosen := &cast{}
	for id := range b.members {
		switch {
		case assignment.Count(id) == 0:
			chosen.standby = id
		case chosen.victim == "" || (id == coordinator) == wantsCoordinator:
			chosen.survivor, chosen.victim = chosen.victim, id
		default:
			chosen.survivor = id
		}
	}
	chosen.isCoordinator = chosen.victim == coordinator
	return chosen, nil
}

// crash kills a member and its controller at once, and starts it again afterwards: it
// stands by then.
func (b *bench) crash(wantsCoordinator bool) error {
	if err := b.waitQuiet(); err != nil {
		return err
	}
	chosen, err := b.choose(wantsCoordinator)
	if err != nil {
		return err
	}
	if _, err := b.waitShared(chosen.victim, chosen.survivor); err != nil {
		return err
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	victim := b.members[chosen.victim]
	victim.Process.Signal(9)
	killed := time.Now()
	victim.stopInformers()
	arrived, err := b.waitShared(chosen.survivor, chosen.standby)
	if err != nil {
		return err
	}
	delete(b.members, chosen.victim)
	o, err := b.endChange(c, "")
	if err != nil {
		return err
	}
	what := "crash"
	if chosen.isCoordinator {
		what = "crash of the coordinator"
	}
	name := fmt.Sprintf("%s, %d objects, Lease of 5 s: ", what, b.objects)
	first := b.members[chosen.standby].informers[0].first()
	b.results.add(name+"until the first is held, ms", 6000, "Lease duration + 1 s", ms(first.Sub(killed)))
	b.results.add(name+"until all are held, ms", 6000, "Lease duration + 1 s", ms(arrived[chosen.standby].Sub(killed)))
	b.results.add(name+"object writes and relists", 0, "", o.writes+o.relists)
	return b.startWithInformers(chosen.victim)
}
