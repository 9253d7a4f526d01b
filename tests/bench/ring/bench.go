package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
	"ringside.dev/ringside/tests/e2e/wire"
)

const (
	buckets  = 256
	patience = 2 * time.Minute
)

// bench is one scenario under way.
type bench struct {
	ctx     context.Context
	cluster *rig.Cluster
	ring    *rig.Ring
	members map[string]*member
	results *results
	objects int // of each resource
	// Where the i-th object is; nil: bucketOf.
	places func(i int) int
	// What there are objects of and informers for: Foos, perhaps Deployments.
	resources []schema.GroupVersionResource
	others    []*bench
}

// member is a proxy and the informers behind it.
type member struct {
	*rig.Member
	clients   *rig.Clients
	informers []*informer
	cancel    context.CancelFunc
}

func newBench(ctx context.Context, cluster *rig.Cluster, results *results) *bench {
	return &bench{ctx: ctx, cluster: cluster, results: results, members: map[string]*member{}}
}

// another is a bench with a cluster of its own, for what is measured side by side. It
// ends with this one.
func (b *bench) another(name string) (*bench, error) {
	cluster, err := rig.StartCluster(b.ctx, filepath.Join(b.cluster.Dir, name))
	if err != nil {
		return nil, err
	}
	other := newBench(b.ctx, cluster, b.results)
	b.others = append(b.others, other)
	return other, nil
}

func (b *bench) stop() {
	for _, other := range b.others {
		other.stop()
	}
	for _, m := range b.members {
		m.stopInformers()
		m.Process.Kill()
	}
	b.cluster.Stop()
}

// newRing makes the ring, with the lease times that are there by default unless they
// are changed.
func (b *bench) newRing(name string, shards int, change func(*rig.Ring)) (err error) {
	if b.ring, err = b.cluster.NewRing(b.ctx, name, shards); err != nil {
		return err
	}
	b.ring.Duration, b.ring.Renew, b.ring.Margin = 15*time.Second, 5*time.Second, 3*time.Second
	if change != nil {
		change(b.ring)
	}
	return b.ring.Write()
}

// start starts a member and waits until it answers.
func (b *bench) start(id string) error {
	started, err := b.ring.StartMember(id, rig.MemberOptions{})
	if err != nil {
		return err
	}
	m := &member{Member: started}
	b.members[id] = m
	err = rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		_, err := m.AdminGet(ctx, "/healthz")
		return err
	})
	if err == nil {
		m.clients, err = m.Clients(rig.ControllerUser(id))
	}
	return err
}

func (m *member) stopInformers() {
	if m.cancel != nil {
		m.cancel()
	}
	m.cancel, m.informers = nil, nil
}

// waitActive waits until these share the buckets evenly, and serve them.
func (b *bench) waitActive(ids ...string) error {
	return rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		assignment, err := b.ring.Assignment(ctx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if n := assignment.Count(id); n < buckets/len(ids) || n > buckets/len(ids)+1 {
				return fmt.Errorf("%s has %d buckets", id, n)
			}
			err = errors.Join(err, b.members[id].isServing(ctx, assignment))
		}
		return err
	})
}

func (m *member) isServing(ctx context.Context, assignment *rig.Assignment) error {
	status, err := m.Status(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(status.Epoch) != assignment.Epoch || status.OwnedCount != assignment.Count(m.ID) {
		return fmt.Errorf("%s is at epoch %d with %d buckets", m.ID, status.Epoch, status.OwnedCount)
	}
	for _, resource := range status.Resources {
		if resource.State != "serving" || resource.View != status.Owned {
			return fmt.Errorf("%s: %s is %s", m.ID, resource.Resource, resource.State)
		}
	}
	return nil
}

// waitQuiet waits until nobody is being moved: what follows begins from rest.
func (b *bench) waitQuiet() error {
	time.Sleep(2500 * time.Millisecond) // session.minAge, for watches without events
	return rig.Wait(b.ctx, patience, func(ctx context.Context) error {
		for _, m := range b.members {
			if !m.Process.Running() {
				continue
			}
			if err := m.CheckMoved(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// metric is the sum of a metric over its labels.
func (m *member) metric(ctx context.Context, name string) (float64, error) {
	metrics, err := m.ReadMetrics(ctx)
	if err != nil {
		return 0, err
	}
	return metrics.Sum(name)
}

// relists is how often members told a watch to list anew.
func (b *bench) relists() (float64, error) {
	total := 0.0
	for _, m := range b.members {
		if !m.Process.Running() {
			continue
		}
		n, err := m.metric(b.ctx, "ringside_relists_total")
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func (m *member) cpu() time.Duration { return wire.CPUOf(m.Process.Pid()) }

// heldMiB is the memory that the proxy holds, peakMiB the most that it has ever held.
func (m *member) heldMiB() float64 { return m.memoryMiB("VmRSS:") }
func (m *member) peakMiB() float64 { return m.memoryMiB("VmHWM:") }

func (m *member) memoryMiB(kind string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.Process.Pid()))
	for line := range bytes.Lines(text) {
		if value, ok := strings.CutPrefix(string(line), kind); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return float64(n) / 1024
		}
	}
	return -1
}

// audit are the requests since the mark was made.
type mark struct {
	reader *controlplane.AuditReader
	began  time.Time
}

func (b *bench) mark() (*mark, error) {
	reader := b.cluster.NewAuditReader()
	return &mark{reader, time.Now()}, reader.Skip()
}

// events are those of requests that came since; of a watch the first alone.
func (k *mark) events() ([]controlplane.Event, error) {
	all, err := k.reader.Next()
	var since []controlplane.Event
	for _, event := range all {
		if !event.Received.Before(k.began) && (event.Verb != "watch" || event.Stage == "ResponseStarted") {
			since = append(since, event)
		}
	}
	return since, err
}
