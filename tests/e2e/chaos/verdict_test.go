package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// judge tells what came of it, and fails the test where it should not have.
func (w *world) judge() {
	leftOut := w.leftOut()
	events := harness.Must1(w.audit.Next())(w.t)
	history := w.history(events)
	var wrong, late []string
	for _, write := range history.Strays(0) {
		text := write.Event + ", not the owner"
		if w.wasBeyond(write) {
			late = append(late, text)
		} else {
			wrong = append(wrong, text)
		}
	}
	for _, pair := range history.Overlaps(0) {
		text := pair[0].Event + " | " + pair[1].Event
		if w.wasBeyond(pair[0]) || w.wasBeyond(pair[1]) {
			late = append(late, text)
		} else {
			wrong = append(wrong, text)
		}
	}
	w.t.Logf("%d writes, %d assignments, a bucket moved %d times at most",
		len(history.Writes), len(history.Versions), most(history.Moves()))
	w.t.Logf("writes of two members to one object over a change of owner: %d; by delays beyond the margin: %d%s",
		len(wrong), len(late), examples(late))
	w.t.Logf("longest time without an owner: %s", w.longestGap(history, events))
	w.t.Logf("longest time until a change was acted upon: %s", w.slowestReaction(events))
	twice := w.twice(events)
	w.t.Logf("creates refused, as what they make might exist already: %d", w.refusedAsBlind())
	w.t.Logf("objects left out: %d; children made twice: %d", len(leftOut), len(twice))
	w.failIfAny(wrong, "writes were let pass by a member that was not the owner, or overlapped")
	w.failIfAny(leftOut, "objects were left out")
	w.failIfAny(twice, "children were made twice")
}

// refusedAsBlind is how often the controllers that make names were told to wait.
func (w *world) refusedAsBlind() int {
	refused := 0
	for _, p := range w.pairs {
		refused += strings.Count(p.controllers[1].Output(), "it may exist already")
	}
	return refused
}

func (w *world) failIfAny(wrong []string, what string) {
	w.t.Helper()
	if len(wrong) > 0 {
		w.t.Errorf("%d %s%s", len(wrong), what, examples(wrong))
	}
}

func examples(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return ":\n\t" + strings.Join(all[:min(8, len(all))], "\n\t")
}

func most(counts map[int]int) int {
	highest := 0
	for _, count := range counts {
		highest = max(highest, count)
	}
	return highest
}

// history is who owned and who wrote what, of Foos and of what belongs to them.
func (w *world) history(events []controlplane.Event) *rig.History {
	h := &rig.History{}
	buckets := w.buckets()
	gone := w.gone(events)
	unknown := 0
	for i := range events {
		event := &events[i]
		if event.Object.Namespace != w.ring.Namespace || event.Stage != "ResponseComplete" {
			continue
		}
		harness.Must(w.t, h.Add(w.ring.Ring, event))
		id, isController := strings.CutPrefix(event.User.Name, rig.ControllerUser(""))
		foo := fooOf(event)
		if !isController || foo == "" {
			continue
		}
		if at, isGone := gone[foo]; isGone && event.At.After(at) {
			continue // it is nobody's, and what names it as its owner is neither
		}
		bucket, found := buckets[foo]
		if !found {
			unknown++
			continue
		}
		h.Writes = append(h.Writes, rig.Write{From: event.Received, To: event.At, Bucket: bucket, Writer: id, Event: event.String()})
	}
	if unknown > len(h.Writes)/10 {
		w.t.Errorf("the buckets of %d writes are not known, of %d they are", unknown, len(h.Writes))
	}
	for _, p := range w.published {
		if !slices.ContainsFunc(h.Versions, func(v rig.Publication) bool { return v.Epoch == p.Epoch }) {
			w.timeline.add("the log lacks epoch %s", p.Epoch)
			h.Versions = append(h.Versions, p)
		}
	}
	slices.SortStableFunc(h.Versions, func(a, b rig.Publication) int { return a.After.Compare(b.After) })
	return h
}

// gone tells when Foos were deleted.
func (w *world) gone(events []controlplane.Event) map[string]time.Time {
	gone := map[string]time.Time{}
	for i := range events {
		event := &events[i]
		if event.Verb == "delete" && event.IsWrite() && event.Object.Resource == "foos" &&
			event.Object.Namespace == w.ring.Namespace {
			gone[event.Object.Name] = event.Received
		}
	}
	return gone
}

// buckets are those of all Foos that are, or were, by name.
func (w *world) buckets() map[string]int {
	buckets := w.load.buckets
	for _, foo := range w.ring.Foos() {
		buckets[foo.GetName()] = harness.Must1(strconv.Atoi(foo.GetLabels()[w.ring.Label()]))(w.t)
	}
	return buckets
}

// metadata is what we read of an object in the log.
type metadata struct {
	Metadata struct {
		Name         string                  `json:"name"`
		GenerateName string                  `json:"generateName"`
		Owners       []metav1.OwnerReference `json:"ownerReferences"`
	} `json:"metadata"`
}

// fooOf is the name of the Foo that a mutating request is about; empty if it is
// about something else.
func fooOf(event *controlplane.Event) string {
	switch event.Verb {
	case "create", "update", "patch", "delete":
	default:
		return ""
	}
	switch event.Object.Resource {
	case "foos", "deployments":
		return event.Object.Name // they bear the same name
	case "configmaps":
		name := event.Object.Name
		if event.Verb == "create" {
			var object metadata
			if json.Unmarshal(event.RequestObject, &object) != nil {
				return ""
			}
			return strings.TrimSuffix(object.Metadata.GenerateName, "-")
		}
		if last := strings.LastIndexByte(name, '-'); last > 0 {
			return name[:last]
		}
	}
	return ""
}

func (w *world) wasBeyond(write rig.Write) bool {
	for _, s := range w.beyond {
		if s.id == write.Writer && write.To.After(s.from) && write.From.Before(s.to) {
			return true
		}
	}
	return false
}

// longestGap is the longest time from the last renewal of an owner to when its
// bucket was somebody else's.
func (w *world) longestGap(h *rig.History, events []controlplane.Event) string {
	renewals := map[string][]time.Time{}
	for i := range events {
		event := &events[i]
		id, isMember := strings.CutPrefix(event.User.Name, rig.MemberUser(""))
		if isMember && event.IsWrite() && event.Object.Resource == "leases" &&
			event.Key() == w.ring.Namespace+"/"+w.ring.Name+"."+id {
			renewals[id] = append(renewals[id], event.At)
		}
	}
	var longest time.Duration
	text := "none"
	for i := 1; i < len(h.Versions); i++ {
		before, now := h.Versions[i-1], h.Versions[i]
		for bucket := range now.Owner {
			from, to := before.OwnerID(bucket), now.OwnerID(bucket)
			if from == "" || from == to {
				continue
			}
			at, _ := slices.BinarySearchFunc(renewals[from], now.After, time.Time.Compare)
			if at == 0 {
				continue
			}
			if gap := now.Before.Sub(renewals[from][at-1]); gap > longest {
				longest = gap
				text = fmt.Sprintf("%.1f s, bucket %d from %s to %s at %s", gap.Seconds(), bucket, from, to, w.timeline.at(now.Before))
			}
		}
	}
	return text
}

// slowestReaction is the longest time from a change of a Foo to the next write to
// its ConfigMap.
func (w *world) slowestReaction(events []controlplane.Event) string {
	pending := map[string]time.Time{}
	var longest time.Duration
	text := "none"
	for i := range events {
		event := &events[i]
		if event.Object.Namespace != w.ring.Namespace || !event.IsWrite() {
			continue
		}
		foo := fooOf(event)
		_, waits := pending[foo]
		switch {
		case event.User.Name == controlplane.Admin && event.Object.Resource == "foos" && event.Verb == "delete":
			delete(pending, foo)
		case event.User.Name == controlplane.Admin && event.Object.Resource == "foos" && !waits:
			pending[foo] = event.At
		case waits && event.Object.Resource == "configmaps" && strings.HasPrefix(event.User.Name, rig.ControllerUser("")):
			if took := event.At.Sub(pending[foo]); took > longest {
				longest = took
				text = fmt.Sprintf("%.1f s, %s, changed at %s", took.Seconds(), foo, w.timeline.at(pending[foo]))
			}
			delete(pending, foo)
		}
	}
	return text
}

// leftOut changes every Foo once more and tells which are not acted upon.
func (w *world) leftOut() []string {
	harness.Must(w.t, w.load.finish(w.t.Context()))
	var missing []string
	// An informer of client-go that could not connect tries again after 30 s, and as
	// much again by chance. The sample-controller makes five requests a second at most.
	within := time.Minute + harness.Patience + time.Duration(len(w.load.names))*150*time.Millisecond
	err := rig.Wait(w.t.Context(), within, func(ctx context.Context) error {
		now, err := w.unfinished(ctx)
		if err == nil {
			missing = now
		}
		if err == nil && len(missing) > 0 {
			err = errors.New("some are left out")
			sleep(ctx, 300*time.Millisecond)
		}
		return err
	})
	if err != nil && len(missing) == 0 {
		w.t.Error(err)
	}
	return missing
}

func (w *world) unfinished(ctx context.Context) ([]string, error) {
	cluster, all := harness.Cluster(), metav1.ListOptions{}
	foos, err := cluster.Dynamic.Resource(rig.Foos).Namespace(w.ring.Namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	deployments, err := cluster.Kube.AppsV1().Deployments(w.ring.Namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	children, err := cluster.Kube.CoreV1().ConfigMaps(w.ring.Namespace).List(ctx, all)
	if err != nil {
		return nil, err
	}
	replicas, isDone := map[types.UID]int32{}, map[types.UID]bool{}
	for _, deployment := range deployments.Items {
		if owner := metav1.GetControllerOf(&deployment); owner != nil {
			replicas[owner.UID] = *deployment.Spec.Replicas
		}
	}
	for _, child := range children.Items {
		if owner := metav1.GetControllerOf(&child); owner != nil {
			isDone[owner.UID] = isDone[owner.UID] || child.Data["seq"] == fmt.Sprint(w.load.seq)
		}
	}
	var missing []string
	for _, foo := range foos.Items {
		uid := foo.GetUID()
		if replicas[uid] != 10 || !isDone[uid] {
			missing = append(missing, fmt.Sprintf("%s, bucket %s: replicas %d, not 10; child up to date: %v", foo.GetName(),
				foo.GetLabels()[w.ring.Label()], replicas[uid], isDone[uid]))
		}
	}
	return missing, nil
}

// twice tells which Foos have got more than one child of a kind, and who made them.
// What was made when a Foo was gone already is the garbage collector's.
func (w *world) twice(events []controlplane.Event) []string {
	made := map[string][]string{}
	gone := w.gone(events)
	for i := range events {
		event := &events[i]
		if event.Verb != "create" || !event.IsWrite() || event.Object.Namespace != w.ring.Namespace ||
			!strings.HasPrefix(event.User.Name, rig.ControllerUser("")) {
			continue
		}
		foo := fooOf(event)
		if at, isGone := gone[foo]; foo != "" && event.Object.Resource != "foos" && (!isGone || event.At.Before(at)) {
			key := event.Object.Resource + " of " + foo
			made[key] = append(made[key], event.String())
		}
	}
	var twice []string
	for key, creates := range made {
		if len(creates) > 1 {
			twice = append(twice, key+": "+strings.Join(creates, " | "))
		}
	}
	children := harness.Must1(harness.Cluster().Kube.CoreV1().ConfigMaps(w.ring.Namespace).
		List(w.t.Context(), metav1.ListOptions{}))(w.t)
	count := map[string]int{}
	for _, child := range children.Items {
		owner := metav1.GetControllerOf(&child)
		if owner == nil {
			continue
		}
		key := "configmaps of " + owner.Name
		if count[key]++; count[key] == 2 && len(made[key]) < 2 && gone[owner.Name].IsZero() {
			twice = append(twice, "there are two "+key+", says the API server")
		}
	}
	slices.Sort(twice)
	return twice
}
