package harness

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Ring is a ring that ends with the test.
type Ring struct {
	*rig.Ring
	Members map[string]*Member
	// KeepObjects leaves the Foos and Deployments in the namespace.
	KeepObjects bool

	t testing.TB
}

// Member is a member that ends with the test, and the controller behind it.
type Member struct {
	*rig.Member
	Controller *process.Process

	t    testing.TB
	dead bool // killed on purpose: how it ended says nothing
}

// NewRing makes a ring of Foos in a namespace of its own name. change, if not
// nil, changes its configuration before it is written.
func NewRing(t testing.TB, name string, shards int, change func(*rig.Ring)) *Ring {
	t.Helper()
	ring := Must1(cluster.NewRing(t.Context(), name, shards))(t)
	if change != nil {
		change(ring)
		Must(t, ring.Write())
	}
	r := &Ring{Ring: ring, Members: map[string]*Member{}, t: t}
	t.Cleanup(r.finish)
	return r
}

// Start starts members and waits until they answer; not until they are ready.
func (r *Ring) Start(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		r.StartWith(id, rig.MemberOptions{})
	}
	for _, id := range ids {
		r.Members[id].WaitHealthy()
	}
}

// StartWith starts one member with options, without waiting.
func (r *Ring) StartWith(id string, options rig.MemberOptions) *Member {
	r.t.Helper()
	m := &Member{Member: Must1(r.StartMember(id, options))(r.t), t: r.t}
	r.Members[id] = m
	return m
}

// WaitHealthy waits until the member answers on its admin port.
func (m *Member) WaitHealthy() {
	m.t.Helper()
	Eventually(m.t, "member "+m.ID+" starts", func(ctx context.Context) error {
		if !m.Process.Running() {
			return fmt.Errorf("it ended: %v", m.Process.Err())
		}
		_, err := m.AdminGet(ctx, "/healthz")
		return err
	})
}

// WaitState waits until the member says that it is in a state.
func (m *Member) WaitState(state string) *rig.Status {
	m.t.Helper()
	var status *rig.Status
	Eventually(m.t, "member "+m.ID+" becomes "+state, func(ctx context.Context) (err error) {
		if status, err = m.Status(ctx); err != nil {
			return err
		}
		if status.State != state {
			return fmt.Errorf("it is %s: %s", status.State, status.Reason)
		}
		return nil
	})
	return status
}

// Metrics are what the member counts.
func (m *Member) Metrics() rig.Metrics {
	m.t.Helper()
	return Must1(m.ReadMetrics(m.t.Context()))(m.t)
}

// Metric is the value of one, by its name and labels.
func (m *Member) Metric(sample string) int {
	m.t.Helper()
	value, isThere := m.Metrics()[sample]
	if !isThere {
		m.t.Fatalf("member %s has no metric %s", m.ID, sample)
	}
	return int(value)
}

// WaitMoved waits until none of the member's clients is being moved.
func (m *Member) WaitMoved() {
	m.t.Helper()
	Eventually(m.t, "the clients of member "+m.ID+" arrive", m.CheckMoved)
}

// WaitActive waits until exactly these members share the buckets, evenly, know
// it, and are ready.
func (r *Ring) WaitActive(ids ...string) {
	r.t.Helper()
	r.WaitActiveWithin(Patience, ids...)
}

// WaitActiveWithin is WaitActive with a deadline.
func (r *Ring) WaitActiveWithin(within time.Duration, ids ...string) {
	r.t.Helper()
	what := fmt.Sprintf("the active members are %s", strings.Join(ids, ", "))
	Within(r.t, within, what, func(ctx context.Context) error {
		assignment, err := r.Assignment(ctx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			err = errors.Join(err, r.checkActive(ctx, assignment, id, len(ids)))
		}
		return err
	})
}

func (r *Ring) checkActive(ctx context.Context, assignment *rig.Assignment, id string, n int) error {
	const buckets = 256
	count := assignment.Count(id)
	if count != buckets/n && count != (buckets+n-1)/n {
		return fmt.Errorf("%s is assigned %d of %d buckets", id, count, buckets)
	}
	status, err := r.Members[id].Status(ctx)
	if err != nil {
		return err
	}
	if fmt.Sprint(status.Epoch) != assignment.Epoch || status.OwnedCount != count {
		return fmt.Errorf("%s is at epoch %d with %d buckets, not at %s with %d",
			id, status.Epoch, status.OwnedCount, assignment.Epoch, count)
	}
	if status.State != "active" {
		return fmt.Errorf("%s is %s: %s", id, status.State, status.Reason)
	}
	for _, resource := range status.Resources {
		if resource.State != "serving" {
			return fmt.Errorf("%s: %s is %s", id, resource.Resource, resource.State)
		}
		if resource.View != status.Owned {
			return fmt.Errorf("%s: of %s it shows %s, and owns %s",
				id, resource.Resource, resource.View, status.Owned)
		}
	}
	return r.Members[id].Ready(ctx)
}

// StartControllers runs a sample-controller behind each of the members.
func (r *Ring) StartControllers(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		r.Members[id].Controller = Must1(r.Members[id].StartSampleController())(r.t)
	}
}

// Restart starts a member that has ended, with the same id and flags.
func (m *Member) Restart() {
	m.t.Helper()
	m.dead = false
	Must(m.t, m.Start())
}

// Kill ends the member and its controller at once, as a machine does that dies.
func (m *Member) Kill() {
	m.dead = true
	m.Process.Signal(9)
	if m.Controller != nil {
		m.Controller.Kill()
	}
	m.Process.Kill()
}

// Crash ends the member alone at once; its controller goes on.
func (m *Member) Crash() {
	m.dead = true
	m.Process.Kill()
}

// Terminate asks the member to leave and waits until it has ended.
func (m *Member) Terminate() {
	m.t.Helper()
	if !m.Process.Stop(Patience) {
		m.t.Errorf("member %s did not end within %s of SIGTERM", m.ID, Patience)
	}
	m.checkEnd()
}

// Clients are user's clients through this member.
func (m *Member) Clients(user string) *rig.Clients {
	m.t.Helper()
	return Must1(m.Member.Clients(user))(m.t)
}

// AsAdmin are the administrator's clients through this member.
func (m *Member) AsAdmin() *rig.Clients {
	m.t.Helper()
	return m.Clients(controlplane.Admin)
}

var sanitizer = regexp.MustCompile(`(?m)^.*(ERROR: \w+Sanitizer|runtime error:).*$`)

// checkEnd fails the test when a member did not end the way it should.
func (m *Member) checkEnd() {
	m.t.Helper()
	if line := sanitizer.FindString(m.Process.Output()); line != "" {
		m.t.Errorf("member %s: %s", m.ID, line)
	}
	if err := m.Process.Err(); err != nil && !m.dead {
		m.t.Errorf("member %s ended with: %v", m.ID, err)
	}
}

// finish ends everything, and clears the namespace for the tests that follow:
// other rings see all Foos of the cluster.
func (r *Ring) finish() {
	for _, m := range r.Members {
		if m.Controller != nil {
			m.Controller.Kill()
		}
	}
	for _, m := range r.Members {
		m.Process.Signal(15) // all at once, so that nobody takes over
	}
	for _, m := range r.Members {
		m.Terminate()
	}
	r.showLogs()
	if !r.KeepObjects {
		r.deleteObjects()
	}
}

func (r *Ring) deleteObjects() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	for _, client := range []interface {
		DeleteCollection(context.Context, metav1.DeleteOptions, metav1.ListOptions) error
	}{
		cluster.Dynamic.Resource(rig.Foos).Namespace(r.Namespace),
		cluster.Kube.AppsV1().Deployments(r.Namespace),
	} {
		if err := client.DeleteCollection(ctx, now, metav1.ListOptions{}); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *Ring) showLogs() {
	if !r.t.Failed() {
		return
	}
	for _, m := range r.Members {
		r.t.Logf("--- %s (%s)\n%s", m.Process.Name, m.Process.Log, m.Process.Tail(60))
		if m.Controller != nil {
			r.t.Logf("--- %s\n%s", m.Controller.Name, m.Controller.Tail(15))
		}
	}
	r.t.Log(cluster.Logs(5))
	sayAgain(r.t)
}

// Coordinator is the id of the member that coordinates.
func (r *Ring) Coordinator() string {
	r.t.Helper()
	var id string
	Eventually(r.t, "somebody coordinates", func(ctx context.Context) error {
		lease, err := cluster.Kube.CoordinationV1().Leases(r.Namespace).Get(ctx, r.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
			return errors.New("the seat is empty")
		}
		id, _, _ = strings.Cut(*lease.Spec.HolderIdentity, "/")
		return nil
	})
	return id
}
