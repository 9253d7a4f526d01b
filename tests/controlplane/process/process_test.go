package process

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waiter tells when it is continued, and ends when it is asked to.
const waiter = `trap 'echo continued' CONT; trap 'echo asked; end=yes' TERM
echo ready
while [ -z "$end" ]; do sleep 0.02; done
exit 0`

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start("child", filepath.Join(t.TempDir(), "log"), nil, "bash", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(p.Output(), "ready"); {
		if time.Now().After(deadline) {
			t.Fatal("it does not start")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return p
}

// A SIGCONT at the wrong moment of an exit makes a sanitized program hang.
func TestOnlyAStoppedChildIsContinuedWhenItIsToEnd(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		p := start(t, waiter)
		if stopped {
			p.Signal(syscall.SIGSTOP)
		}
		if !p.Stop(time.Minute) {
			t.Fatalf("it did not end; stopped before: %t", stopped)
		}
		if p.Err() != nil || !strings.Contains(p.Output(), "asked") {
			t.Errorf("it ended with %v: %q", p.Err(), p.Output())
		}
		if continued := strings.Contains(p.Output(), "continued"); continued != stopped {
			t.Errorf("stopped before: %t, continued: %t", stopped, continued)
		}
	}
}

func TestAChildThatDoesNotEndIsKilledAndSaysWhatItDid(t *testing.T) {
	p := start(t, "trap '' TERM; echo ready; while :; do sleep 0.02; done")
	if p.Stop(100 * time.Millisecond) {
		t.Error("it ended by itself")
	}
	if p.Running() || !strings.Contains(p.Tail(10), "it does not end; thread") {
		t.Errorf("it runs: %t; its output: %q", p.Running(), p.Output())
	}
}
