package frameworks

import (
	"fmt"
	"path/filepath"
	"time"

	"ringside.dev/ringside/tests/controlplane/process"
)

// Mirrors are the libraries by which a controller is written that keeps, for each Foo, a
// ConfigMap of its name with its `replicas`, and the same in its status.
var Mirrors = []string{"client-go", "controller-runtime", "kube-rs", "kopf"}

// StartMirror starts such a controller; takes is how long it works on a Foo between
// what it reads and what it writes.
func StartMirror(library, name, kubeconfig, log string, takes time.Duration) (*process.Process, error) {
	folder, err := build()
	if err != nil {
		return nil, err
	}
	env := []string{"KUBECONFIG=" + kubeconfig}
	var argv []string
	switch library {
	case "client-go":
		argv = []string{filepath.Join(folder, "go/clientgo"), takes.String()}
	case "controller-runtime":
		argv = []string{filepath.Join(folder, "go/runtime"), takes.String()}
	case "kube-rs":
		argv = []string{filepath.Join(folder, "rust/debug/mirror"), fmt.Sprint(takes.Milliseconds())}
	case "kopf":
		argv = []string{filepath.Join(folder, "python/bin/kopf"), "run", "--all-namespaces", "--standalone",
			filepath.Join(here, "python/mirror.py")}
		env = append(env, fmt.Sprintf("TAKES=%f", takes.Seconds()), "PYTHONUNBUFFERED=1")
	default:
		return nil, fmt.Errorf("no mirror by %q", library)
	}
	return process.Start(name, log, env, argv...)
}
