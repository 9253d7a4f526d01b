package controllers

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The coordinator and another member die at one moment, so that who is to give their
// buckets away must be found first. Exactly the lost buckets get other owners, those of
// members that stood by where there are any, and all objects are acted upon again.
func TestTheCoordinatorAndAMemberDieTogether(t *testing.T) {
	for _, c := range []struct {
		name           string
		active, spares []string
		die            func(*harness.Member)
	}{
		{"proxies", []string{"a", "b", "c", "d"}, nil, (*harness.Member).Crash},
		{"controllers-too", []string{"a", "b", "c"}, []string{"d", "e"}, (*harness.Member).Kill},
	} {
		t.Run(c.name, func(t *testing.T) { dieTogether(t, "together-"+c.name, c.active, c.spares, c.die) })
	}
}

func dieTogether(t *testing.T, name string, active, spares []string, die func(*harness.Member)) {
	ring, witness := startRing(t, name, 24, nil, active...)
	ring.Start(spares...)
	for _, id := range spares {
		ring.Members[id].WaitState("standby")
	}
	ring.StartControllers(spares...)
	log := newLog(t, ring)
	var stops []func()
	for _, id := range slices.Concat(active, spares) {
		stops = append(stops, startWriter(t, ring, id, 30*time.Millisecond))
	}
	log.check(active...)

	coordinator := ring.Coordinator()
	if !slices.Contains(active, coordinator) {
		t.Fatalf("%s coordinates, a member that stands by", coordinator)
	}
	dead := []string{coordinator, without(active, coordinator)[0]}
	living := slices.Concat(without(without(active, dead[0]), dead[1]), spares)
	before := harness.Must1(ring.Assignment(t.Context()))(t)
	for _, id := range dead {
		ring.Members[id].Process.Signal(syscall.SIGKILL)
	}
	killed := time.Now()
	for _, id := range dead {
		die(ring.Members[id])
	}
	ring.WaitActive(living...)
	t.Logf("%q took over from %q after %.1f s; a Lease lasts %s", living, dead, time.Since(killed).Seconds(), ring.Duration)
	log.check(living...)
	for _, stop := range stops {
		stop()
	}
	log.checkMoved(before, dead, spares)
	witness.checkReconciled(10) // no writer asks for so many
}

// checkMoved checks that buckets of the dead have had other owners since before, of the
// spares if there are any, and no other bucket has.
func (h *history) checkMoved(before *rig.Assignment, dead, spares []string) {
	h.t.Helper()
	since := slices.IndexFunc(h.Versions, func(v rig.Publication) bool { return v.Epoch == before.Epoch })
	if since < 0 {
		h.t.Fatalf("epoch %s is not in the log", before.Epoch)
	}
	moves := (&rig.History{Versions: h.Versions[since:]}).Moves()
	last := h.Versions[len(h.Versions)-1]
	var wrong []string
	for bucket := range before.Owner {
		from, to := before.OwnerID(bucket), last.OwnerID(bucket)
		isLost := slices.Contains(dead, from)
		isTaken := !slices.Contains(dead, to) && (len(spares) == 0 || slices.Contains(spares, to))
		if isLost && !isTaken || !isLost && moves[bucket] > 0 {
			wrong = append(wrong, fmt.Sprintf("%d from %s to %s", bucket, from, to))
		}
	}
	failIfAny(h.t, wrong, "buckets are not where they belong, or have moved without need")
}
