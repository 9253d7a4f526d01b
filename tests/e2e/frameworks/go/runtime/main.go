// Mirror is a controller by controller-runtime, as its book writes them: for each Foo a
// ConfigMap of its name that says how many replicas it asks for, and the same in its
// status. How long a reconcile takes is its argument.
package main

import (
	"context"
	"log"
	"os"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func newFoo() *unstructured.Unstructured {
	foo := &unstructured.Unstructured{}
	foo.SetGroupVersionKind(schema.GroupVersionKind{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Kind: "Foo"})
	return foo
}

type reconciler struct {
	client.Client
	takes time.Duration
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	foo := newFoo()
	if err := r.Get(ctx, request.NamespacedName, foo); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	replicas, _, err := unstructured.NestedInt64(foo.Object, "spec", "replicas")
	if err != nil {
		return ctrl.Result{}, err
	}
	time.Sleep(r.takes)
	child := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: request.Namespace, Name: request.Name}}
	_, err = controllerutil.CreateOrUpdate(ctx, r.Client, child, func() error {
		child.Data = map[string]string{"replicas": strconv.FormatInt(replicas, 10)}
		return ctrl.SetControllerReference(foo, child, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	before := foo.DeepCopy()
	if err := unstructured.SetNestedField(foo.Object, replicas, "status", "availableReplicas"); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.Status().Patch(ctx, foo, client.MergeFrom(before))
}

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	takes, err := time.ParseDuration(os.Args[1])
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(manager).
		For(newFoo()).
		Owns(&corev1.ConfigMap{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4}).
		Complete(&reconciler{Client: manager.GetClient(), takes: takes})
	if err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
