package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// history is what the audit log tells of a ring: each assignment that was stored,
// and each write that a writer's proxy forwarded.
type history struct {
	t        *testing.T
	ring     *harness.Ring
	reader   *controlplane.AuditReader
	buckets  map[string]int // of each Foo
	versions []version
	writes   []write
	checked  int // writes that have been
}

// version is an assignment. It took effect at some moment from `from` to `to`.
type version struct {
	from, to time.Time
	*rig.Assignment
}

// write is a request of a writer for an object of a bucket, whatever its answer:
// it was let pass. It took effect, if it did, at some moment from `from` to `to`.
type write struct {
	from, to time.Time
	bucket   int
	writer   string
	event    string
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
		if event.Object.Name == h.ring.Name+"-assignment" && event.IsWrite() && event.ResponseObject != nil {
			configMap := &corev1.ConfigMap{}
			harness.Must(h.t, json.Unmarshal(event.ResponseObject, configMap))
			assignment := harness.Must1(rig.ParseAssignment(configMap.Data))(h.t)
			h.versions = append(h.versions, version{event.Received, event.At, assignment})
		}
		id, isWriter := writerOf(event.UserAgent)
		if isWriter && event.Verb == "patch" && !strings.Contains(event.RequestURI, "timeout=") {
			h.t.Errorf("the API server was not told how long it may take: %s: %s", &event, event.RequestURI)
		}
		if isWriter && event.Verb == "patch" && event.Object.Resource == "foos" {
			h.writes = append(h.writes, write{event.Received, event.At,
				h.buckets[event.Object.Name], id, event.String()})
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
	var stray, overlapping []string
	last := map[int]map[string]write{} // the last to end, of each bucket and writer
	for _, w := range h.writes[h.checked:] {
		counts[w.writer]++
		if !h.isOwner(w) {
			stray = append(stray, w.event)
		}
		if last[w.bucket] == nil {
			last[w.bucket] = map[string]write{}
		}
		for writer, before := range last[w.bucket] {
			if writer != w.writer && before.to.After(w.from) {
				overlapping = append(overlapping, before.event+" | "+w.event)
			}
		}
		if w.to.After(last[w.bucket][w.writer].to) {
			last[w.bucket][w.writer] = w
		}
	}
	h.t.Logf("%d writes (%v), %d assignments", len(h.writes)-h.checked, counts, len(h.versions))
	h.checked = len(h.writes)
	failIfAny(h.t, stray, "writes were let pass by a member that did not own the bucket")
	failIfAny(h.t, overlapping, "writes of two members to one bucket overlapped")
}

// isOwner says whether the writer owned the bucket at some moment of the write.
func (h *history) isOwner(w write) bool {
	for i, v := range h.versions {
		isOver := i+1 < len(h.versions) && h.versions[i+1].to.Before(w.from)
		if !isOver && !v.from.After(w.to) && v.OwnerID(w.bucket) == w.writer {
			return true
		}
	}
	return false
}

// moves is how often each bucket has changed its owner.
func (h *history) moves() map[int]int {
	moves := map[int]int{}
	for i, v := range h.versions[1:] {
		for bucket := range v.Owner {
			if v.OwnerID(bucket) != h.versions[i].OwnerID(bucket) {
				moves[bucket]++
			}
		}
	}
	return moves
}

// waitEpoch waits until an assignment has been stored that read has not read.
func (h *history) waitEpoch() {
	h.t.Helper()
	before := len(h.versions)
	harness.Eventually(h.t, "another assignment is stored", func(context.Context) error {
		h.read()
		if len(h.versions) == before {
			return fmt.Errorf("the last one is of epoch %s", h.versions[before-1].Epoch)
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
		for _, w := range h.writes[h.checked:] {
			if w.from.After(began) {
				wrote[w.writer] = true
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
