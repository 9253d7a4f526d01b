package rig

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// The resources of the ring of Foos.
var (
	Foos        = schema.GroupVersionResource{Group: "samplecontroller.k8s.io", Version: "v1alpha1", Resource: "foos"}
	Deployments = appsv1.SchemeGroupVersion.WithResource("deployments")
)

// NewFoo is a Foo that asks for a Deployment of its own name.
func NewFoo(namespace, name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "samplecontroller.k8s.io/v1alpha1",
		"kind":       "Foo",
		"metadata":   map[string]any{"namespace": namespace, "name": name},
		"spec":       map[string]any{"deploymentName": name, "replicas": int64(1)},
	}}
}

// NewDeployment is a small Deployment, owned by foo unless that is nil.
func NewDeployment(namespace, name string, foo *unstructured.Unstructured) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{Name: "nginx", Image: "nginx"}},
				},
			},
		},
	}
	if foo != nil {
		kind := Foos.GroupVersion().WithKind("Foo")
		deployment.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(foo, kind)}
	}
	return deployment
}

// FooName is the name of the i-th Foo of many.
func FooName(i int) string { return fmt.Sprintf("foo-%05d", i) }

// CreateFoos creates count Foos, several at once.
func CreateFoos(ctx context.Context, client dynamic.Interface, namespace string, count int) error {
	return InParallel(ctx, count, func(ctx context.Context, i int) error {
		_, err := client.Resource(Foos).Namespace(namespace).
			Create(ctx, NewFoo(namespace, FooName(i)), metav1.CreateOptions{})
		return err
	})
}
