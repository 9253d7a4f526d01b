package clients

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// flight is a ring of two members, and writes through one of them.
type flight struct {
	t      *testing.T
	ring   *harness.Ring
	member *harness.Member
	raw    *harness.Raw
	owned  rig.Buckets
	parent *unstructured.Unstructured // a Foo of the member
}

const merge, strategic, apply = "application/merge-patch+json",
	"application/strategic-merge-patch+json", "application/apply-patch+yaml"

// What is written through a member has its label when the answer is there: the
// coordinator has nothing to add.
func TestLabelsAreSetInFlight(t *testing.T) {
	ring := harness.NewRing(t, "inflight", 2, nil)
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	ring.CreateFoos(20)
	member := ring.Members["a"]
	f := &flight{t: t, ring: ring, member: member, raw: member.Raw(t, controlplane.Admin),
		parent: ring.FooOf("a")}
	f.owned = harness.Must1(member.WaitState("active").OwnedBuckets())(t)
	audit := newAudit(t)

	f.run("new main objects get a bucket of the member", testNewMain)
	f.run("children have their owner's bucket from birth", testNewChildren)
	f.run("what is replaced keeps its label", testReplaced)
	f.run("no patch drops the label", testPatched)
	f.run("an apply neither conflicts nor drops the label", testApplied)
	f.run("an orphan that is adopted gets its owner's bucket", testAdopted)
	f.run("a claim is taken out of what belongs to nobody", testClaimOfNobody)
	f.run("of equal keys none slips by", testEqualKeys)
	f.run("what cannot be labelled is refused", testUnlabellable)
	labelledLater := f.parent.GetName() // by the API server's own client, see testApplied
	for _, event := range audit() {
		if event.Object.Namespace == ring.Namespace && event.Verb == "patch" &&
			event.Object.Name != labelledLater &&
			(event.User.Name == rig.MemberUser("a") || event.User.Name == rig.MemberUser("b")) {
			t.Errorf("the label was not there in flight: %v", &event)
		}
	}
}

func (f *flight) run(name string, test func(*flight)) {
	f.t.Run(name, func(t *testing.T) {
		again := *f
		again.t = t
		test(&again)
	})
}

func (f *flight) foosPath(name string) string {
	return fmt.Sprintf("%s/namespaces/%s/foos%s", foosPath, f.ring.Namespace, name)
}

func (f *flight) deploymentsPath(name string) string {
	return fmt.Sprintf("/apis/apps/v1/namespaces/%s/deployments%s", f.ring.Namespace, name)
}

// write sends JSON, or a patch, and gives the labels of the answer.
func (f *flight) write(method, path, contentType, body string) map[string]string {
	f.t.Helper()
	answer := f.raw.Do(method, path, body, "Content-Type: "+contentType)
	if answer.StatusCode/100 != 2 {
		f.t.Fatalf("%s %s %s: %s: %s", method, path, body, answer.Response.Status, answer.Data)
	}
	object := &unstructured.Unstructured{}
	harness.Must(f.t, object.UnmarshalJSON(answer.Data))
	return object.GetLabels()
}

// checkLabels checks that the labels are these and the bucket label.
func (f *flight) checkLabels(what string, labels map[string]string, bucket string, others ...string) {
	f.t.Helper()
	want := map[string]string{f.ring.Label(): bucket}
	for _, other := range others {
		want[other] = "x"
	}
	if bucket == "" {
		delete(want, f.ring.Label())
	}
	if fmt.Sprint(labels) != fmt.Sprint(want) {
		f.t.Errorf("%s: its labels are %v, not %v", what, labels, want)
	}
}

func (f *flight) bucket() string { return f.parent.GetLabels()[f.ring.Label()] }

// another is a bucket that no object of these tests has.
func (f *flight) another() string {
	for bucket := range f.owned {
		if fmt.Sprint(bucket) != f.bucket() {
			return fmt.Sprint(bucket)
		}
	}
	f.t.Fatal("the member owns one bucket only")
	return ""
}

func (f *flight) deployment(name string, owner *unstructured.Unstructured, labels ...string) string {
	deployment := rig.NewDeployment(f.ring.Namespace, name, owner)
	deployment.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
	for _, label := range labels {
		metav1.SetMetaDataLabel(&deployment.ObjectMeta, label, "x")
	}
	return encode(f.t, deployment)
}

func encode(t *testing.T, object any) string {
	t.Helper()
	data := harness.Must1(json.Marshal(object))(t)
	return string(data)
}

func testNewMain(f *flight) {
	foos := f.member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(f.ring.Namespace)
	for i := range 20 {
		foo := rig.NewFoo(f.ring.Namespace, fmt.Sprintf("new-%d", i))
		foo.SetLabels(map[string]string{f.ring.Label(): "garbage"})
		if i%2 == 1 {
			foo.SetName("")
			foo.SetGenerateName("new-")
		}
		made := harness.Must1(foos.Create(f.t.Context(), foo, metav1.CreateOptions{}))(f.t)
		if !f.owned.HasLabel(made.GetLabels()[f.ring.Label()]) {
			f.t.Errorf("%s: its labels are %v", made.GetName(), made.GetLabels())
		}
		if seen := f.member.Seen(f.t); !seen[made.GetName()] {
			f.t.Errorf("%s is not seen by the controller that made it", made.GetName())
		}
	}
}

func testNewChildren(f *flight) {
	clients := f.member.AsAdmin()
	child := rig.NewDeployment(f.ring.Namespace, "", f.parent)
	child.GenerateName = "child-"
	child.Labels = map[string]string{"a": "x", f.ring.Label(): f.another()}
	deployments := clients.Kube.AppsV1().Deployments(f.ring.Namespace)
	made := harness.Must1(deployments.Create(f.t.Context(), child, metav1.CreateOptions{}))(f.t)
	f.checkLabels("typed", made.Labels, f.bucket(), "a")
	for i, contentType := range []string{harness.JSON, harness.JSON + "; charset=utf-8", "application/yaml"} {
		body := f.deployment(fmt.Sprintf("child-%d", i), f.parent, "a")
		labels := f.write(http.MethodPost, f.deploymentsPath(""), contentType, body)
		f.checkLabels(contentType, labels, f.bucket(), "a")
	}
}

func testReplaced(f *flight) {
	name := f.parent.GetName()
	foo := rig.NewFoo(f.ring.Namespace, name)
	foo.SetResourceVersion(f.parent.GetResourceVersion())
	labels := f.write(http.MethodPut, f.foosPath("/"+name), harness.JSON, encode(f.t, foo))
	f.checkLabels("Foo", labels, f.bucket())

	f.write(http.MethodPost, f.deploymentsPath(""), harness.JSON, f.deployment("replaced", f.parent, "a"))
	for _, owner := range []*unstructured.Unstructured{f.parent, nil} {
		body := f.deployment("replaced", owner, "b")
		labels := f.write(http.MethodPut, f.deploymentsPath("/replaced"), harness.JSON, body)
		f.checkLabels("JSON", labels, f.bucket(), "b")
	}
	deployments := f.member.AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace)
	typed := rig.NewDeployment(f.ring.Namespace, "replaced", f.parent)
	typed.Labels = map[string]string{"c": "x"}
	made := harness.Must1(deployments.Update(f.t.Context(), typed, metav1.UpdateOptions{}))(f.t)
	f.checkLabels("protobuf", made.Labels, f.bucket(), "c")
}

func testPatched(f *flight) {
	key := strings.ReplaceAll(f.ring.Label(), "/", "~1")
	jsonPatch := "application/json-patch+json"
	for i, patch := range []struct {
		contentType, body string
		others            string
	}{
		{merge, `{"metadata":{"labels":{"%[1]s":null}}}`, "ab"},
		{merge, `{"metadata":{"labels":{"%[1]s":"%[3]s","a":null,"c":"x"}}}`, "bc"},
		{merge, `{"metadata":{"labels":null}}`, ""},
		{merge, `{"metadata":{"labels":{}}}`, "ab"},
		{strategic, `{"metadata":{"labels":{"%[1]s":null,"b":null}}}`, "a"},
		{strategic, `{"metadata":{"labels":null}}`, ""},
		{strategic, `{"metadata":{"labels":{"$patch":"delete"}}}`, ""},
		{strategic, `{"metadata":{"labels":{"$patch":"replace","c":"x"}}}`, "c"},
		{jsonPatch, `[{"op":"remove","path":"/metadata/labels/%[2]s"}]`, "ab"},
		{jsonPatch, `[{"op":"remove","path":"/metadata/labels"}]`, ""},
		{jsonPatch, `[{"op":"replace","path":"/metadata/labels","value":{"c":"x"}}]`, "c"},
		{jsonPatch, `[{"op":"replace","path":"/metadata/labels/%[2]s","value":"%[3]s"}]`, "ab"},
		{jsonPatch, `[{"op":"replace","path":"/metadata","value":{"name":"%[4]s","labels":{"c":"x","%[1]s":"%[3]s"}}}]`, "c"},
		{jsonPatch, `[{"op":"replace","path":"/metadata","value":{"name":"%[4]s"}}]`, ""},
	} {
		name := fmt.Sprintf("patched-%d", i)
		body := patch.body
		if strings.Contains(body, "%") {
			body = fmt.Sprintf(body+"%.0[1]s%.0[2]s%.0[3]s%.0[4]s", f.ring.Label(), key, f.another(), name)
		}
		f.write(http.MethodPost, f.deploymentsPath(""), harness.JSON, f.deployment(name, f.parent, "a", "b"))
		labels := f.write(http.MethodPatch, f.deploymentsPath("/"+name), patch.contentType, body)
		others := strings.Split(patch.others, "")
		f.checkLabels(patch.contentType+" "+body, labels, f.bucket(), others...)
		if patch.contentType == strategic {
			continue // not for custom resources
		}
		if strings.Contains(body, `"/metadata",`) {
			continue // which want a resourceVersion then
		}
		foo := rig.NewFoo(f.ring.Namespace, name)
		foo.SetLabels(map[string]string{"a": "x", "b": "x"})
		bucket := f.write(http.MethodPost, f.foosPath(""), harness.JSON, encode(f.t, foo))[f.ring.Label()]
		labels = f.write(http.MethodPatch, f.foosPath("/"+name), patch.contentType, body)
		f.checkLabels("a Foo, "+body, labels, bucket, others...)
	}
}

// managers are who manages the bucket label, and how.
func (f *flight) managers(name string) string {
	deployments := harness.Cluster().Kube.AppsV1().Deployments(f.ring.Namespace)
	made := harness.Must1(deployments.Get(f.t.Context(), name, metav1.GetOptions{}))(f.t)
	var managers []string
	for _, entry := range made.ManagedFields {
		if entry.FieldsV1 != nil && strings.Contains(string(entry.FieldsV1.Raw), "f:"+f.ring.Label()) {
			managers = append(managers, entry.Manager)
		}
	}
	return strings.Join(managers, " ")
}

func testApplied(f *flight) {
	created := f.deployment("applied", f.parent, "a")
	path := f.deploymentsPath("/applied?fieldManager=one")
	f.checkLabels("a new one", f.write(http.MethodPatch, path, apply, created), f.bucket(), "a")
	f.checkLabels("again", f.write(http.MethodPatch, path, apply, created), f.bucket(), "a")
	other := strings.Replace(path, "one", "two", 1)
	f.checkLabels("another manager", f.write(http.MethodPatch, other, apply,
		f.deployment("applied", f.parent, "b")), f.bucket(), "a", "b")
	f.checkLabels("without a label", f.write(http.MethodPatch, path, apply,
		f.deployment("applied", f.parent)), f.bucket(), "b")
	if managers := f.managers("applied"); managers != "one two" {
		f.t.Errorf("the label is managed by %q", managers)
	}

	// Labelled by the coordinator, whose manager is another one.
	child := createChild(f.t, f.ring, f.parent).GetName()
	for _, force := range []string{"", "&force=true", "&force=true", ""} {
		f.checkLabels("one that the coordinator labelled", f.write(http.MethodPatch,
			f.deploymentsPath("/"+child+"?fieldManager=one"+force), apply,
			f.deployment(child, f.parent, "a")), f.bucket(), "a")
	}
	foo := rig.NewFoo(f.ring.Namespace, "applied")
	labels := f.write(http.MethodPatch, f.foosPath("/applied?fieldManager=one"), apply, encode(f.t, foo))
	if !f.owned.HasLabel(labels[f.ring.Label()]) {
		f.t.Errorf("a Foo that was applied: its labels are %v", labels)
	}
	f.checkLabels("a Foo, again", f.write(http.MethodPatch, f.foosPath("/applied?fieldManager=one"),
		apply, encode(f.t, foo)), labels[f.ring.Label()])
}

func testAdopted(f *flight) {
	f.write(http.MethodPost, f.deploymentsPath(""), harness.JSON, f.deployment("orphan", nil, "a"))
	reference := encode(f.t, metav1.NewControllerRef(f.parent, rig.Foos.GroupVersion().WithKind("Foo")))
	body := fmt.Sprintf(`{"metadata":{"ownerReferences":[%s]}}`, reference)
	labels := f.write(http.MethodPatch, f.deploymentsPath("/orphan"), strategic, body)
	f.checkLabels("by a strategic patch", labels, f.bucket(), "a")

	f.write(http.MethodPost, f.deploymentsPath(""), harness.JSON, f.deployment("orphan-2", nil, "a"))
	labels = f.write(http.MethodPut, f.deploymentsPath("/orphan-2"), harness.JSON,
		f.deployment("orphan-2", f.parent, "b"))
	f.checkLabels("by a PUT", labels, f.bucket(), "b")

	// Another member's Foo adopts nothing through this one.
	f.write(http.MethodPost, f.deploymentsPath(""), harness.JSON, f.deployment("orphan-3", nil, "a"))
	answer := f.raw.Do(http.MethodPut, f.deploymentsPath("/orphan-3"),
		f.deployment("orphan-3", f.ring.FooOf("b")), "Content-Type: "+harness.JSON)
	answer.CheckStatus(f.t, harness.JSON, http.StatusConflict, metav1.StatusReasonConflict)
}

func testClaimOfNobody(f *flight) {
	deployments := f.member.AsAdmin().Kube.AppsV1().Deployments(f.ring.Namespace)
	free := rig.NewDeployment(f.ring.Namespace, "claims", nil)
	free.Labels = map[string]string{"a": "x", f.ring.Label(): "7"}
	made := harness.Must1(deployments.Create(f.t.Context(), free, metav1.CreateOptions{}))(f.t)
	f.checkLabels("protobuf", made.Labels, "", "a")
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:"7"}}}`, f.ring.Label())
	made = harness.Must1(deployments.Patch(f.t.Context(), "claims", types.MergePatchType, patch,
		metav1.PatchOptions{}))(f.t)
	f.checkLabels("merge patch", made.Labels, "", "a")
	claim := strings.Replace(f.deployment("claims", nil, "a"), `"a":"x"`,
		fmt.Sprintf(`"a":"x",%q:"7"`, f.ring.Label()), 1)
	f.checkLabels("PUT", f.write(http.MethodPut, f.deploymentsPath("/claims"), harness.JSON, claim), "", "a")
}

// testEqualKeys: kube-apiserver merges equal keys in built-in types, and lets the
// last one win in custom resources.
func testEqualKeys(f *flight) {
	claim := fmt.Sprintf(`"labels":{%q:%q,"a":"x"}`, f.ring.Label(), f.another())
	for i, metadata := range []string{
		`"metadata":{` + claim + `,%s}`,
		`"metadata":{%s,` + claim + `}`,
		`"metadata":{%s,"labels":{"b":"x"},` + claim + `}`,
		`"metadata":{` + claim + `},"metadata":{%s}`,
		`"metadata":{` + claim + `,%s,"labels":{"b":"x"}}`,
		`"metadata":{` + strings.Replace(claim, "bucket", `\u0062ucket`, 1) + `,%s}`,
	} {
		name := fmt.Sprintf("equal-%d", i)
		child := map[string]any{}
		harness.Must(f.t, json.Unmarshal([]byte(f.deployment(name, f.parent)), &child))
		for path, object := range map[string]map[string]any{
			f.deploymentsPath(""): child,
			f.foosPath(""):        rig.NewFoo(f.ring.Namespace, name).Object,
		} {
			fields := encode(f.t, object["metadata"])
			fields = fields[1 : len(fields)-1]
			delete(object, "metadata")
			body := "{" + fmt.Sprintf(metadata, fields) + "," + strings.TrimPrefix(encode(f.t, object), "{")
			label := f.write(http.MethodPost, path, harness.JSON, body)[f.ring.Label()]
			if path == f.deploymentsPath("") && label != f.bucket() {
				f.t.Errorf("%s: bucket %q, not its owner's, %s", body, label, f.bucket())
			}
			if !f.owned.HasLabel(label) {
				f.t.Errorf("%s: bucket %q", body, label)
			}
		}
	}
}

func testUnlabellable(f *flight) {
	yaml := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: yaml}\n"
	for _, request := range []struct {
		method, path, contentType, body string
		code                            int
		reason                          metav1.StatusReason
	}{
		{http.MethodPost, f.deploymentsPath(""), "application/yaml", yaml, 415, metav1.StatusReasonUnsupportedMediaType},
		{http.MethodPatch, f.deploymentsPath("/yaml?fieldManager=x"), apply, yaml, 415, metav1.StatusReasonUnsupportedMediaType},
		{http.MethodPost, f.foosPath(""), "application/cbor", "\xd9\xd9\xf7\xa0", 415, metav1.StatusReasonUnsupportedMediaType},
		{http.MethodPatch, f.foosPath("/x?fieldManager=x"), "application/apply-patch+cbor", "\xa0", 415, metav1.StatusReasonUnsupportedMediaType},
		{http.MethodPost, f.foosPath(""), harness.JSON, `{"metadata":`, 400, metav1.StatusReasonBadRequest},
		{http.MethodPatch, f.foosPath("/" + f.parent.GetName()), "application/json-patch+json",
			`[{"op":"copy","from":"/spec","path":"/metadata/labels"}]`, 400, metav1.StatusReasonBadRequest},
		{http.MethodPatch, f.deploymentsPath("/replaced"), strategic,
			`{"metadata":{"$retainKeys":["name"],"name":"replaced"}}`, 400, metav1.StatusReasonBadRequest},
		{http.MethodPost, f.deploymentsPath(""), harness.Protobuf, "k8s\x00nonsense", 400, metav1.StatusReasonBadRequest},
	} {
		answer := f.raw.Do(request.method, request.path, request.body, "Content-Type: "+request.contentType)
		f.t.Logf("%s: %s", request.contentType, answer.Data)
		answer.CheckStatus(f.t, harness.JSON, request.code, request.reason)
	}
	// What is not sharded is none of our business.
	configMap := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\n"
	path := "/api/v1/namespaces/" + f.ring.Namespace + "/configmaps"
	answer := f.raw.Do(http.MethodPost, path, configMap, "Content-Type: application/yaml")
	if answer.StatusCode != http.StatusCreated {
		f.t.Errorf("a ConfigMap as YAML: %s", answer.Response.Status)
	}
}
