package faults

import (
	"syscall"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The file is read again on SIGHUP and when it changes. One that cannot be used is
// told by line, and changes nothing.
func TestAConfigurationThatCannotBeUsedChangesNothing(t *testing.T) {
	ring := harness.NewRing(t, "reload", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	member := ring.Members["a"]
	member.Process.Signal(syscall.SIGHUP)
	waitLog(t, member, "level=info", "msg=reloaded")

	for _, row := range []struct{ extra, says string }{
		{"sharts: 2\n", "did you mean"},
		{"buckets: 128\n", "needs a restart"},
		{"resources: [\n", "ring.yaml:"},
	} {
		ring.Extra = row.extra
		harness.Must(t, ring.Write())
		waitLog(t, member, "level=error", "not reloaded", row.says)
		ring.WaitActive("a")
	}
	ring.Extra = ""
	harness.Must(t, ring.SetShards(2))
	ring.StartWith("b", rig.MemberOptions{})
	ring.WaitActive("a", "b")
}
