package clients

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/e2e/frameworks"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// program is a watcher of another library than client-go, in a process of its own.
type program struct{ *frameworks.Watcher }

func (p program) isSynced() bool   { return p.IsSynced() }
func (p program) broken() []string { return nil }

func (p program) held(t *testing.T) map[string]string {
	t.Helper()
	if !p.Process.Running() {
		t.Fatalf("%s ended: %v\n%s", p.Process.Name, p.Process.Err(), p.Process.Tail(20))
	}
	held, err := p.Held()
	if err != nil {
		return map[string]string{"": err.Error()}
	}
	return held
}

var programs = []struct {
	library  string
	of       frameworks.Resource
	resource schema.GroupVersionResource
}{
	{"python", frameworks.Resource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Plural: "foos"}, rig.Foos},
	{"python", frameworks.Resource{Plural: "deployments"}, rig.Deployments},
	{"rust", frameworks.Resource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Kind: "Foo", Plural: "foos"}, rig.Foos},
	{"rust-streaming", frameworks.Resource{Group: "apps", Version: "v1", Kind: "Deployment", Plural: "deployments"}, rig.Deployments},
}

func init() { startPrograms = append(startPrograms, startOtherLibraries) }

func startOtherLibraries(t *testing.T, ring *harness.Ring, member *harness.Member) []*observed {
	t.Helper()
	kubeconfig := harness.Must1(member.Kubeconfig(rig.ControllerUser(member.ID)))(t)
	var all []*observed
	for _, p := range programs {
		dir := filepath.Join(t.TempDir(), p.library)
		w := harness.Must1(frameworks.StartWatcher(p.library, kubeconfig, dir, p.of))(t)
		t.Cleanup(func() { w.Process.Stop(time.Second) })
		all = append(all, &observed{
			watcher:  program{w},
			name:     fmt.Sprintf("the %s watcher of %s of member %s", p.library, p.resource.Resource, member.ID),
			member:   member,
			resource: p.resource,
			text:     uidAndVersion,
		})
	}
	return all
}

func uidAndVersion(object map[string]any) string {
	metadata := object["metadata"].(map[string]any)
	return fmt.Sprintf("%s %s", metadata["uid"], metadata["resourceVersion"])
}
