// Package controlplane runs a real Kubernetes control plane on the loopback
// interface, for tests: etcd, one or more kube-apiservers with an audit log, a
// static set of users, and on demand kube-controller-manager.
//
// The audit log is the independent witness of the tests: it says which user
// wrote which object when, whatever the program under test believes.
package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"ringside.dev/ringside/tests/controlplane/process"
)

// Options say what to start.
type Options struct {
	// Binaries is the folder with etcd, kube-apiserver, kubectl and so on.
	// Empty: $CONTROLPLANE, or what build.sh prints (and builds, if need be).
	Binaries string
	// Dir holds data, logs and kubeconfigs. The caller removes it.
	Dir string
	// Users, beside the user Admin, whom RBAC lets do everything.
	Users []User
	// AuditBodies are resources, as "resource.group", of which the audit log holds
	// what was asked for.
	AuditBodies []string
	// APIServerFlags are added to those of every API server.
	APIServerFlags []string
}

// ControlPlane is a running control plane.
type ControlPlane struct {
	// API is the first API server; StartAPIServer adds others.
	API *APIServer

	options  Options
	users    map[string]User
	etcd     *etcd
	mutex    sync.Mutex
	servers  []*APIServer
	managers []*process.Process
}

// Start runs etcd and an API server, and returns when the latter is ready.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	c := &ControlPlane{options: options, users: map[string]User{}}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) (err error) {
	if c.options.Binaries == "" {
		if c.options.Binaries, err = findBinaries(ctx); err != nil {
			return err
		}
	}
	if err := c.writeIdentities(); err != nil {
		return err
	}
	if c.etcd, err = startEtcd(ctx, c.Binary("etcd"), c.options.Dir); err != nil {
		return err
	}
	c.API, err = c.StartAPIServer(ctx)
	return err
}

// Stop ends everything. Data and logs stay.
func (c *ControlPlane) Stop() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, manager := range c.managers {
		manager.Kill()
	}
	for _, server := range c.servers {
		server.Kill()
	}
	if c.etcd != nil {
		c.etcd.process.Kill()
	}
}

// Binary is the path of one of the programs.
func (c *ControlPlane) Binary(name string) string {
	return filepath.Join(c.options.Binaries, name)
}

// Logs gives the last lines of every program's log, for a failed test.
func (c *ControlPlane) Logs(lines int) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var text strings.Builder
	show := func(p *process.Process) {
		if p != nil {
			fmt.Fprintf(&text, "--- %s (%s)\n%s\n", p.Name, p.Log, p.Tail(lines))
		}
	}
	if c.etcd != nil {
		show(c.etcd.process)
	}
	for _, server := range c.servers {
		show(server.process)
	}
	for _, manager := range c.managers {
		show(manager)
	}
	return text.String()
}

// StartControllerManager runs kube-controller-manager with the controllers named
// (as in "deployment-controller") and the credentials of kubeconfig. It is an
// unmodified controller like any other, so extra may hold any flag of it.
func (c *ControlPlane) StartControllerManager(name, kubeconfig, controllers string,
	extra ...string) (*process.Process, error) {
	argv := append([]string{
		c.Binary("kube-controller-manager"),
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + controllers,
		"--leader-elect=false",
		"--secure-port=0",
		"--kube-api-qps=1000", "--kube-api-burst=1000",
		"--service-account-private-key-file=" + c.serviceAccountKey(),
	}, extra...)
	manager, err := process.Start(name, c.logFile(name), nil, argv...)
	if err != nil {
		return nil, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.managers = append(c.managers, manager)
	return manager, nil
}

// Revision is etcd's current revision: the newest resourceVersion there is.
func (c *ControlPlane) Revision(ctx context.Context) (int64, error) {
	return c.etcd.revision(ctx)
}

// Compact makes every resourceVersion below revision expire at once.
func (c *ControlPlane) Compact(ctx context.Context, revision int64) error {
	return c.etcd.compact(ctx, revision)
}

func (c *ControlPlane) logFile(name string) string {
	return filepath.Join(c.options.Dir, "logs", name+".log")
}

// findBinaries asks the environment, then build.sh beside this file.
func findBinaries(ctx context.Context) (string, error) {
	if dir := os.Getenv("CONTROLPLANE"); dir != "" {
		return dir, nil
	}
	_, here, _, _ := runtime.Caller(0)
	build := exec.CommandContext(ctx, filepath.Join(filepath.Dir(here), "build.sh"))
	build.Stderr = os.Stderr
	output, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", build.Path, err)
	}
	return string(bytes.TrimSpace(output)), nil
}

// waitReady calls ready until it succeeds. It gives up when the process ends.
func waitReady(ctx context.Context, p *process.Process, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-p.Done():
			err = errors.New("it ended")
		case <-ctx.Done():
		}
		return fmt.Errorf("%s is not ready: %w\n%s", p.Name, err, p.Tail(30))
	}
}
