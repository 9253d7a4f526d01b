// Children is a controller as users write them: for each Foo it makes one ConfigMap
// with a name that the API server generates, and keeps it up to date. It knows
// nothing of shards. A generated name is what shows double work: nothing but the
// controller's own care keeps a second one from being made.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

var (
	foos   = schema.GroupVersionResource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Resource: "foos"}
	foo    = foos.GroupVersion().WithKind("Foo")
	byFoo  = "foo"
	marked = "children.example.com/foo" // label: the Foo's uid
)

type controller struct {
	kube      kubernetes.Interface
	foos      cache.SharedIndexInformer
	children  cache.SharedIndexInformer
	queue     workqueue.TypedRateLimitingInterface[string]
	uncertain time.Duration

	mutex sync.Mutex
	// Children that were made and are not in the cache yet, by the Foo's uid: as
	// ReplicaSets' controller, we make no other one meanwhile.
	expected map[types.UID]string
	// When a create without an answer was sent: it may have been carried out.
	unanswered map[types.UID]time.Time
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "")
	uncertain := flag.Duration("uncertain", 10*time.Second, "how long a create without an answer may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	if err := run(ctx, *kubeconfig, *uncertain); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, kubeconfig string, uncertain time.Duration) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1
	config.UserAgent = "children"
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	c := &controller{
		kube:       kube,
		foos:       dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(foos).Informer(),
		children:   informers.NewSharedInformerFactory(kube, 0).Core().V1().ConfigMaps().Informer(),
		queue:      workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 2*time.Second)),
		uncertain:  uncertain,
		expected:   map[types.UID]string{},
		unanswered: map[types.UID]time.Time{},
	}
	return c.run(ctx)
}

func (c *controller) run(ctx context.Context) error {
	err := c.children.AddIndexers(cache.Indexers{byFoo: func(object any) ([]string, error) {
		if owner := metav1.GetControllerOf(object.(*corev1.ConfigMap)); owner != nil && owner.Kind == foo.Kind {
			return []string{string(owner.UID)}, nil
		}
		return nil, nil
	}})
	if err != nil {
		return err
	}
	_, err = c.foos.AddEventHandler(handler(func(object metav1.Object) {
		c.queue.Add(object.GetNamespace() + "/" + object.GetName())
	}))
	if err != nil {
		return err
	}
	_, err = c.children.AddEventHandler(handler(func(object metav1.Object) {
		if owner := metav1.GetControllerOf(object); owner != nil && owner.Kind == foo.Kind {
			c.queue.Add(object.GetNamespace() + "/" + owner.Name)
		}
	}))
	if err != nil {
		return err
	}
	go c.foos.Run(ctx.Done())
	go c.children.Run(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), c.foos.HasSynced, c.children.HasSynced) {
		return ctx.Err()
	}
	for range 4 {
		go c.work(ctx)
	}
	<-ctx.Done()
	return nil
}

func handler(do func(metav1.Object)) cache.ResourceEventHandler {
	of := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		do(object.(metav1.Object))
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    of,
		UpdateFunc: func(_, object any) { of(object) },
		DeleteFunc: of,
	}
}

func (c *controller) work(ctx context.Context) {
	for {
		key, stopped := c.queue.Get()
		if stopped {
			return
		}
		if err := c.reconcile(ctx, key); err != nil {
			log.Printf("%s: %v", key, err)
			c.queue.AddRateLimited(key)
		} else {
			c.queue.Forget(key)
		}
		c.queue.Done(key)
	}
}

func (c *controller) reconcile(ctx context.Context, key string) error {
	object, found, err := c.foos.GetIndexer().GetByKey(key)
	if err != nil || !found {
		return err
	}
	foo := object.(*unstructured.Unstructured)
	if foo.GetDeletionTimestamp() != nil {
		return nil
	}
	known, err := c.children.GetIndexer().ByIndex(byFoo, string(foo.GetUID()))
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return c.create(ctx, foo)
	}
	c.forget(foo.GetUID())
	child := known[0].(*corev1.ConfigMap)
	if seq := foo.GetAnnotations()["seq"]; child.Data["seq"] != seq {
		child = child.DeepCopy()
		child.Data = map[string]string{"seq": seq}
		_, err = c.kube.CoreV1().ConfigMaps(child.Namespace).Update(ctx, child, metav1.UpdateOptions{})
	}
	return err
}

func (c *controller) create(ctx context.Context, owner *unstructured.Unstructured) error {
	uid := owner.GetUID()
	c.mutex.Lock()
	expected := c.expected[uid]
	sent, isUncertain := c.unanswered[uid]
	c.mutex.Unlock()
	if expected != "" {
		return nil // its event will come
	}
	if isUncertain {
		if exists, err := c.settle(ctx, owner, sent); exists || err != nil {
			return err
		}
	}
	sent = time.Now()
	child, err := c.kube.CoreV1().ConfigMaps(owner.GetNamespace()).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName:    owner.GetName() + "-",
			Labels:          map[string]string{marked: string(uid)},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(owner, foo)},
		},
		Data: map[string]string{"seq": owner.GetAnnotations()["seq"]},
	}, metav1.CreateOptions{})
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err == nil {
		c.expected[uid] = child.Name
	} else if !wasRefused(err) {
		c.unanswered[uid] = sent
	}
	return err
}

// wasRefused says whether the API server, or who answered for it, says that it was
// not carried out.
func wasRefused(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	code := status.Status().Code
	return code >= 400 && code < 500
}

// settle finds out, when it can be known, whether a create without an answer was
// carried out.
func (c *controller) settle(ctx context.Context, owner *unstructured.Unstructured, sent time.Time) (bool, error) {
	if time.Since(sent) < c.uncertain {
		return false, errors.New("a create without an answer may be under way")
	}
	list, err := c.kube.CoreV1().ConfigMaps(owner.GetNamespace()).List(ctx,
		metav1.ListOptions{LabelSelector: marked + "=" + string(owner.GetUID())})
	if err != nil {
		return false, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.unanswered, owner.GetUID())
	if len(list.Items) > 0 {
		c.expected[owner.GetUID()] = list.Items[0].Name
	}
	return len(list.Items) > 0, nil
}

func (c *controller) forget(uid types.UID) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.expected, uid)
	delete(c.unanswered, uid)
}
