package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/rig"
)

// What is published of others, for whom it is a label that moves.
const published = "published best: 17 s, 28 s when a pod is deleted, 2-3 writes for each object"

// bucketOf spreads objects over the buckets: the same number in each, if there are 256
// of them or a multiple of that.
func bucketOf(i int) int { return i * 97 % buckets }

func (b *bench) bucketOf(i int) int {
	if b.places != nil {
		return b.places(i)
	}
	return bucketOf(i)
}

// createObjects creates Foos with their buckets already set, and for each a Deployment
// that it owns, if these are measured.
func (b *bench) createObjects(from, to int) error {
	withDeployments := slices.Contains(b.resources, rig.Deployments)
	b.objects = to
	return rig.InParallel(b.ctx, to-from, func(ctx context.Context, i int) error {
		labels := map[string]string{b.ring.Label(): fmt.Sprint(b.bucketOf(from + i))}
		foo := rig.NewFoo(b.ring.Namespace, rig.FooName(from+i))
		foo.SetLabels(labels)
		foo, err := b.cluster.Dynamic.Resource(rig.Foos).Namespace(b.ring.Namespace).
			Create(ctx, foo, metav1.CreateOptions{})
		if err != nil || !withDeployments {
			return err
		}
		deployment := rig.NewDeployment(b.ring.Namespace, foo.GetName(), foo)
		deployment.Labels = labels
		_, err = b.cluster.Kube.AppsV1().Deployments(b.ring.Namespace).
			Create(ctx, deployment, metav1.CreateOptions{})
		return err
	})
}

// objectsOf is how many of the objects are in buckets of the member.
func (b *bench) objectsOf(assignment *rig.Assignment, id string) int {
	count := 0
	for i := range b.objects {
		if assignment.OwnerID(b.bucketOf(i)) == id {
			count++
		}
	}
	return count
}

// change is one change of the ring: what it is measured by.
type change struct {
	*mark
	relists float64
}

func (b *bench) beginChange() (*change, error) {
	relists, err := b.relists()
	if err != nil {
		return nil, err
	}
	mark, err := b.mark()
	return &change{mark, relists}, err
}

// outcome is what the audit log and the metrics tell about a change.
type outcome struct {
	events       []controlplane.Event
	publications []rig.Publication
	writes       float64 // to objects
	relists      float64 // metric, and LISTs of the controllers but those of moves
}

// isRelist says whether a request of a controller reads what it may hold already.
func isRelist(event *controlplane.Event) bool {
	switch event.Verb {
	case "list":
		return !strings.Contains(event.RequestURI, "resourceVersionMatch=Exact") &&
			!strings.Contains(event.RequestURI, "continue=")
	case "watch":
		return strings.Contains(event.RequestURI, "sendInitialEvents=true")
	}
	return false
}

// end tells what has happened since beginChange; newcomer's informers may list.
func (b *bench) endChange(c *change, newcomer string) (*outcome, error) {
	events, err := c.events()
	if err != nil {
		return nil, err
	}
	o := &outcome{events: events}
	if o.publications, err = b.ring.Publications(events); err != nil {
		return nil, err
	}
	if len(o.publications) == 0 {
		return nil, fmt.Errorf("no assignment was published")
	}
	for _, event := range events {
		isRing := event.Object.Resource == "leases" || event.Key() == b.ring.Namespace+"/"+b.ring.Name+"-assignment"
		if event.IsWrite() && !isRing {
			o.writes++
		}
		isController := strings.HasPrefix(event.User.Name, "controller-")
		if isController && event.User.Name != rig.ControllerUser(newcomer) && isRelist(&event) {
			o.relists++
		}
	}
	relists, err := b.relists()
	o.relists += relists - c.relists
	return o, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measureMoves lets a standby become the second active member, and a standby again.
func measureMoves(b *bench) error {
	if err := b.newRing("moves", 1, nil); err != nil {
		return err
	}
	b.resources = []schema.GroupVersionResource{rig.Foos}
	if err := b.createObjects(0, 2048); err != nil {
		return err
	}
	if err := b.startWithInformers("a"); err != nil {
		return err
	}
	if err := b.waitActive("a"); err != nil {
		return err
	}
	if err := b.startWithInformers("b"); err != nil {
		return err
	}
	for range *rounds {
		for shards := 2; shards > 0; shards-- {
			if err := b.moveOnce(shards); err != nil {
				return err
			}
		}
	}
	return nil
}

// moveOnce changes `shards` to 2 or 1, upon which 1,024 objects go from a to b or back.
func (b *bench) moveOnce(shards int) error {
	all := b.objects
	giver, taker, before, gets := "a", "b", 0, all/2
	if shards == 1 {
		giver, taker, before, gets = "b", "a", all/2, all
	}
	if _, _, err := b.waitHeld(taker, before); err != nil {
		return err
	}
	if err := b.waitQuiet(); err != nil {
		return err
	}
	c, err := b.beginChange()
	if err != nil {
		return err
	}
	if err := b.ring.SetShards(shards); err != nil {
		return err
	}
	got, _, err := b.waitHeld(taker, gets)
	if err != nil {
		return err
	}
	_, left, err := b.waitHeld(giver, all-gets)
	if err != nil {
		return err
	}
	o, err := b.endChange(c, "")
	if err != nil {
		return err
	}
	// After: when the request that stored it was received.
	start := o.publications[0].After
	name := fmt.Sprintf("move of %d: ", all/2)
	b.results.add(name+"from published until held, ms", 1000, published, ms(got.Sub(start)))
	b.results.add(name+"until the old owner holds none, ms", noTarget, "", ms(left.Sub(start)))
	b.results.add(name+"in nobody's cache, ms", noTarget, "", ms(got.Sub(left)))
	b.results.add(name+"object writes", 0, "", o.writes)
	b.results.add(name+"relists", 0, "", o.relists)
	return nil
}
