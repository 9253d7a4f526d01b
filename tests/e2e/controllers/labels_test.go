package controllers

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// sample-controller rebuilds its Deployment's labels from scratch at every
// update: the label must stay on it, or every update would cost a second write
// and make the Deployment come and go for its controller.
func TestChildrenKeepTheirLabelWhenItIsRebuilt(t *testing.T) {
	const count = 12
	ring := harness.NewRing(t, "rebuilt", 2, func(r *rig.Ring) {
		// With hidden ones, a child without its label would vanish at once.
		r.Resources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns:
      - {group: apps, resource: deployments, unowned: hidden}
`
	})
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	witness := newWitness(t, ring)
	seen := map[string]<-chan string{"a": follow(t, ring.Members["a"]), "b": follow(t, ring.Members["b"])}
	ring.StartControllers("a", "b")
	ring.CreateFoos(count)
	ring.WaitDeployments(time.Minute)
	for _, replicas := range []int{2, 3} {
		setReplicas(t, ring, replicas)
	}

	byVerb := map[string]int{}
	for _, event := range witness.writes("deployments") {
		byVerb[event.Verb]++
		if event.Verb == "patch" {
			t.Errorf("the label was not there in flight: %v", &event)
		}
	}
	if byVerb["create"] != count || byVerb["update"] < 2*count {
		t.Errorf("the controllers wrote %v", byVerb)
	}
	// The names end what the members' watches show.
	added := 0
	for id, events := range seen {
		harness.Must(t, endWatches(t, ring, id))
		for event := range events {
			if event == string(watch.Added) {
				added++
			} else if event != string(watch.Modified) {
				t.Errorf("the controller of %s has seen: %s", id, event)
			}
		}
	}
	if added != count+2 {
		t.Errorf("%d of %d Deployments were ADDED", added, count+2)
	}
}

// follow tells the events of the Deployments that a member shows until one of
// the name "end-<member>" comes.
func follow(t *testing.T, member *harness.Member) <-chan string {
	t.Helper()
	deployments := member.AsAdmin().Kube.AppsV1().Deployments(member.Ring.Namespace)
	watcher := harness.Must1(deployments.Watch(t.Context(), metav1.ListOptions{}))(t)
	events := make(chan string, 1000)
	go func() {
		defer close(events)
		defer watcher.Stop()
		for event := range watcher.ResultChan() {
			deployment, ok := event.Object.(*appsv1.Deployment)
			if !ok {
				events <- fmt.Sprintf("%s: %v", event.Type, event.Object)
				return
			}
			name := string(event.Type)
			if event.Type != watch.Added && event.Type != watch.Modified {
				name += " " + deployment.Name
			}
			events <- name
			if deployment.Name == "end-"+member.ID {
				return
			}
		}
		events <- "the end of its watch"
	}()
	return events
}

// endWatches makes the Deployment that ends follow: a child of a Foo of the
// member's, made by itself.
func endWatches(t *testing.T, ring *harness.Ring, id string) error {
	t.Helper()
	end := rig.NewDeployment(ring.Namespace, "end-"+id, ring.FooOf(id))
	_, err := ring.Members[id].AsAdmin().Kube.AppsV1().Deployments(ring.Namespace).
		Create(t.Context(), end, metav1.CreateOptions{})
	return err
}

// setReplicas changes every Foo, past the members, and waits until its controller
// has done what the change asks for.
func setReplicas(t *testing.T, ring *harness.Ring, replicas int) {
	t.Helper()
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	for _, foo := range ring.Foos() {
		harness.Must1(foos.Patch(t.Context(), foo.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}))(t)
	}
	harness.Within(t, 90*time.Second, "every Deployment has the replicas of its Foo", func(ctx context.Context) error {
		deployments, err := harness.Cluster().Kube.AppsV1().Deployments(ring.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, deployment := range deployments.Items {
			if int(*deployment.Spec.Replicas) != replicas {
				return fmt.Errorf("%s has %d", deployment.Name, *deployment.Spec.Replicas)
			}
		}
		return nil
	})
}
