package controllers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// history reads the audit log as a test goes on: each assignment that was stored,
// and each write that a writer's proxy forwarded.
type history struct {
	rig.History
	t       *testing.T
	ring    *harness.Ring
	reader  *controlplane.AuditReader
	buckets map[string]int // of each Foo
	checked int            // writes that have been
}

func newLog(t *testing.T, ring *harness.Ring) *history {
	t.Helper()
	h := &history{t: t, ring: ring, reader: harness.Cluster().NewAuditReader(), buckets: map[string]int{}}
	for _, foo := range ring.Foos() {
		h.buckets[foo.GetName()] = harness.Must1(strconv.Atoi(foo.GetLabels()[ring.Label()]))(t)
	}
	h.read()
	return h
}

// read reads what was logged since the last call.
func (h *history) read() {
	h.t.Helper()
	for _, event := range harness.Must1(h.reader.Next())(h.t) {
		if event.Object.Namespace != h.ring.Namespace || event.Stage != "ResponseComplete" {
			continue
		}
		harness.Must(h.t, h.Add(h.ring.Ring, &event))
		id, isWriter := writerOf(event.UserAgent)
		if isWriter && event.Verb == "patch" && !strings.Contains(event.RequestURI, "timeout=") {
			h.t.Errorf("the API server was not told how long it may take: %s: %s", &event, event.RequestURI)
		}
		if isWriter && event.Verb == "patch" && event.Object.Resource == "foos" {
			h.Writes = append(h.Writes, rig.Write{From: event.Received, To: event.At,
				Bucket: h.buckets[event.Object.Name], Writer: id, Event: event.String()})
		}
	}
}

// check checks one_writer for what was logged since the last check: whoever wrote
// owned the bucket at some moment of the write, and no two members' writes to one
// bucket overlapped. Each of ids must have written.
func (h *history) check(ids ...string) {
	h.t.Helper()
	h.waitWrites(ids...)
	counts := map[string]int{}
	for _, w := range h.Writes[h.checked:] {
		counts[w.Writer]++
	}
	h.t.Logf("%d writes (%v), %d assignments", len(h.Writes)-h.checked, counts, len(h.Versions))
	var stray, overlapping []string
	for _, w := range h.Strays(h.checked) {
		stray = append(stray, w.Event)
	}
	for _, pair := range h.Overlaps(h.checked) {
		overlapping = append(overlapping, pair[0].Event+" | "+pair[1].Event)
	}
	h.checked = len(h.Writes)
	failIfAny(h.t, stray, "writes were let pass by a member that did not own the bucket")
	failIfAny(h.t, overlapping, "writes of two members to one bucket overlapped")
}

// waitEpoch waits until an assignment has been stored that read has not read.
func (h *history) waitEpoch() {
	h.t.Helper()
	before := len(h.Versions)
	harness.Eventually(h.t, "another assignment is stored", func(context.Context) error {
		h.read()
		if len(h.Versions) == before {
			return fmt.Errorf("the last one is of epoch %s", h.Versions[before-1].Epoch)
		}
		return nil
	})
}

// waitWrites waits until each of these members' writers has written since the
// last check.
func (h *history) waitWrites(ids ...string) {
	h.t.Helper()
	began := time.Now()
	harness.Eventually(h.t, "all writers write", func(context.Context) error {
		h.read()
		wrote := map[string]bool{}
		for _, w := range h.Writes[h.checked:] {
			if w.From.After(began) {
				wrote[w.Writer] = true
			}
		}
		for _, id := range ids {
			if !wrote[id] {
				return fmt.Errorf("the one behind %s does not", id)
			}
		}
		return nil
	})
}
