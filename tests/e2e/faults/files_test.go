package faults

import (
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// disk is where a member writes its controller's files, and cannot for a while.
type disk struct {
	dir     string
	env     []string
	trouble string // what the log says
	heal    func() error
}

// A volume that is full, or not there yet, holds the controller up; not for ever.
// Nobody ever reads a part of a file.
func TestTheControllersFilesAreWrittenWhenTheyCanBe(t *testing.T) {
	for i, row := range []struct {
		name    string
		prepare func(*testing.T) *disk
	}{{"not there yet", notThereYet}, {"without room", withoutRoom}, {"room for all but a byte", fullAtTheEnd}} {
		t.Run(row.name, func(t *testing.T) {
			d := row.prepare(t)
			ring := harness.NewRing(t, fmt.Sprintf("files%d", i), 1, nil)
			ca, kubeconfig := filepath.Join(d.dir, "ca.crt"), filepath.Join(d.dir, "kubeconfig")
			member := ring.StartWith("a", rig.MemberOptions{Env: d.env, Flags: []string{
				"--write-ca", ca, "--write-kubeconfig", kubeconfig,
			}})
			whole := watchFiles(t, ca, kubeconfig)
			waitLog(t, member, "level=error", d.dir, d.trouble)
			if err := member.Ready(t.Context()); err == nil {
				t.Error("the member says that it is ready")
			}
			pid := member.Process.Pid()
			harness.Must(t, d.heal())
			harness.Eventually(t, "the member is ready", member.Ready)
			waitLog(t, member, "the controller's files are written now")
			whole()
			list(t, kubeconfig)
			if left := harness.Must1(filepath.Glob(d.dir + "/*.*.??????"))(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if member.Process.Pid() != pid {
				t.Error("it was started again")
			}
		})
	}
}

func notThereYet(t *testing.T) *disk {
	dir := filepath.Join(t.TempDir(), "later")
	return &disk{dir: dir, trouble: "No such file or directory", heal: func() error { return os.Mkdir(dir, 0o755) }}
}

// withoutRoom is a file system of its own, which only root may make.
func withoutRoom(t *testing.T) *disk {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("no file system of its own: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	other := filepath.Join(dir, "other")
	harness.Must(t, os.WriteFile(other, make([]byte, 16<<10), 0o600))
	return &disk{dir: dir, trouble: "No space left on device", heal: func() error { return os.Remove(other) }}
}

func fullAtTheEnd(t *testing.T) *disk {
	dir, flag := t.TempDir(), filepath.Join(t.TempDir(), "full")
	harness.Must(t, os.WriteFile(flag, nil, 0o600))
	env := append(preload(t, "fulldisk/fulldisk.c"), "FULLDISK_DIR="+dir, "FULLDISK_FLAG="+flag)
	return &disk{dir: dir, env: env, trouble: "No space left on device", heal: func() error { return os.Remove(flag) }}
}

// watchFiles reads both files over and over until the function that it gives is
// called: each is there as a whole, or is not there.
func watchFiles(t *testing.T, ca, kubeconfig string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	found := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = checkFiles(ca, kubeconfig)
		}
		found <- err
	}()
	return func() {
		t.Helper()
		cancel()
		harness.Must(t, <-found)
	}
}

func checkFiles(ca, kubeconfig string) error {
	if data, err := os.ReadFile(ca); err == nil {
		if block, rest := pem.Decode(data); block == nil || len(rest) > 0 || data[len(data)-1] != '\n' {
			return fmt.Errorf("%s holds %q", ca, data)
		}
	}
	if data, err := os.ReadFile(kubeconfig); err == nil && (len(data) == 0 || data[len(data)-1] != '\n') {
		return fmt.Errorf("%s holds %q", kubeconfig, data)
	}
	return nil
}

// list shows that a kubeconfig leads through the member. Its credentials are the
// member's own.
func list(t *testing.T, kubeconfig string) {
	t.Helper()
	clients := harness.Must1(rig.NewClients(kubeconfig))(t)
	harness.Must1(clients.Dynamic.Resource(rig.Foos).List(t.Context(), metav1.ListOptions{}))(t)
}
