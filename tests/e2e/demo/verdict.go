package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
)

// change is a change of owner of one Foo, and with it of its Deployment.
type change struct {
	foo      string
	from, to string    // member ids
	at       time.Time // not before this was the new owner published
	until    time.Time // when the next change of the same Foo was
}

// findings is what the audit log says of the whole demonstration.
type findings struct {
	foos, leftOut int
	madeTwice     int           // Foos whose Deployment was created more than once
	changes       int           // of owner, counted by Foo
	writtenByTwo  int           // changes in which the old owner wrote after the new one
	memberWrites  int           // by Ringside itself, to objects that moved
	takeover      time.Duration // from the kill to the first write of the new owner
}

// verdict reads the audit log to its end and prints what it says.
func (s *story) verdict(ctx context.Context) (passed bool, err error) {
	s.observer.look(ctx, s.members())
	f, err := s.examine(ctx)
	if err != nil {
		return false, err
	}
	s.screen.verdict(f)
	return f.leftOut == 0 && f.memberWrites == 0, nil
}

func (s *story) examine(ctx context.Context) (*findings, error) {
	buckets, err := s.buckets(ctx)
	if err != nil {
		return nil, err
	}
	writes := map[string][]controlplane.Event{} // by the Foo's name
	for _, event := range s.observer.events {
		isObject := event.Object.Resource == "foos" || event.Object.Resource == "deployments"
		if isObject && event.IsWrite() && event.Object.Namespace == s.ring.Namespace {
			writes[event.Object.Name] = append(writes[event.Object.Name], event)
		}
	}
	changes, err := s.changes(buckets)
	if err != nil {
		return nil, err
	}
	f := &findings{foos: len(buckets), changes: len(changes)}
	if f.leftOut, err = s.leftOut(ctx, buckets); err != nil {
		return nil, err
	}
	for foo := range buckets {
		if created(writes[foo]) > 1 {
			f.madeTwice++
		}
	}
	for _, change := range changes {
		f.examineChange(change, writes[change.foo])
	}
	f.takeover = s.takeover(changes, writes)
	return f, nil
}

// buckets are the Foos by name, with their buckets.
func (s *story) buckets(ctx context.Context) (map[string]int, error) {
	list, err := s.cluster.Dynamic.Resource(rig.Foos).Namespace(s.ring.Namespace).
		List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	buckets := map[string]int{}
	for _, foo := range list.Items {
		bucket, err := strconv.Atoi(foo.GetLabels()[s.ring.Label()])
		if err != nil {
			bucket = -1 // nobody's
		}
		buckets[foo.GetName()] = bucket
	}
	return buckets, nil
}

// leftOut counts the Foos that have no Deployment of their own.
func (s *story) leftOut(ctx context.Context, buckets map[string]int) (int, error) {
	list, err := s.cluster.Kube.AppsV1().Deployments(s.ring.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	has := map[string]bool{}
	for _, deployment := range list.Items {
		for _, owner := range deployment.OwnerReferences {
			has[owner.Name] = true
		}
	}
	count := 0
	for foo := range buckets {
		if !has[foo] {
			count++
		}
	}
	return count, nil
}

func created(writes []controlplane.Event) int {
	count := 0
	for _, event := range writes {
		if event.Verb == "create" && event.Object.Resource == "deployments" {
			count++
		}
	}
	return count
}

// changes finds every change of owner in the published assignments.
func (s *story) changes(buckets map[string]int) ([]*change, error) {
	publications, err := s.ring.Publications(s.observer.events)
	if err != nil {
		return nil, err
	}
	var changes []*change
	for foo, bucket := range buckets {
		owner := ""
		var last *change
		for _, publication := range publications {
			next := publication.OwnerID(bucket)
			if owner != "" && next != "" && next != owner {
				if last != nil {
					last.until = publication.After
				}
				last = &change{foo: foo, from: owner, to: next, at: publication.After, until: time.Now()}
				changes = append(changes, last)
			}
			if next != "" {
				owner = next
			}
		}
	}
	return s.withoutUnborn(changes), nil
}

// withoutUnborn drops changes of buckets that happened before the Foo existed.
func (s *story) withoutUnborn(changes []*change) []*change {
	born := map[string]time.Time{}
	for _, event := range s.observer.events {
		if event.IsWrite() && event.Verb == "create" && event.Object.Resource == "foos" {
			born[event.Object.Name] = event.At
		}
	}
	var kept []*change
	for _, change := range changes {
		if change.at.After(born[change.foo]) {
			kept = append(kept, change)
		}
	}
	return kept
}

// examineChange looks at the writes to one Foo and its Deployment from a change of
// owner up to the next one.
func (f *findings) examineChange(c *change, writes []controlplane.Event) {
	newOwnerWrote, wasWrittenByTwo := false, false
	for _, event := range writes {
		if event.Received.Before(c.at) || event.Received.After(c.until) {
			continue
		}
		switch {
		case event.User.Name == rig.ControllerUser(c.to):
			newOwnerWrote = true
		case event.User.Name == rig.ControllerUser(c.from) && newOwnerWrote:
			wasWrittenByTwo = true
		case strings.HasPrefix(event.User.Name, rig.MemberUser("")):
			f.memberWrites++
		}
	}
	if wasWrittenByTwo {
		f.writtenByTwo++
	}
}

// takeover is the time from the kill to the first write of a new owner.
func (s *story) takeover(changes []*change, writes map[string][]controlplane.Event) time.Duration {
	var first time.Time
	for _, c := range changes {
		if c.from != s.killed || c.at.Before(s.killedAt) {
			continue
		}
		for _, event := range writes[c.foo] {
			isFirst := first.IsZero() || event.Received.Before(first)
			if event.User.Name == rig.ControllerUser(c.to) && event.Received.After(c.at) && isFirst {
				first = event.Received
			}
		}
	}
	if first.IsZero() {
		return 0
	}
	return first.Sub(s.killedAt)
}

// verdict prints the findings.
func (s *screen) verdict(f *findings) {
	perMove := 0.
	if f.changes > 0 {
		perMove = float64(f.memberWrites) / float64(f.changes)
	}
	fmt.Fprintf(s.out, "\n  The verdict, from the API server's audit log, after %s:\n\n", s.clock())
	s.finding(f.leftOut == 0, "%d of %d Foos have their Deployment", f.foos-f.leftOut, f.foos)
	s.finding(f.madeTwice == 0, "%d Deployments were created more than once", f.madeTwice)
	s.finding(f.takeover > 0, "%.1f s after the kill, a new owner wrote to an object of the dead member", f.takeover.Seconds())
	s.finding(f.changes > 0, "%d times a Foo with its Deployment changed its owner", f.changes)
	s.finding(f.writtenByTwo == 0, "%d of these were written by the old owner after the new one had begun", f.writtenByTwo)
	s.finding(f.memberWrites == 0, "%.2f object writes by Ringside for each object that moved", perMove)
	fmt.Fprintln(s.out)
}

func (s *screen) finding(isGood bool, format string, values ...any) {
	mark := "ok "
	if !isGood {
		mark = "!! "
	}
	if s.isLive {
		colour := green
		if !isGood {
			colour = red
		}
		mark = colour + mark + reset
	}
	fmt.Fprintf(s.out, "  %s %s\n", mark, fmt.Sprintf(format, values...))
}
