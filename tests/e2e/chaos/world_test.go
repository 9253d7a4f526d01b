package chaos

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// world is all that can fail.
type world struct {
	t        *testing.T
	ring     *harness.Ring
	ids      []string
	pairs    map[string]*pair
	children string // binary
	load     *load
	audit    *controlplane.AuditReader
	timeline *timeline

	server sync.Mutex // the API server's restarts

	mutex     sync.Mutex
	beyond    []span            // delays beyond the margin
	published []rig.Publication // read, as the log may lack them
}

// pair is a member, its way to the API server, and the controllers behind it.
type pair struct {
	*harness.Member
	link        *rig.Link
	controllers [2]*process.Process // the sample-controller, and ours
	isBusy      bool                // something is being done to it; the director's
}

// span is a time in which a member's bytes may have come too late.
type span struct {
	id       string
	from, to time.Time
}

const configMaps = `
      - {group: "", resource: configmaps}
`

const configMapsRBAC = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: chaos-configmaps}
rules:
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, update, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: chaos-configmaps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: chaos-configmaps}
subjects:
`

func newWorld(t *testing.T, ids []string) *world {
	w := &world{t: t, ids: ids, pairs: map[string]*pair{}, timeline: newTimeline(t)}
	w.children = filepath.Join(t.TempDir(), "children")
	if output, err := exec.Command("go", "build", "-o", w.children, "./children").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	rbac := configMapsRBAC
	for _, id := range ids {
		for _, user := range []string{rig.MemberUser(id), rig.ControllerUser(id)} {
			rbac += fmt.Sprintf("- {apiGroup: rbac.authorization.k8s.io, kind: User, name: %s}\n", user)
		}
	}
	harness.Must(t, harness.Cluster().Apply(t.Context(), rbac))
	w.audit = harness.Cluster().NewAuditReader()
	w.ring = harness.NewRing(t, "chaos", len(ids), func(r *rig.Ring) {
		r.Duration, r.Renew, r.Margin = 6*time.Second, time.Second, 2*time.Second
		r.Resources = strings.TrimRight(rig.FooResources, "\n ") + configMaps
	})
	return w
}

func (w *world) start(foos int) {
	locks := w.t.TempDir()
	for _, id := range w.ids {
		link := harness.Must1(harness.Cluster().StartLink(id))(w.t)
		w.t.Cleanup(link.Close)
		kubeconfig := harness.Must1(link.Kubeconfig(rig.MemberUser(id)))(w.t)
		member := w.ring.StartWith(id, rig.MemberOptions{Flags: []string{
			"--kubeconfig", kubeconfig, "--lock-file", filepath.Join(locks, id),
		}})
		w.pairs[id] = &pair{Member: member, link: link}
	}
	w.ring.WaitActiveWithin(2*time.Minute, w.ids...)
	for _, id := range w.ids {
		harness.Must(w.t, w.pairs[id].startControllers(w))
	}
	w.t.Cleanup(func() {
		for _, p := range w.pairs {
			p.killControllers()
		}
	})
	w.load = startLoad(w, foos)
}

func (p *pair) startControllers(w *world) (err error) {
	if p.controllers[0], err = p.StartSampleController(); err != nil {
		return err
	}
	kubeconfig, err := p.Member.Member.Kubeconfig(rig.ControllerUser(p.ID))
	if err != nil {
		return err
	}
	p.controllers[1], err = process.Start("children "+p.ID, filepath.Join(harness.Cluster().Dir, "children-"+p.ID+".log"),
		nil, w.children, "-kubeconfig", kubeconfig, "-uncertain", (2 * w.ring.Duration).String())
	return err
}

func (p *pair) killControllers() {
	for _, controller := range p.controllers {
		if controller != nil {
			controller.Kill()
		}
	}
}

// heal ends what the director has left, and waits until the ring is whole.
func (w *world) heal() {
	w.timeline.add("all is well again")
	harness.Must(w.t, w.ring.SetShards(len(w.ids)))
	for _, p := range w.pairs {
		p.link.Mend()
	}
	w.ring.WaitActiveWithin(2*time.Minute, w.ids...)
}

// timeline is what was done when.
type timeline struct {
	t     *testing.T
	began time.Time
	mutex sync.Mutex
	lines []string
}

func newTimeline(t *testing.T) *timeline { return &timeline{t: t, began: time.Now()} }

func (l *timeline) add(format string, values ...any) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lines = append(l.lines, l.at(time.Now())+" "+fmt.Sprintf(format, values...))
}

func (l *timeline) at(moment time.Time) string {
	return fmt.Sprintf("%s (+%.1f s)", moment.UTC().Format("15:04:05.000"), moment.Sub(l.began).Seconds())
}

func (l *timeline) text() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return strings.Join(l.lines, "\n")
}

func sleep(ctx context.Context, length time.Duration) {
	select {
	case <-time.After(length):
	case <-ctx.Done():
	}
}
