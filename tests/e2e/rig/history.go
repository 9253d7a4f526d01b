package rig

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"ringside.dev/ringside/tests/controlplane"
)

// Write is a request of the controller behind a member for an object of a bucket,
// whatever its answer: the member let it pass. It took effect, if it did, at some
// moment from From to To.
type Write struct {
	From, To time.Time
	Bucket   int
	Writer   string // the member's id
	Event    string
}

// History is who owned which bucket when, and who wrote: what the audit log tells.
type History struct {
	Versions []Publication // in order
	Writes   []Write
}

// Add takes a version of the ring's assignment from the audit log; other events it
// ignores.
func (h *History) Add(r *Ring, event *controlplane.Event) error {
	publication, err := r.publication(event)
	if err == nil && publication != nil {
		h.Versions = append(h.Versions, *publication)
	}
	return err
}

// publication is nil if the event is something else.
func (r *Ring) publication(event *controlplane.Event) (*Publication, error) {
	if !event.IsWrite() || event.Object.Resource != "configmaps" ||
		event.Key() != r.Namespace+"/"+r.Name+"-assignment" || event.ResponseObject == nil {
		return nil, nil
	}
	var configMap corev1.ConfigMap
	if err := json.Unmarshal(event.ResponseObject, &configMap); err != nil {
		return nil, fmt.Errorf("%v: %w", event, err)
	}
	assignment, err := ParseAssignment(configMap.Data)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", event, err)
	}
	return &Publication{assignment, event.Received, event.At}, nil
}

// Strays are the writes, from the first-th on, of a member that did not own the
// bucket at any moment of the write.
func (h *History) Strays(first int) []Write {
	var strays []Write
	for _, w := range h.Writes[first:] {
		if !h.isOwner(&w) {
			strays = append(strays, w)
		}
	}
	return strays
}

func (h *History) isOwner(w *Write) bool { return h.Owned(w.Writer, w.Bucket, w.From, w.To) }

// Owned says whether the member owned the bucket at some moment between.
func (h *History) Owned(id string, bucket int, from, to time.Time) bool {
	for i, v := range h.Versions {
		isOver := i+1 < len(h.Versions) && h.Versions[i+1].Before.Before(from)
		if !isOver && !v.After.After(to) && v.OwnerID(bucket) == id {
			return true
		}
	}
	return false
}

// Came says whether the bucket came to the member between, or back: a release may be
// taken back before it is over.
func (h *History) Came(id string, bucket int, from, to time.Time) bool {
	for i, v := range h.Versions {
		isNew := i == 0 || !h.Versions[i-1].keeps(id, bucket)
		if isNew && v.keeps(id, bucket) && v.Before.After(from) && v.Before.Before(to) {
			return true
		}
	}
	return false
}

// Overlaps are pairs of writes, from the first-th on, of two members to one bucket
// that were under way at one time.
func (h *History) Overlaps(first int) [][2]Write {
	var overlaps [][2]Write
	last := map[int]map[string]Write{} // the last to end, of each bucket and writer
	for _, w := range h.Writes[first:] {
		if last[w.Bucket] == nil {
			last[w.Bucket] = map[string]Write{}
		}
		for writer, before := range last[w.Bucket] {
			if writer != w.Writer && before.To.After(w.From) {
				overlaps = append(overlaps, [2]Write{before, w})
			}
		}
		if w.To.After(last[w.Bucket][w.Writer].To) {
			last[w.Bucket][w.Writer] = w
		}
	}
	return overlaps
}

// Moves is how often each bucket has changed its owner.
func (h *History) Moves() map[int]int {
	moves := map[int]int{}
	for i, v := range h.Versions[1:] {
		for bucket := range v.Owner {
			if v.OwnerID(bucket) != h.Versions[i].OwnerID(bucket) {
				moves[bucket]++
			}
		}
	}
	return moves
}
