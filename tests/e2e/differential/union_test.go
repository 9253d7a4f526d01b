package differential

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// What the members of a ring of three show is disjoint, and together it is what the
// API server shows; objects of an owned type that are nobody's, all of them show.
func TestTheMembersAnswersAreThePartsOfTheAPIServers(t *testing.T) {
	ring := harness.NewRing(t, "three", 3, nil)
	ring.Start("a", "b", "c")
	ring.WaitActive("a", "b", "c")
	populate(t, ring)
	worlds := map[string]*world{}
	for id, member := range ring.Members {
		raw := member.Raw(t, controlplane.Admin)
		worlds[id] = &world{t: t, namespace: ring.Namespace, label: ring.Label(), raw: func() *harness.Raw { return raw }}
	}
	raw := harness.Direct(t, controlplane.Admin)
	direct := &world{t: t, namespace: ring.Namespace, label: ring.Label(), raw: func() *harness.Raw { return raw }}

	t.Logf("seed %d", *seed)
	g := &generator{Rand: rand.New(rand.NewPCG(*seed, 3))}
	answered := 0
	for i := range 150 {
		k := pick(g, kinds...)
		query := g.reading()
		whole, status := direct.readAll(k, query)
		parts := map[string]map[string]string{}
		for id, world := range worlds {
			part, partStatus := world.readAll(k, query)
			if partStatus != status && (partStatus != http.StatusBadRequest || status < 400) {
				t.Fatalf("%d: %s %q: member %s answers %d, the API server %d", i, k.resource, query, id, partStatus, status)
			}
			parts[id] = part
		}
		if status == http.StatusOK && len(whole) > 0 {
			answered++
		}
		checkParts(t, fmt.Sprintf("%d: %s %q", i, k.resource, query), whole, parts)
	}
	if answered < 30 {
		t.Errorf("only %d queries found anything", answered)
	}
}

func checkParts(t *testing.T, what string, whole map[string]string, parts map[string]map[string]string) {
	t.Helper()
	shown := map[string]int{}
	for id, part := range parts {
		for name, object := range part {
			shown[name]++
			if whole[name] != object {
				t.Errorf("%s: member %s shows %s\n%s\nthe API server\n%s", what, id, name, object, whole[name])
			}
		}
	}
	for name := range whole {
		want := 1
		if strings.HasPrefix(name, "nobody") {
			want = len(parts)
		}
		if shown[name] != want {
			t.Errorf("%s: %s is shown by %d members, not %d", what, name, shown[name], want)
		}
	}
}

// populate makes Foos with all kinds of labels, a Deployment for each, and some that
// are nobody's, and waits until all that should have a bucket have it.
func populate(t *testing.T, ring *harness.Ring) {
	t.Helper()
	const count = 40
	cluster, ctx := harness.Cluster(), t.Context()
	foos := cluster.Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	deployments := cluster.Kube.AppsV1().Deployments(ring.Namespace)
	labels := []map[string]string{nil, {"app": "a"}, {"app": "b", "tier": "x"}, {"tier": "y"}, {"app": "3"}}
	for i := range count {
		foo := rig.NewFoo(ring.Namespace, fmt.Sprintf("foo-%d", i))
		foo.SetLabels(labels[i%len(labels)])
		foo = harness.Must1(foos.Create(ctx, foo, metav1.CreateOptions{}))(t)
		deployment := rig.NewDeployment(ring.Namespace, fmt.Sprintf("deployment-%d", i), foo)
		deployment.Labels = labels[(i+1)%len(labels)]
		harness.Must1(deployments.Create(ctx, deployment, metav1.CreateOptions{}))(t)
	}
	for i := range 3 {
		nobodys := rig.NewDeployment(ring.Namespace, fmt.Sprintf("nobody-%d", i), nil)
		nobodys.Labels = labels[i]
		harness.Must1(deployments.Create(ctx, nobodys, metav1.CreateOptions{}))(t)
	}
	ring.WaitLabelled(count)
	ring.WaitDeploymentsLabelled(count)
}

// reading is a query of a list that is answered alike at any time.
func (g *generator) reading() []string {
	query := g.selectors()
	if g.oneIn(2) {
		query = append(query, "limit="+pick(g, "1", "3", "7", "500"))
	}
	switch g.IntN(4) {
	case 0:
		query = append(query, "resourceVersion=0")
	case 1:
		query = append(query, "resourceVersion=<<version:0>>", "resourceVersionMatch="+pick(g, "Exact", "NotOlderThan"))
	}
	return query
}

// readAll lists, page by page, and gives the objects by name.
func (w *world) readAll(k kind, query []string) (map[string]string, int) {
	w.t.Helper()
	if len(w.versions) == 0 { // where the reading began
		w.do(step{method: http.MethodGet, path: k.base + "/namespaces/<<ns>>/" + k.resource, headers: []string{"Accept: " + harness.JSON}})
	}
	found := map[string]string{}
	path := w.fill(k.base + "/namespaces/<<ns>>/" + k.resource + "?" + strings.Join(query, "&"))
	for token := ""; ; {
		page := path
		if token != "" {
			page = nextPage(path, token)
		}
		answer := w.raw().Get(page)
		if answer.StatusCode != http.StatusOK {
			return nil, answer.StatusCode
		}
		var list struct {
			Metadata struct{ Continue string }
			Items    []json.RawMessage
		}
		harness.Must(w.t, json.Unmarshal(answer.Data, &list))
		for _, item := range list.Items {
			var object struct{ Metadata struct{ Name string } }
			harness.Must(w.t, json.Unmarshal(item, &object))
			if _, twice := found[object.Metadata.Name]; twice {
				w.t.Errorf("%s: %s comes twice", page, object.Metadata.Name)
			}
			found[object.Metadata.Name] = w.json(item)
		}
		if token = list.Metadata.Continue; token == "" {
			return found, http.StatusOK
		}
	}
}

// nextPage leaves out what may not stand beside a token.
func nextPage(path, token string) string {
	base, query, _ := strings.Cut(path, "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if !strings.HasPrefix(pair, "resourceVersion") {
			kept = append(kept, pair)
		}
	}
	return base + "?" + strings.Join(append(kept, "continue="+url.QueryEscape(token)), "&")
}
