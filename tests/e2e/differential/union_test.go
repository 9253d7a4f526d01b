package differential

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
		worlds[id] = &world{t: t, member: id, namespace: ring.Namespace, label: ring.Label(), raw: func() *harness.Raw { return raw }}
	}
	raw := harness.Direct(t, controlplane.Admin)
	direct := &world{t: t, namespace: ring.Namespace, label: ring.Label(), raw: func() *harness.Raw { return raw }}

	t.Logf("seed %d", *seed)
	g := &generator{Rand: rand.New(rand.NewPCG(*seed, 3))}
	answered := 0
	for i := range 150 {
		k := pick(g, kinds...)
		r := g.reading(k)
		var whole map[string]string
		var status int
		var mutex sync.Mutex
		var all sync.WaitGroup
		all.Go(func() { whole, status = direct.readAll(k, r) })
		parts, statuses := map[string]map[string]string{}, map[string]int{}
		for id, world := range worlds {
			all.Go(func() {
				part, partStatus := world.readAll(k, r)
				mutex.Lock()
				defer mutex.Unlock()
				parts[id], statuses[id] = part, partStatus
			})
		}
		all.Wait()
		for id, partStatus := range statuses {
			if partStatus != status && (partStatus != http.StatusBadRequest || status < 400) {
				t.Fatalf("%d: %s: member %s answers %d, the API server %d", i, r, id, partStatus, status)
			}
		}
		if status == http.StatusOK && len(whole) > 0 {
			answered++
		}
		checkParts(t, fmt.Sprintf("%d: %s", i, r), whole, parts)
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

// reading is a way to read what there is of a kind, which is answered alike at any time.
func (g *generator) reading(k kind) step {
	r := step{method: http.MethodGet, path: k.base + "/namespaces/<<ns>>/" + k.resource, query: g.selectors()}
	accept := pick(g, harness.JSON, harness.JSON, harness.CBOR, "application/json;as=Table;v=v1;g=meta.k8s.io",
		"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
	if k.hasProtobuf && g.oneIn(3) {
		accept = harness.Protobuf
	}
	if g.oneIn(8) { // the initial events of a watch
		accept = strings.Replace(accept, "MetadataList", "Metadata", 1)
		r.query = append(r.query, "watch=true", "timeoutSeconds=1", "allowWatchBookmarks=true",
			"sendInitialEvents=true", "resourceVersionMatch=NotOlderThan")
		if g.oneIn(2) {
			r.query = append(r.query[:len(r.query)-3], "resourceVersion=0")
		}
	} else {
		if g.oneIn(2) {
			r.query = append(r.query, "limit="+pick(g, "1", "3", "7", "500"))
		}
		switch g.IntN(4) {
		case 0:
			r.query = append(r.query, "resourceVersion=0")
		case 1:
			r.query = append(r.query, "resourceVersion=<<version:0>>", "resourceVersionMatch="+pick(g, "Exact", "NotOlderThan"))
		}
	}
	// Not page by page: with this selector kube-apiserver 1.37 begins anew now and then.
	if g.oneIn(4) && !slices.ContainsFunc(r.query, func(pair string) bool { return strings.HasPrefix(pair, "limit=") }) {
		r.path = k.base + "/" + k.resource
		r.query = append([]string{"fieldSelector=metadata.namespace%3D<<ns>>"}, r.query...)
	}
	r.headers = []string{"Accept: " + accept}
	r.isGzipAsked = g.oneIn(2)
	return r
}

// readAll reads to the end, page by page or event by event, and gives the objects by
// name.
func (w *world) readAll(k kind, r step) (map[string]string, int) {
	w.t.Helper()
	if len(w.versions) == 0 { // where the reading began
		w.do(step{method: http.MethodGet, path: k.base + "/namespaces/<<ns>>/" + k.resource, headers: []string{"Accept: " + harness.JSON}})
	}
	found := map[string]string{}
	add := func(object json.RawMessage) {
		name := nameOf(object)
		if _, twice := found[name]; twice {
			w.t.Errorf("%s, member %q: %s comes twice", r, w.member, name)
		}
		found[name] = w.json(object)
	}
	headers := append(r.headers, "Accept-Encoding: identity")
	if r.isGzipAsked && w.member != "" { // the API server itself would do so
		headers[len(headers)-1] = "Accept-Encoding: gzip"
	}
	path := w.fill(r.path + "?" + strings.Join(r.query, "&"))
	for token := ""; ; {
		page := path
		if token != "" {
			page = nextPage(path, token)
		}
		answer := w.raw().Do(http.MethodGet, page, "", headers...)
		if answer.StatusCode != http.StatusOK {
			return nil, answer.StatusCode
		}
		if encoding := answer.Header.Get("Content-Encoding"); encoding != "" {
			w.t.Errorf("%s, member %q: it came as %s", r, w.member, encoding)
		}
		contentType := answer.Header.Get("Content-Type")
		if r.isWatch() {
			for _, event := range w.frames(contentType, answer.Data) {
				if event.Type != "BOOKMARK" {
					add(event.Object)
				}
			}
			return found, http.StatusOK
		}
		var list struct {
			Metadata    struct{ Continue string }
			Items, Rows []json.RawMessage
		}
		harness.Must(w.t, json.Unmarshal(w.asJSON(contentType, answer.Data), &list))
		for _, item := range append(list.Items, list.Rows...) {
			add(item)
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
