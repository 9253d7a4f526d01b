package wire

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1apply "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"
)

// user asks by client-go, JSON or protobuf.
type user struct {
	*recording
	kube       *kubernetes.Clientset
	metadata   metadata.Interface
	configMaps corev1client.ConfigMapInterface
}

func newUser(t *testing.T, r *recording, contentType string) *user {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", r.kubeconfig)
	must(t, err)
	config.QPS, config.ContentType, config.UserAgent = -1, contentType, "recorded ("+contentType+")"
	u := &user{recording: r}
	u.kube, err = kubernetes.NewForConfig(config)
	must(t, err)
	u.metadata, err = metadata.NewForConfig(config)
	must(t, err)
	u.configMaps = u.kube.CoreV1().ConfigMaps("default")
	return u
}

func (u *user) name() string { return fmt.Sprintf("cm-%d", u.random.IntN(30)) }

func (u *user) configMap() *corev1.ConfigMap {
	size := []int{0, 10, 1000, 100_000, 600_000}[u.random.IntN(5)]
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: u.name(), Labels: map[string]string{"app": u.name()}},
		BinaryData: map[string][]byte{"b": bytes.Repeat([]byte{0, 255, '\n'}, size/3)},
	}
}

// uses are what it does, one at a time. Errors are answers like others.
var uses = []func(context.Context, *user){
	func(ctx context.Context, u *user) {
		_, _ = u.configMaps.Create(ctx, u.configMap(), metav1.CreateOptions{FieldValidation: "Strict"})
	},
	func(ctx context.Context, u *user) { _, _ = u.configMaps.Get(ctx, u.name(), metav1.GetOptions{}) },
	func(ctx context.Context, u *user) {
		if found, err := u.configMaps.Get(ctx, u.name(), metav1.GetOptions{}); err == nil {
			found.Data = map[string]string{"ü": "invalid", "x": u.name()}
			delete(found.Data, []string{"ü", "x"}[u.random.IntN(2)])
			_, _ = u.configMaps.Update(ctx, found, metav1.UpdateOptions{})
			_, _ = u.configMaps.Update(ctx, found, metav1.UpdateOptions{}) // a conflict
		}
	},
	func(ctx context.Context, u *user) {
		options := metav1.ListOptions{Limit: int64(1 + u.random.IntN(20)), LabelSelector: "app!=" + u.name()}
		for range 3 {
			list, err := u.configMaps.List(ctx, options)
			if err != nil || list.Continue == "" {
				return
			}
			options.Continue = list.Continue
		}
	},
	func(ctx context.Context, u *user) {
		patches := []types.PatchType{types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType}
		bodies := []string{`[{"op":"add","path":"/data","value":{"a":"b"}}]`, `{"data":{"a":null}}`, `{"metadata":{"labels":{"x":"y"}}}`}
		i := u.random.IntN(3)
		_, _ = u.configMaps.Patch(ctx, u.name(), patches[i], []byte(bodies[i]), metav1.PatchOptions{})
	},
	func(ctx context.Context, u *user) {
		_, _ = u.configMaps.Apply(ctx, corev1apply.ConfigMap(u.name(), "default").WithData(map[string]string{"k": u.name()}),
			metav1.ApplyOptions{FieldManager: "recorded", Force: u.random.IntN(2) == 0})
	},
	func(ctx context.Context, u *user) {
		policy, uid := metav1.DeletePropagationForeground, types.UID("none")
		options := metav1.DeleteOptions{PropagationPolicy: &policy}
		if u.random.IntN(2) == 0 {
			options.Preconditions = &metav1.Preconditions{UID: &uid}
		}
		_ = u.configMaps.Delete(ctx, u.name(), options)
	},
	func(ctx context.Context, u *user) {
		_ = u.configMaps.DeleteCollection(ctx, metav1.DeleteOptions{},
			metav1.ListOptions{LabelSelector: "app in (" + u.name() + "," + u.name() + "),!none"})
	},
	func(ctx context.Context, u *user) {
		_, _ = u.metadata.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace("default").List(ctx,
			metav1.ListOptions{FieldSelector: "metadata.name!=" + u.name()})
	},
	func(ctx context.Context, u *user) {
		paths := []string{"/version", "/api/v1", "/apis", "/openapi/v3", "/readyz?verbose", "/api/v1/namespaces/default/pods/x/log", "/x/y"}
		_, _ = u.kube.RESTClient().Get().AbsPath("/").RequestURI(paths[u.random.IntN(len(paths))]).DoRaw(ctx)
	},
	func(ctx context.Context, u *user) {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: u.name()}}}
		_, _ = u.kube.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	},
	func(ctx context.Context, u *user) {
		event := &corev1.Event{ObjectMeta: metav1.ObjectMeta{GenerateName: "event-"}, Message: strings.Repeat("e", 900),
			InvolvedObject: corev1.ObjectReference{Namespace: "default", Name: u.name()}}
		_, _ = u.kube.CoreV1().Events("default").Create(ctx, event, metav1.CreateOptions{})
	},
}

func (u *user) watch(ctx context.Context) {
	second, yes := int64(1), true
	options := metav1.ListOptions{TimeoutSeconds: &second, AllowWatchBookmarks: true, ResourceVersion: "0"}
	if u.random.IntN(2) == 0 {
		options.SendInitialEvents, options.ResourceVersionMatch = &yes, metav1.ResourceVersionMatchNotOlderThan
	}
	if watch, err := u.configMaps.Watch(ctx, options); err == nil {
		for range watch.ResultChan() {
		}
	}
}

func useClientGo(t *testing.T, r *recording) {
	for _, contentType := range []string{"application/json", "application/vnd.kubernetes.protobuf"} {
		u := newUser(t, r, contentType)
		ctx, cancel := context.WithTimeout(t.Context(), 3*Patience)
		for range 300 {
			uses[r.random.IntN(len(uses))](ctx, u)
		}
		u.watch(ctx)
		u.watch(ctx)
		must(t, ctx.Err())
		cancel()
	}
}
