// Mirror is a controller by client-go alone, as its examples write them: for each Foo
// a ConfigMap of its name that says how many replicas it asks for, and the same in its
// status. How long a reconcile takes is its argument.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	"k8s.io/client-go/util/workqueue"
)

var foos = schema.GroupVersionResource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Resource: "foos"}

type controller struct {
	kube  kubernetes.Interface
	foos  dynamic.NamespaceableResourceInterface
	cache cache.SharedIndexInformer
	queue workqueue.TypedRateLimitingInterface[string]
	takes time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	takes, err := time.ParseDuration(os.Args[1])
	if err != nil {
		return err
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	c := &controller{
		kube:  kube,
		foos:  client.Resource(foos),
		cache: dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(foos).Informer(),
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		takes: takes,
	}
	children := informers.NewSharedInformerFactory(kube, 0).Core().V1().ConfigMaps().Informer()
	if err := c.listen(children); err != nil {
		return err
	}
	go c.cache.RunWithContext(ctx)
	go children.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), c.cache.HasSynced, children.HasSynced) {
		return ctx.Err()
	}
	for range 4 {
		go c.work(ctx)
	}
	<-ctx.Done()
	return nil
}

func (c *controller) listen(children cache.SharedIndexInformer) error {
	_, err := c.cache.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: func(_, object any) { c.enqueue(object) },
	})
	if err != nil {
		return err
	}
	_, err = children.AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(object any) {
			child, ok := object.(*corev1.ConfigMap)
			if !ok {
				return
			}
			if owner := metav1.GetControllerOf(child); owner != nil && owner.Kind == "Foo" {
				c.queue.Add(child.Namespace + "/" + owner.Name)
			}
		},
	})
	return err
}

func (c *controller) enqueue(object any) {
	if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
		c.queue.Add(key)
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
	object, found, err := c.cache.GetIndexer().GetByKey(key)
	if err != nil || !found {
		return err
	}
	foo := object.(*unstructured.Unstructured)
	replicas, _, err := unstructured.NestedInt64(foo.Object, "spec", "replicas")
	if err != nil {
		return err
	}
	time.Sleep(c.takes)
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error { return c.apply(ctx, foo, replicas) })
	if err != nil {
		return fmt.Errorf("the ConfigMap: %w", err)
	}
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		latest, err := c.foos.Namespace(foo.GetNamespace()).Get(ctx, foo.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedField(latest.Object, replicas, "status", "availableReplicas"); err != nil {
			return err
		}
		_, err = c.foos.Namespace(foo.GetNamespace()).UpdateStatus(ctx, latest, metav1.UpdateOptions{})
		return err
	})
}

func (c *controller) apply(ctx context.Context, foo *unstructured.Unstructured, replicas int64) error {
	maps := c.kube.CoreV1().ConfigMaps(foo.GetNamespace())
	data := map[string]string{"replicas": strconv.FormatInt(replicas, 10)}
	child, err := maps.Get(ctx, foo.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		kind := foos.GroupVersion().WithKind("Foo")
		_, err = maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Name:            foo.GetName(),
				OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(foo, kind)},
			},
			Data: data,
		}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	child.Data = data
	_, err = maps.Update(ctx, child, metav1.UpdateOptions{})
	return err
}
