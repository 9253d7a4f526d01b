// Package harness runs rig's clusters, rings and controllers inside tests: what
// a test starts ends with it, what ends badly fails it, and a failed test shows
// the last lines of every log.
package harness

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Patience is how long a test waits for what should take a moment: the program
// under test runs with sanitizers, on a machine that does other things too.
const Patience = 30 * time.Second

var cluster *rig.Cluster

// Main is TestMain's body: one cluster for all tests of a package.
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
func Main(m *testing.M) int { return MainWith(m, nil) }

// MainWith is Main with another control plane.
func MainWith(m *testing.M, change func(*controlplane.Options)) int {
	dir, err := os.MkdirTemp("", "ringside-e2e-")
	if err != nil {
		return complain(err)
	}
	// An interrupted `make e2e` leaves nothing behind: children die with us.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		os.RemoveAll(dir)
		os.Exit(130)
	}()
	if cluster, err = rig.StartClusterWith(context.Background(), dir, change); err != nil {
		return complain(err)
	}
	code := m.Run()
	cluster.Stop()
	if code == 0 {
		os.RemoveAll(dir)
	} else {
		fmt.Fprintf(os.Stderr, "data and logs are kept in %s\n", dir)
	}
	return code
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "e2e:", err)
	return 1
}

// Cluster is the package's cluster.
func Cluster() *rig.Cluster { return cluster }

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		fatal(t, err)
	}
}

// Must1 is Must for a call that returns a value too: Must1(f())(t).
func Must1[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		Must(t, err)
		return value
	}
}

// Eventually waits until check returns nil, for at most Patience.
func Eventually(t testing.TB, what string, check func(context.Context) error) {
	t.Helper()
	Within(t, Patience, what, check)
}

// Within is Eventually with a deadline of its own.
func Within(t testing.TB, within time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	if err := rig.Wait(t.Context(), within, check); err != nil {
		fatal(t, fmt.Errorf("%s: %w", what, err))
	}
}

// failures are what was said by Errorf of tests that failed, and what ended them: it is
// said again behind their logs, which bury it.
var failures struct {
	sync.Mutex
	said []failure
}

type failure struct{ test, text string }

// Errorf fails the test and goes on.
func Errorf(t testing.TB, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	failures.Lock()
	failures.said = append(failures.said, failure{t.Name(), text})
	failures.Unlock()
	t.Error(text)
}

func fatal(t testing.TB, err error) {
	t.Helper()
	Errorf(t, "%v", err)
	t.FailNow()
}

// sayAgain says why the test, or a part of it, failed.
func sayAgain(t testing.TB) {
	failures.Lock()
	defer failures.Unlock()
	for _, f := range failures.said {
		if f.test == t.Name() || strings.HasPrefix(f.test, t.Name()+"/") {
			t.Logf("--- %s failed: %s", f.test, f.text)
		}
	}
}
