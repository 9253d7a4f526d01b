package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/features"
	featurestesting "k8s.io/client-go/features/testing"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func TestInformersHoldWhatTheAPIServerHasOfTheShard(t *testing.T) {
	ring := harness.NewRing(t, "informers", 3, nil)
	ring.Start("a", "b", "c")
	ring.WaitActive("a", "b", "c")
	ring.CreateFoos(60)
	random := rand.New(rand.NewPCG(1, 2))
	churn(t, ring, random, 60) // so that there are Deployments of all kinds

	var all []*observed
	for _, watchList := range []bool{true, false} {
		featurestesting.SetFeatureDuringTest(t, features.WatchListClient, watchList)
		for _, member := range ring.Members {
			all = append(all, startInformers(t, ring, member, fmt.Sprintf("watchList=%t", watchList))...)
		}
		for _, o := range all {
			harness.Eventually(t, o.name+" is synced", func(context.Context) error {
				if !o.isSynced() {
					return fmt.Errorf("it is not")
				}
				return nil
			})
		}
	}
	compare(t, ring, all, "at first")
	churn(t, ring, random, 300)
	compare(t, ring, all, "after 300 changes")

	// A member leaves: the views of the others change under open watches.
	ring.Members["c"].Terminate()
	all = slices.DeleteFunc(all, func(o *observed) bool { return o.member.ID == "c" })
	churn(t, ring, random, 100)
	ring.WaitActive("a", "b")
	compare(t, ring, all, "after a member has left")
	churn(t, ring, random, 100)
	compare(t, ring, all, "after 100 changes more")
}

// startInformers starts one informer of every kind behind a member, with the
// credentials of its controller.
func startInformers(t *testing.T, ring *harness.Ring, member *harness.Member, variant string) []*observed {
	clients := member.Clients(rig.ControllerUser(member.ID))
	typed := informers.NewSharedInformerFactory(clients.Kube, 0)
	dynamic := dynamicinformer.NewDynamicSharedInformerFactory(clients.Dynamic, 0)
	metadata := metadatainformer.NewSharedInformerFactory(clients.Metadata, 0)
	var all []*observed
	add := func(kind string, resource schema.GroupVersionResource, of cache.SharedIndexInformer) {
		all = append(all, &observed{
			watcher:  informer{of},
			name:     fmt.Sprintf("the %s informer of %s of member %s (%s)", kind, resource.Resource, member.ID, variant),
			member:   member,
			resource: resource,
			metadata: kind == "metadata",
		})
	}
	add("typed", rig.Deployments, typed.Apps().V1().Deployments().Informer())
	add("dynamic", rig.Deployments, dynamic.ForResource(rig.Deployments).Informer())
	add("dynamic", rig.Foos, dynamic.ForResource(rig.Foos).Informer())
	add("metadata", rig.Foos, metadata.ForResource(rig.Foos).Informer())
	add("metadata", rig.Deployments, metadata.ForResource(rig.Deployments).Informer())
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	typed.Start(ctx.Done())
	dynamic.Start(ctx.Done())
	metadata.Start(ctx.Done())
	return all
}

// churn makes random changes, directly at the API server: to Foos, to Deployments
// that Foos own, and to Deployments that belong to nobody.
func churn(t *testing.T, ring *harness.Ring, random *rand.Rand, changes int) {
	t.Helper()
	cluster := harness.Cluster()
	foos := cluster.Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	deployments := cluster.Kube.AppsV1().Deployments(ring.Namespace)
	for range changes {
		name := rig.FooName(random.IntN(80))
		foo, err := foos.Get(t.Context(), name, metav1.GetOptions{})
		isThere := err == nil
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"churn":"%d"}}}`, random.Int())
		relabel := fmt.Appendf(nil, `{"metadata":{"labels":{"app":"%s"}}}`, rig.FooName(random.IntN(10)))
		strip := fmt.Appendf(nil, `{"metadata":{"labels":{"%s":null}}}`, ring.Label())
		switch what := random.IntN(12); {
		case !isThere:
			foos.Create(t.Context(), rig.NewFoo(ring.Namespace, name), metav1.CreateOptions{})
		case what == 0:
			foos.Delete(t.Context(), name, metav1.DeleteOptions{})
		case what < 4:
			foos.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
		case what < 6:
			deployments.Create(t.Context(), rig.NewDeployment(ring.Namespace, name, foo), metav1.CreateOptions{})
		case what == 6:
			deployments.Create(t.Context(), rig.NewDeployment(ring.Namespace, "free-"+name, nil), metav1.CreateOptions{})
		case what == 7:
			deployments.Delete(t.Context(), name, metav1.DeleteOptions{})
		case what == 10:
			deployments.Patch(t.Context(), name, types.MergePatchType, relabel, metav1.PatchOptions{})
		case what == 11 && random.IntN(8) == 0: // an outsider's replace
			foos.Patch(t.Context(), name, types.MergePatchType, strip, metav1.PatchOptions{})
		case what == 11 && random.IntN(8) == 0:
			deployments.Patch(t.Context(), name, types.MergePatchType, strip, metav1.PatchOptions{})
		case what == 8:
			deployments.Patch(t.Context(), "free-"+name, types.MergePatchType, patch, metav1.PatchOptions{})
		default:
			deployments.Patch(t.Context(), name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		}
	}
}

// patience is how long a cache may take to hold all.
var patience = time.Duration(number("COHERENT_PATIENCE", 60)) * time.Second

// compare waits until every store equals the API server's objects of its shard.
func compare(t *testing.T, ring *harness.Ring, all []*observed, when string) {
	t.Helper()
	for _, o := range all {
		harness.Within(t, patience, o.name+" "+when, func(ctx context.Context) error {
			expected, others, err := o.expected(ctx, ring)
			if err != nil {
				return err
			}
			held := o.held(t)
			maps.DeleteFunc(held, func(name, _ string) bool {
				if others[name] {
					return o.keepsMoved
				}
				return expected[name] == "" && o.keepsDeleted
			})
			return difference(expected, held)
		})
	}
}

// expected are the API server's objects that the member's view shows: those in
// its buckets, and of the owned resource also those that bear no bucket; and the names
// of the others.
func (o *observed) expected(ctx context.Context, ring *harness.Ring) (map[string]string, map[string]bool, error) {
	status, err := o.member.Status(ctx)
	if err != nil {
		return nil, nil, err
	}
	owned, err := status.OwnedBuckets()
	if err != nil {
		return nil, nil, err
	}
	objects, err := o.direct(ctx)
	if err != nil {
		return nil, nil, err
	}
	expected, others := map[string]string{}, map[string]bool{}
	text := canonical
	if o.text != nil {
		text = o.text
	}
	for _, object := range objects {
		bucket, isLabelled := object.GetLabels()[ring.Label()]
		isFreeAndOwned := !isLabelled && o.resource == rig.Deployments
		name := object.GetNamespace() + "/" + object.GetName()
		if o.match != nil && !o.match(&object) {
			continue
		}
		if owned.HasLabel(bucket) || isFreeAndOwned {
			expected[name] = text(object.Object)
		} else {
			others[name] = true
		}
	}
	return expected, others, nil
}

func (o *observed) direct(ctx context.Context) ([]unstructured.Unstructured, error) {
	list, err := harness.Cluster().Dynamic.Resource(o.resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	if o.metadata {
		for i := range list.Items {
			maps.DeleteFunc(list.Items[i].Object, func(key string, _ any) bool { return key != "metadata" })
		}
	}
	return list.Items, nil
}

// canonical is an object as text. What typed clients drop or add is left out: the
// kind, and fields that are empty.
func canonical(object map[string]any) string {
	delete(object, "apiVersion")
	delete(object, "kind")
	text, _ := json.Marshal(withoutEmpty(object))
	return string(text)
}

func withoutEmpty(value any) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	kept := map[string]any{}
	for key, field := range object {
		field = withoutEmpty(field)
		if inner, isObject := field.(map[string]any); field == nil || isObject && len(inner) == 0 {
			continue
		}
		kept[key] = field
	}
	return kept
}

func difference(expected, held map[string]string) error {
	for key, object := range expected {
		if other, ok := held[key]; !ok {
			return fmt.Errorf("%s is missing among %d", key, len(held))
		} else if other != object {
			return fmt.Errorf("%s is\n%s\nnot\n%s", key, other, object)
		}
	}
	for key := range held {
		if _, ok := expected[key]; !ok {
			return fmt.Errorf("%s should not be there", key)
		}
	}
	return nil
}
