package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
)

// state is what can be seen at one moment. It does not change once it is made.
type state struct {
	assignment  *rig.Assignment        // from the ring's ConfigMap
	status      map[string]*rig.Status // by member id, from /ring
	foos        map[string]int         // by owner's id
	unlabelled  int
	created     map[string]int     // Deployments, by controller's member id: audit log
	rate        map[string]float64 // its writes a second, over the last seconds
	deployments int                // Foos that have one: audit log
}

// total is how many Foos there are.
func (s *state) total() int {
	total := s.unlabelled
	for _, count := range s.foos {
		total += count
	}
	return total
}

// active are the ids of members that own buckets and say so themselves.
func (s *state) active() []string {
	var ids []string
	for id, status := range s.status {
		owned := s.assignment.Count(id)
		if owned > 0 && status.State == "active" && status.OwnedCount == owned {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// observer looks at the ring from outside: its ConfigMap, the members' /ring, the
// objects, and above all the audit log.
type observer struct {
	cluster *rig.Cluster
	ring    *rig.Ring
	audit   *controlplane.AuditReader
	events  []controlplane.Event

	mutex sync.Mutex
	now   *state
}

func newObserver(cluster *rig.Cluster, ring *rig.Ring) *observer {
	return &observer{
		cluster: cluster,
		ring:    ring,
		audit:   cluster.NewAuditReader(),
		now:     &state{assignment: &rig.Assignment{}},
	}
}

func (o *observer) state() *state {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.now
}

// look makes a new state. What cannot be seen at the moment stays as it was.
func (o *observer) look(ctx context.Context, members map[string]*rig.Member) {
	next := &state{assignment: o.state().assignment, status: map[string]*rig.Status{}}
	if assignment, err := o.ring.Assignment(ctx); err == nil {
		next.assignment = assignment
	}
	for id, member := range members {
		if status, err := member.Status(ctx); err == nil {
			next.status[id] = status
		}
	}
	o.readAudit(next)
	if err := o.countFoos(ctx, next); err != nil {
		next.foos, next.unlabelled = o.state().foos, o.state().unlabelled
	}
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.now = next
}

func (o *observer) readAudit(next *state) {
	const window = 5 * time.Second
	if more, err := o.audit.Next(); err == nil {
		o.events = append(o.events, more...)
	}
	next.created, next.rate = map[string]int{}, map[string]float64{}
	have := map[string]bool{}
	for _, event := range o.events {
		id, isController := strings.CutPrefix(event.User.Name, "controller-")
		if !isController || !event.IsWrite() || event.Object.Namespace != o.ring.Namespace {
			continue
		}
		if event.Object.Resource == "deployments" && event.Verb == "create" {
			next.created[id]++
			have[event.Object.Name] = true
		}
		isObject := event.Object.Resource == "deployments" || event.Object.Resource == "foos"
		if isObject && time.Since(event.At) < window {
			next.rate[id] += 1 / window.Seconds()
		}
	}
	next.deployments = len(have)
}

// countFoos counts each member's Foos by their label, as the API server has it.
func (o *observer) countFoos(ctx context.Context, next *state) error {
	list, err := o.cluster.Metadata.Resource(rig.Foos).Namespace(o.ring.Namespace).
		List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	next.foos = map[string]int{}
	for _, foo := range list.Items {
		bucket, err := strconv.Atoi(foo.Labels[o.ring.Label()])
		if err != nil {
			next.unlabelled++
			continue
		}
		next.foos[next.assignment.OwnerID(bucket)]++
	}
	return nil
}

// ids are all members that ever showed up in the state, sorted.
func (s *state) ids() []string {
	ids := map[string]bool{}
	for id := range s.status {
		ids[id] = true
	}
	for id := range s.created {
		ids[id] = true
	}
	return slices.Sorted(maps.Keys(ids))
}
