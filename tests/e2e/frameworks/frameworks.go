// Package frameworks starts programs of other client libraries than client-go, as
// their users write them on the first day: no word in them is about sharding.
package frameworks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"ringside.dev/ringside/tests/controlplane/process"
)

// here is the folder of this file, whatever package's test is running.
var here = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}()

// build installs what is missing, once a process, and returns the folder.
var build = sync.OnceValues(func() (string, error) {
	cmd := exec.Command(filepath.Join(here, "build.sh"))
	var folder bytes.Buffer
	cmd.Stdout, cmd.Stderr = &folder, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("frameworks/build.sh: %w", err)
	}
	return strings.TrimSpace(folder.String()), nil
})

// python is the command line of a program of python/.
func python(program string, args ...string) ([]string, error) {
	folder, err := build()
	argv := []string{filepath.Join(folder, "python/bin/python"), filepath.Join(here, "python", program)}
	return append(argv, args...), err
}

// StartKopf starts the kopf operator of python/ticker.py in a namespace. Its output is
// in dir/log.
func StartKopf(kubeconfig, dir, namespace string) (*process.Process, error) {
	folder, err := build()
	if err != nil {
		return nil, err
	}
	env := []string{"KUBECONFIG=" + kubeconfig}
	return process.Start("kopf", filepath.Join(dir, "log"), env,
		filepath.Join(folder, "python/bin/kopf"), "run", "--standalone",
		"-n", namespace, filepath.Join(here, "python/ticker.py"))
}

// rust is the command line of a program of rust/src/bin.
func rust(program string, args ...string) ([]string, error) {
	folder, err := build()
	return append([]string{filepath.Join(folder, "rust/debug", program)}, args...), err
}

// java is the command line of a program of java/, which tells of its WebSockets.
func java(program string, args ...string) ([]string, error) {
	folder, err := build()
	argv := []string{
		"java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.log.io.fabric8.kubernetes.client.dsl.internal=debug",
		"-cp", filepath.Join(folder, "java/lib/*") + ":" + filepath.Join(folder, "java/classes"), program,
	}
	return append(argv, args...), err
}

// Watcher is a program that writes what its watch has told it to a file.
type Watcher struct {
	Process *process.Process
	file    string
}

// Resource names what to watch.
type Resource struct{ Group, Version, Kind, Plural string }

// StartWatcher starts the watcher of a library: "python" (a custom resource, or
// deployments by its informer), "rust", "rust-streaming" or "java". Its files are in dir.
func StartWatcher(library, kubeconfig, dir string, of Resource) (*Watcher, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	w := &Watcher{file: filepath.Join(dir, "held.json")}
	argv, err := w.command(library, of)
	if err != nil {
		return nil, err
	}
	env := []string{"KUBECONFIG=" + kubeconfig, "PYTHONUNBUFFERED=1"}
	w.Process, err = process.Start(library, filepath.Join(dir, "log"), env, argv...)
	return w, err
}

func (w *Watcher) command(library string, of Resource) ([]string, error) {
	gvkp := strings.Join([]string{of.Group, of.Version, of.Kind, of.Plural}, "/")
	switch library {
	case "python":
		if of.Plural == "deployments" {
			return python("watcher.py", of.Plural, w.file)
		}
		return python("watcher.py", strings.Join([]string{of.Group, of.Version, of.Plural}, "/"), w.file)
	case "rust":
		return rust("watcher", gvkp, w.file)
	case "rust-streaming":
		return rust("watcher", gvkp, w.file, "streaming")
	case "java":
		return java("Watcher", of.Group+"/"+of.Version, of.Kind, w.file)
	}
	return nil, fmt.Errorf("no watcher of %q", library)
}

// IsSynced says whether it has had its first list.
func (w *Watcher) IsSynced() bool {
	_, err := os.Stat(w.file)
	return err == nil
}

// Held is what it holds: "uid resourceVersion" by "namespace/name".
func (w *Watcher) Held() (map[string]string, error) {
	text, err := os.ReadFile(w.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing yet, see %s", w.Process.Log)
	}
	if err != nil {
		return nil, err
	}
	held := map[string]string{}
	return held, json.Unmarshal(text, &held)
}
