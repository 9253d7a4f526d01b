package clients

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// The ring of these tests: Foos, what belongs to them by all rules, and what is
// owned by a cluster-scoped object.
const ownersResources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns:
      - {group: apps, resource: deployments}
      - {resource: configmaps, by: "label:example.com/foo"}
      - {resource: secrets, by: "annotation:example.com/foo"}
  - group: rbac.authorization.k8s.io
    resource: clusterroles
    owns:
      - {resource: serviceaccounts}
`

// The members' rights for them, beside those of deploy/rbac.yaml.
const ownersRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-owners}
rules:
- apiGroups: [""]
  resources: [configmaps, secrets, serviceaccounts]
  verbs: [get, list, watch, patch]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  verbs: [get, list, watch, patch, escalate]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ringside-owners}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ringside-owners}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-b}
`

func TestOwnersOfEveryKind(t *testing.T) {
	harness.Must(t, harness.Cluster().Apply(t.Context(), ownersRights))
	ring := harness.NewRing(t, "owners", 2, func(r *rig.Ring) {
		r.Resources = ownersResources
		r.Extra = "label: {audit: 500ms}\n"
	})
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(16)
	member := ring.Members["a"]
	f := &flight{t: t, ring: ring, member: member, raw: member.Raw(t, controlplane.Admin),
		parent: ring.FooOf("a")}

	f.run("named by a label", testNamedByLabel)
	f.run("named by an annotation", testNamedByAnnotation)
	f.run("named by one of two labels of equal keys", testEqualKeysOfConfigMaps)
	f.run("a reference without controller", testPlainReference)
	f.run("a cluster-scoped owner", testClusterScopedOwner)
	f.run("an owner that changes", testOwnerChanges)
	f.run("an owner that somebody else changes", testOwnerChangesOutside)
	f.run("an owner that somebody else gives to an orphan", testOutsiderAdopts)
	f.run("an owner that somebody else moves", testOwnerMovesOutside)
	f.run("a name that is used again", testNameReused)
}

// made is what both ways of making an object give: through the member, with the
// label at once, and past it, with the coordinator's.
func (f *flight) checkMade(what, bucket string, create func(*rig.Clients, string) metav1.Object,
	get func(string) (metav1.Object, error)) {
	f.t.Helper()
	inFlight := create(f.member.AsAdmin(), "through")
	if label := inFlight.GetLabels()[f.ring.Label()]; label != bucket {
		f.t.Errorf("%s, through the member: bucket %q, not %q", what, label, bucket)
	}
	create(harness.Cluster().Clients, "past")
	harness.Eventually(f.t, what+", past the member", func(ctx context.Context) error {
		now, err := get("past")
		if err == nil && now.GetLabels()[f.ring.Label()] != bucket {
			err = fmt.Errorf("its labels are %v; expected was bucket %s", now.GetLabels(), bucket)
		}
		return err
	})
}

func testNamedByLabel(f *flight) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	f.checkMade("a ConfigMap", f.bucket(), func(c *rig.Clients, name string) metav1.Object {
		return harness.Must1(c.Kube.CoreV1().ConfigMaps(f.ring.Namespace).Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name,
				Labels: map[string]string{"example.com/foo": f.parent.GetName()}}}, metav1.CreateOptions{}))(f.t)
	}, func(name string) (metav1.Object, error) {
		return kube.CoreV1().ConfigMaps(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{})
	})
	// Nobody's, as it names a Foo that does not exist: it passes, and is seen by all.
	free := harness.Must1(f.member.AsAdmin().Kube.CoreV1().ConfigMaps(f.ring.Namespace).Create(ctx,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "free",
			Labels: map[string]string{"example.com/foo": "no-such-foo"}}}, metav1.CreateOptions{}))(f.t)
	if label, isThere := free.Labels[f.ring.Label()]; isThere {
		f.t.Errorf("a ConfigMap of nobody has bucket %q", label)
	}
	for id, member := range f.ring.Members {
		list := harness.Must1(member.AsAdmin().Kube.CoreV1().ConfigMaps(f.ring.Namespace).
			List(ctx, metav1.ListOptions{LabelSelector: "example.com/foo"}))(f.t)
		if want := map[string]int{"a": 3, "b": 1}[id]; len(list.Items) != want {
			f.t.Errorf("%s shows %d ConfigMaps, not %d", id, len(list.Items), want)
		}
	}
}

// testEqualKeysOfConfigMaps: of equal keys kube-apiserver merges what built-in types
// hold; wherever the owner is named, the label is its own, or nothing is made.
func testEqualKeysOfConfigMaps(f *flight) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	owner := fmt.Sprintf(`"labels":{"example.com/foo":%q}`, f.parent.GetName())
	claim := fmt.Sprintf(`"labels":{%q:"7"}`, f.ring.Label())
	for i, metadata := range []string{
		`"metadata":{"name":%q,` + owner + `,` + claim + `}`,
		`"metadata":{"name":%q,` + claim + `,` + owner + `}`,
		`"metadata":{"name":%q,` + owner + `},"metadata":{` + claim + `}`,
		`"metadata":{` + claim + `},"metadata":{"name":%q,` + owner + `}`,
		`"metadata":{"name":%q,` + owner + `,"labels":null}`,
	} {
		name := fmt.Sprintf("equal-keys-%d", i)
		answer := f.raw.Do("POST", "/api/v1/namespaces/"+f.ring.Namespace+"/configmaps",
			fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap",`+metadata+`}`, name), "Content-Type: "+harness.JSON)
		if answer.StatusCode == 400 {
			continue
		}
		made := harness.Must1(kube.CoreV1().ConfigMaps(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{}))(f.t)
		want := ""
		if made.Labels["example.com/foo"] != "" {
			want = f.bucket()
		}
		f.t.Logf("%s: %v", metadata, made.Labels)
		if made.Labels[f.ring.Label()] != want {
			f.t.Errorf("%s: its labels are %v", metadata, made.Labels)
		}
		harness.Must(f.t, kube.CoreV1().ConfigMaps(f.ring.Namespace).Delete(ctx, name, metav1.DeleteOptions{}))
	}
}

func testNamedByAnnotation(f *flight) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	elsewhere := "owners-elsewhere"
	harness.Must(f.t, harness.Cluster().CreateNamespace(ctx, elsewhere))
	f.checkMade("a Secret", f.bucket(), func(c *rig.Clients, name string) metav1.Object {
		return harness.Must1(c.Kube.CoreV1().Secrets(elsewhere).Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{
				"example.com/foo": f.ring.Namespace + "/" + f.parent.GetName()}}}, metav1.CreateOptions{}))(f.t)
	}, func(name string) (metav1.Object, error) {
		return kube.CoreV1().Secrets(elsewhere).Get(ctx, name, metav1.GetOptions{})
	})
	// The same Secret, taken over by another Foo of the member's.
	other := f.anotherFoo()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/foo":"%s/%s"}}}`,
		f.ring.Namespace, other.GetName())
	moved := harness.Must1(f.member.AsAdmin().Kube.CoreV1().Secrets(elsewhere).
		Patch(ctx, "through", types.StrategicMergePatchType, patch, metav1.PatchOptions{}))(f.t)
	if label := moved.Labels[f.ring.Label()]; label != other.GetLabels()[f.ring.Label()] {
		f.t.Errorf("it belongs to another Foo, and its bucket is %q", label)
	}
}

// anotherFoo is another Foo of the member's, in another bucket.
func (f *flight) anotherFoo() *unstructured.Unstructured {
	f.t.Helper()
	assignment := harness.Must1(f.ring.Assignment(f.t.Context()))(f.t)
	for _, foo := range f.ring.Foos() {
		if f.ring.OwnerOf(assignment, &foo) == f.member.ID && foo.GetLabels()[f.ring.Label()] != f.bucket() {
			return &foo
		}
	}
	f.t.Fatal("the member owns one bucket's Foos only")
	return nil
}

func testPlainReference(f *flight) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	f.checkMade("a Deployment", f.bucket(), func(c *rig.Clients, name string) metav1.Object {
		deployment := rig.NewDeployment(f.ring.Namespace, name, f.parent)
		deployment.OwnerReferences[0].Controller = nil
		deployment.OwnerReferences[0].BlockOwnerDeletion = nil
		// An older version of the Foo's API, and an owner that is none of the ring's.
		deployment.OwnerReferences[0].APIVersion = rig.Foos.Group + "/v1"
		deployment.OwnerReferences = append(deployment.OwnerReferences,
			metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: "n", UID: "n"})
		return harness.Must1(c.Kube.AppsV1().Deployments(f.ring.Namespace).
			Create(ctx, deployment, metav1.CreateOptions{}))(f.t)
	}, func(name string) (metav1.Object, error) {
		return kube.AppsV1().Deployments(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{})
	})
}

func testClusterScopedOwner(f *flight) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	role := harness.Must1(f.member.AsAdmin().Kube.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "owner-"}}, metav1.CreateOptions{}))(f.t)
	f.t.Cleanup(func() {
		kube.RbacV1().ClusterRoles().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
	})
	reference := *metav1.NewControllerRef(role, rbacv1.SchemeGroupVersion.WithKind("ClusterRole"))
	f.checkMade("a ServiceAccount", role.Labels[f.ring.Label()], func(c *rig.Clients, name string) metav1.Object {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{
			GenerateName: name + "-", OwnerReferences: []metav1.OwnerReference{reference}}}
		if name == "past" {
			account.Name, account.GenerateName = name, ""
		}
		return harness.Must1(c.Kube.CoreV1().ServiceAccounts(f.ring.Namespace).
			Create(ctx, account, metav1.CreateOptions{}))(f.t)
	}, func(name string) (metav1.Object, error) {
		return kube.CoreV1().ServiceAccounts(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{})
	})
}

// testOwnerChanges hands a Deployment from one Foo to another.
func testOwnerChanges(f *flight) {
	deployments := f.member.AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace)
	ctx := f.t.Context()
	made := harness.Must1(deployments.Create(ctx, rig.NewDeployment(f.ring.Namespace, "handed", f.parent),
		metav1.CreateOptions{}))(f.t)
	other := f.anotherFoo()
	reference := metav1.NewControllerRef(other, rig.Foos.GroupVersion().WithKind("Foo"))
	made.OwnerReferences = []metav1.OwnerReference{*reference}
	made = harness.Must1(deployments.Update(ctx, made, metav1.UpdateOptions{}))(f.t)
	if label := made.Labels[f.ring.Label()]; label != other.GetLabels()[f.ring.Label()] {
		f.t.Errorf("it belongs to another Foo, and its bucket is %q", label)
	}
	// The owner of the former bucket may give it away: the new one has it then.
	theirs := f.ring.FooOf("b")
	made.OwnerReferences[0] = *metav1.NewControllerRef(theirs, rig.Foos.GroupVersion().WithKind("Foo"))
	made = harness.Must1(deployments.Update(ctx, made, metav1.UpdateOptions{}))(f.t)
	if label := made.Labels[f.ring.Label()]; label != theirs.GetLabels()[f.ring.Label()] {
		f.t.Errorf("it belongs to a Foo of the other member, and its bucket is %q", label)
	}
	// From then on it is not: what was known of it counts no more.
	mark := []byte(`{"metadata":{"annotations":{"a":"b"}}}`)
	if _, err := deployments.Patch(ctx, "handed", types.MergePatchType, mark, metav1.PatchOptions{}); !apierrors.IsConflict(err) {
		f.t.Errorf("the former member writes to it: %v", err)
	}
	list := harness.Must1(f.ring.Members["b"].AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace).
		List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=handed"}))(f.t)
	if len(list.Items) != 1 {
		f.t.Error("the other member does not show it")
	}
}

// waitBucket waits until an object has a bucket; get is as for checkMade.
func (f *flight) waitBucket(what, bucket string, get func(string) (metav1.Object, error)) {
	f.t.Helper()
	harness.Eventually(f.t, what+" follows its owner", func(context.Context) error {
		now, err := get(what)
		if err == nil && now.GetLabels()[f.ring.Label()] != bucket {
			err = fmt.Errorf("its labels are %v; expected was bucket %s", now.GetLabels(), bucket)
		}
		return err
	})
}

// outside are ways to read objects of the ring's namespace, and to patch them past the
// members.
func (f *flight) outside() (deployments, configMaps func(string) (metav1.Object, error), patch func(resource, name, body string)) {
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	deployments = func(name string) (metav1.Object, error) {
		return kube.AppsV1().Deployments(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{})
	}
	configMaps = func(name string) (metav1.Object, error) {
		return kube.CoreV1().ConfigMaps(f.ring.Namespace).Get(ctx, name, metav1.GetOptions{})
	}
	patch = func(resource, name, body string) {
		f.t.Helper()
		var err error
		switch resource {
		case "deployments":
			_, err = kube.AppsV1().Deployments(f.ring.Namespace).Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		case "configmaps":
			_, err = kube.CoreV1().ConfigMaps(f.ring.Namespace).Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		default:
			_, err = harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(f.ring.Namespace).
				Patch(ctx, name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		}
		harness.Must(f.t, err)
	}
	return deployments, configMaps, patch
}

func (f *flight) reference(foo *unstructured.Unstructured) string {
	return fmt.Sprintf(`{"metadata":{"ownerReferences":[%s]}}`,
		encode(f.t, metav1.NewControllerRef(foo, rig.Foos.GroupVersion().WithKind("Foo"))))
}

// testOwnerChangesOutside gives what belongs to a Foo of one member to a Foo of the
// other one, past the members: it changes hands.
func testOwnerChangesOutside(f *flight) {
	deployments, configMaps, patch := f.outside()
	theirs := f.ring.FooOf("b")
	bucket := theirs.GetLabels()[f.ring.Label()]
	clients := f.member.AsAdmin().Kube
	harness.Must1(clients.AppsV1().Deployments(f.ring.Namespace).Create(f.t.Context(),
		rig.NewDeployment(f.ring.Namespace, "given", f.parent), metav1.CreateOptions{}))(f.t)
	harness.Must1(clients.CoreV1().ConfigMaps(f.ring.Namespace).Create(f.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "given", Labels: map[string]string{"example.com/foo": f.parent.GetName()}}},
		metav1.CreateOptions{}))(f.t)
	audit := newAudit(f.t)

	patch("deployments", "given", f.reference(theirs))
	patch("configmaps", "given", fmt.Sprintf(`{"metadata":{"labels":{"example.com/foo":%q}}}`, theirs.GetName()))
	f.waitBucket("given", bucket, deployments)
	f.waitBucket("given", bucket, configMaps)
	for id, want := range map[string]int{"a": 0, "b": 1} {
		list := harness.Must1(f.ring.Members[id].AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace).
			List(f.t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=given"}))(f.t)
		if len(list.Items) != want {
			f.t.Errorf("%s shows %d of it, not %d", id, len(list.Items), want)
		}
	}
	// By one write each; what is right already is left alone.
	writes := map[string]int{}
	for _, event := range audit() {
		if event.IsWrite() && event.Object.Resource != "leases" && strings.HasPrefix(event.User.Name, "member-") {
			writes[event.Object.Resource+" "+event.Object.Name]++
		}
	}
	if want := map[string]int{"deployments given": 1, "configmaps given": 1}; !maps.Equal(writes, want) {
		f.t.Errorf("the members wrote %v, not %v", writes, want)
	}
}

func testOutsiderAdopts(f *flight) {
	deployments, configMaps, patch := f.outside()
	kube, ctx := harness.Cluster().Kube, f.t.Context()
	harness.Must1(kube.AppsV1().Deployments(f.ring.Namespace).Create(ctx,
		rig.NewDeployment(f.ring.Namespace, "orphan", nil), metav1.CreateOptions{}))(f.t)
	harness.Must1(kube.CoreV1().ConfigMaps(f.ring.Namespace).Create(ctx,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "orphan"}}, metav1.CreateOptions{}))(f.t)
	patch("deployments", "orphan", f.reference(f.parent))
	patch("configmaps", "orphan", fmt.Sprintf(`{"metadata":{"labels":{"example.com/foo":%q}}}`, f.parent.GetName()))
	f.waitBucket("orphan", f.bucket(), deployments)
	f.waitBucket("orphan", f.bucket(), configMaps)
}

// testOwnerMovesOutside gives a Foo another bucket: what belongs to it follows.
func testOwnerMovesOutside(f *flight) {
	deployments, _, patch := f.outside()
	foos := f.member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(f.ring.Namespace)
	foo := harness.Must1(foos.Create(f.t.Context(), rig.NewFoo(f.ring.Namespace, "moves"), metav1.CreateOptions{}))(f.t)
	harness.Must1(f.member.AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace).Create(f.t.Context(),
		rig.NewDeployment(f.ring.Namespace, "moves", foo), metav1.CreateOptions{}))(f.t)
	bucket := firstBucket(f.t, f.ring.Members["b"])
	patch("foos", "moves", fmt.Sprintf(`{"metadata":{"labels":{%q:%q}}}`, f.ring.Label(), bucket))
	f.waitBucket("moves", bucket, deployments)
}

// testNameReused deletes a Foo and makes one of its name in another bucket, past the
// proxies: what is known of the former one counts no more.
func testNameReused(f *flight) {
	ctx := f.t.Context()
	foos := f.member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(f.ring.Namespace)
	deployments := f.member.AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace)
	var former *unstructured.Unstructured
	for i := range 4 {
		foo := rig.NewFoo(f.ring.Namespace, "again")
		foo.SetLabels(map[string]string{f.ring.Label(): fmt.Sprint(f.ownedBucket(i))})
		foo = harness.Must1(harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(f.ring.Namespace).
			Create(ctx, foo, metav1.CreateOptions{}))(f.t)
		child := rig.NewDeployment(f.ring.Namespace, fmt.Sprintf("again-%d", i), foo)
		made, err := deployments.Create(ctx, child, metav1.CreateOptions{})
		bucket := foo.GetLabels()[f.ring.Label()]
		if err != nil || made.Labels[f.ring.Label()] != bucket {
			f.t.Errorf("its owner has bucket %s: %v, %v", bucket, made.GetLabels(), err)
		}
		if former != nil {
			stale := rig.NewDeployment(f.ring.Namespace, fmt.Sprintf("stale-%d", i), former)
			made = harness.Must1(deployments.Create(ctx, stale, metav1.CreateOptions{}))(f.t)
			if label, isThere := made.Labels[f.ring.Label()]; isThere {
				f.t.Errorf("its owner is gone, another one has its name, and its bucket is %q", label)
			}
		}
		former = foo
		harness.Must(f.t, foos.Delete(ctx, "again", metav1.DeleteOptions{}))
	}
}

// ownedBucket is the i-th bucket of the member.
func (f *flight) ownedBucket(i int) int {
	f.t.Helper()
	owned := harness.Must1(f.member.WaitState("active").OwnedBuckets())(f.t)
	for bucket := range 256 {
		if !owned[bucket] {
			continue
		}
		if i--; i < 0 {
			return bucket
		}
	}
	f.t.Fatal("too few buckets")
	return 0
}

// Objects that a placement keeps together share a bucket, whether they are made
// through the member or past it.
func TestPlacements(t *testing.T) {
	for name, placement := range map[string]struct {
		key string
		// Which of the Foos of check share a bucket: the same letter.
		together string
	}{
		"bynamespace": {"[namespace]", "aabb"},
		"byname":      {"[name]", "abab"},
		"bylabel":     {"label:example.com/tenant", "abba"},
	} {
		ring := harness.NewRing(t, name, 1, func(r *rig.Ring) { r.Extra = "key: " + placement.key + "\n" })
		ring.Start("a")
		ring.WaitActive("a")
		member := ring.Members["a"].AsAdmin()
		harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), name+"-2"))
		for _, clients := range []*rig.Clients{member, harness.Cluster().Clients} {
			buckets := map[byte]string{}
			for i := range 4 {
				bucket := placeFoo(t, ring, clients, i)
				letter := placement.together[i]
				if buckets[letter] == "" {
					buckets[letter] = bucket
				}
				if buckets[letter] != bucket {
					t.Errorf("%s: Foo %d is in bucket %s, not %s", placement.key, i, bucket, buckets[letter])
				}
			}
			if buckets['a'] == buckets['b'] {
				t.Errorf("%s: all are in one bucket", placement.key)
			}
		}
	}
}

// placeFoo makes one of four Foos, of two names in two namespaces, for two
// tenants, tells its bucket and deletes it.
func placeFoo(t *testing.T, ring *harness.Ring, clients *rig.Clients, i int) string {
	t.Helper()
	namespace := ring.Namespace + []string{"", "-2"}[i/2]
	foo := rig.NewFoo(namespace, []string{"one", "two"}[i%2])
	foo.SetLabels(map[string]string{"example.com/tenant": []string{"x", "y", "y", "x"}[i]})
	foos := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(namespace)
	harness.Must1(clients.Dynamic.Resource(rig.Foos).Namespace(namespace).
		Create(t.Context(), foo, metav1.CreateOptions{}))(t)
	var bucket string
	harness.Eventually(t, "the Foo is labelled", func(ctx context.Context) error {
		now, err := foos.Get(ctx, foo.GetName(), metav1.GetOptions{})
		if bucket = now.GetLabels()[ring.Label()]; err == nil && bucket == "" {
			err = fmt.Errorf("it has no label yet")
		}
		return err
	})
	harness.Must(t, foos.Delete(t.Context(), foo.GetName(), metav1.DeleteOptions{}))
	return bucket
}
