package releases

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const marked = `
  - group: samplecontroller.k8s.io
    resource: foos
    onRelease: marked
    owns:
      - {group: apps, resource: deployments, onRelease: marked}
`

// ends are what an informer was told of objects that left it: whether they bore a
// deletionTimestamp.
type ends struct {
	mutex  sync.Mutex
	marked map[string]bool // by name
}

func (e *ends) count() (all, unmarked int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for _, isMarked := range e.marked {
		if all++; !isMarked {
			unmarked++
		}
	}
	return all, unmarked
}

func watchEnds(t *testing.T, informer cache.SharedIndexInformer) *ends {
	t.Helper()
	e := &ends{marked: map[string]bool{}}
	harness.Must1(informer.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(item any) {
		object, err := meta.Accessor(item)
		if err != nil {
			return // told by a list: nobody could mark it
		}
		e.mutex.Lock()
		defer e.mutex.Unlock()
		e.marked[object.GetName()] = object.GetDeletionTimestamp() != nil
	}}))(t)
	go informer.Run(t.Context().Done())
	harness.Eventually(t, "an informer is synced", func(context.Context) error {
		if !informer.HasSynced() {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	return e
}

// Whatever the encoding, what moves away bears a deletionTimestamp, and so does what is
// deleted; the objects themselves do not.
func TestMarkedInEveryEncoding(t *testing.T) {
	const count = 20
	ring := harness.NewRing(t, "marked", 1, func(r *rig.Ring) { r.Resources = marked })
	ring.Start("a")
	ring.WaitActive("a")
	ring.Start("b")
	ring.CreateFoos(count)
	deployments := harness.Cluster().Kube.AppsV1().Deployments(ring.Namespace)
	for _, foo := range ring.Foos() {
		harness.Must1(deployments.Create(t.Context(), rig.NewDeployment(ring.Namespace, foo.GetName(), &foo),
			metav1.CreateOptions{}))(t)
	}
	ring.WaitDeploymentsLabelled(count)
	clients := ring.Members["a"].Clients(rig.ControllerUser("a"))
	informers := map[string]*ends{
		"typed, protobuf": watchEnds(t, informers.NewSharedInformerFactory(clients.Kube, 0).
			Apps().V1().Deployments().Informer()),
		"metadata, protobuf": watchEnds(t, metadatainformer.NewSharedInformerFactory(clients.Metadata, 0).
			ForResource(rig.Deployments).Informer()),
		"dynamic, JSON": watchEnds(t, dynamicinformer.NewDynamicSharedInformerFactory(clients.Dynamic, 0).
			ForResource(rig.Foos).Informer()),
		"metadata of a custom resource": watchEnds(t, metadatainformer.NewSharedInformerFactory(clients.Metadata, 0).
			ForResource(rig.Foos).Informer()),
	}
	harness.Must(t, ring.SetShards(2))
	ring.WaitActive("a", "b")
	gone := 0
	assignment := harness.Must1(ring.Assignment(t.Context()))(t)
	for _, foo := range ring.Foos() {
		if ring.OwnerOf(assignment, &foo) == "b" {
			gone++
		}
		if foo.GetDeletionTimestamp() != nil {
			t.Errorf("%s is being deleted", foo.GetName())
		}
	}
	checkEnds(t, informers, gone, "moved")

	mine := ring.FooOf("a").GetName()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	harness.Must(t, harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(ring.Namespace).Delete(t.Context(), mine, now))
	harness.Must(t, deployments.Delete(t.Context(), mine, now))
	checkEnds(t, informers, gone+1, "deleted")
}

func checkEnds(t *testing.T, informers map[string]*ends, count int, what string) {
	t.Helper()
	for name, e := range informers {
		harness.Eventually(t, name+" is told what is "+what, func(context.Context) error {
			all, unmarked := e.count()
			if all != count || unmarked > 0 {
				return fmt.Errorf("%d, and %d unmarked, not %d", all, unmarked, count)
			}
			return nil
		})
	}
}
