package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/rig"
)

// Who dies of two active members; a third one stands by.
type crashKind struct {
	name    string
	victims func(coordinator, other string) []string
}

var crashKinds = []crashKind{
	{"a member", func(_, other string) []string { return []string{other} }},
	{"the coordinator", func(coordinator, _ string) []string { return []string{coordinator} }},
	{"both", func(coordinator, other string) []string { return []string{coordinator, other} }},
}

// measureCrashes kills one of two active members, or both, of which a third one takes
// the buckets: of few objects and of many in turns, as each crash finds a machine that
// does something else besides.
func measureCrashes(b *bench) error {
	many, err := b.another("many")
	if err != nil {
		return err
	}
	if err := b.startToCrash(100); err != nil {
		return err
	}
	if err := many.startToCrash(10000); err != nil {
		return err
	}
	for range *rounds {
		for _, each := range []*bench{b, many} {
			if err := each.measureInformer(); err != nil {
				return err
			}
		}
		for _, kind := range crashKinds {
			for _, each := range []*bench{b, many} {
				if err := each.crash(kind); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (b *bench) startToCrash(count int) error {
	err := b.newRing("crash", 2, func(r *rig.Ring) {
		r.Duration, r.Renew, r.Margin = 5*time.Second, time.Second, time.Second
	})
	if err != nil {
		return err
	}
	b.resources = []schema.GroupVersionResource{rig.Foos}
	if err := b.createObjects(0, count); err != nil {
		return err
	}
	if err := b.startWithInformers("a", "b"); err != nil {
		return err
	}
	if err := b.waitActive("a", "b"); err != nil {
		return err
	}
	return b.startWithInformers("c")
}

// measureInformer measures what an informer takes that is told of all objects by the
// API server itself: who takes buckets over has to be told of them, too.
func (b *bench) measureInformer() error {
	const direct = "direct"
	m := &member{clients: b.cluster.Clients}
	b.members[direct] = m
	defer delete(b.members, direct)
	defer m.stopInformers()
	began := time.Now()
	if err := m.startInformers(b.ctx, false, b.resources...); err != nil {
		return err
	}
	held, _, err := b.waitHeld(direct, b.objects)
	b.results.add(fmt.Sprintf("informer without Ringside, %d objects: until all are held, ms", b.objects),
		noTarget, "beside a crash", ms(held.Sub(began)))
	return err
}

// cast is who plays which part before a crash.
type cast struct {
	coordinator, other, standby string
}

func (b *bench) choose() (*cast, error) {
	assignment, err := b.ring.Assignment(b.ctx)
	if err != nil {
		return nil, err
	}
	status, err := b.members["a"].Status(b.ctx)
	if err != nil {
		return nil, err
	}
	chosen := &cast{}
	chosen.coordinator, _, _ = strings.Cut(status.Coordinator, "/")
	for id := range b.members {
		switch {
		case assignment.Count(id) == 0:
			chosen.standby = id
		case id != chosen.coordinator:
			chosen.other = id
		}
	}
	if assignment.Count(chosen.coordinator) == 0 || chosen.standby == "" {
		return nil, fmt.Errorf("of two active members one should coordinate: %+v", *chosen)
	}
	_, err = b.waitShared(chosen.coordinator, chosen.other)
	return chosen, err
}

// leasesEnd tells when the last of the Leases of members that are dead runs out: a
// crash finds a Lease renewed just now, or a second ago.
func (b *bench) leasesEnd(ids []string) (time.Time, error) {
	var end time.Time
	for _, id := range ids {
		lease, err := b.cluster.Kube.CoordinationV1().Leases(b.ring.Namespace).
			Get(b.ctx, b.ring.Name+"."+id, metav1.GetOptions{})
		if err != nil {
			return end, err
		}
		if at := lease.Spec.RenewTime.Add(b.ring.Duration); at.After(end) {
			end = at
		}
	}
	return end, nil
}

// crash kills members and their controllers at once, and starts them again afterwards.
func (b *bench) crash(kind crashKind) error {
	if err := b.waitQuiet(); err != nil {
		return err
	}
	chosen, err := b.choose()
	if err != nil {
		return err
	}
	ids := kind.victims(chosen.coordinator, chosen.other)
	var victims []*member
	for _, id := range ids {
		victims = append(victims, b.members[id])
		delete(b.members, id)
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	for _, victim := range victims {
		victim.Process.Signal(9)
	}
	killed := time.Now()
	for _, victim := range victims {
		victim.stopInformers()
	}
	end, err := b.leasesEnd(ids)
	if err != nil {
		return err
	}
	var living []string
	for id := range b.members {
		living = append(living, id)
	}
	arrived, err := b.waitShared(living...)
	if err != nil {
		return err
	}
	o, err := b.endChange(c, "")
	if err != nil {
		return err
	}
	first, held := b.members[chosen.standby].informers[0].first(), arrived[chosen.standby]
	name := fmt.Sprintf("crash of %s, %d objects: ", kind.name, b.objects)
	b.results.add(name+"from the kill until all are held, ms", 6000, "Lease of 5 s + 1 s", ms(held.Sub(killed)))
	b.results.add(name+"Lease's end until published, ms", noTarget, "", ms(o.without(ids).Sub(end)))
	b.results.add(name+"Lease's end until the first is held, ms", noTarget, "", ms(first.Sub(end)))
	b.results.add(name+"Lease's end until all are held, ms", 1000, "", ms(held.Sub(end)))
	b.results.add(name+"object writes, relists", 0, "", o.writes+o.relists)
	return b.startWithInformers(ids...)
}

// without tells when it was stored that these own nothing.
func (o *outcome) without(ids []string) time.Time {
	at := slices.IndexFunc(o.publications, func(p rig.Publication) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return p.Count(id) > 0 })
	})
	if at < 0 {
		return time.Time{}
	}
	return o.publications[at].Before
}
