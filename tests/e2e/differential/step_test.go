package differential

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"

	"ringside.dev/ringside/tests/e2e/harness"
)

// step is a request that two worlds are sent. Its texts hold <<marks>>, which each
// world fills in by itself:
//
//	<<ns>>            the namespace
//	<<uid:foos/x>>    the uid that an object has now
//	<<rv:foos/x>>     its resourceVersion
//	<<version:7>>     the resourceVersion of the seventh list that was answered
//	<<continue>>      the last continue token
type step struct {
	method, path string
	query        []string // "key=value", as they are written
	headers      []string
	body         string
	isProtobuf   bool // body is sent in protobuf; it is written in JSON
	isGzipAsked  bool
}

func (s step) String() string {
	return fmt.Sprintf("%s %s?%s %q %s", s.method, s.path, strings.Join(s.query, "&"), s.headers, s.body)
}

func (s step) isWatch() bool {
	text := strings.Join(s.query, "&")
	return strings.Contains(text, "watch=true") || strings.Contains(text, "watch=1") || strings.Contains(s.path, "/watch/")
}

// kind is what a kind of object looks like in requests.
type kind struct {
	base, resource, apiVersion, kind string
	subresources                     []string
	hasProtobuf                      bool
}

var kinds = []kind{
	{"/apis/samplecontroller.k8s.io/v1alpha1", "foos", "samplecontroller.k8s.io/v1alpha1", "Foo", []string{"status"}, false},
	{"/apis/apps/v1", "deployments", "apps/v1", "Deployment", []string{"status", "scale"}, true},
}

// generator makes steps. Equal seeds make equal steps.
type generator struct {
	*rand.Rand
	versions int // how many lists were asked for
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func (g *generator) name(k kind) string {
	return fmt.Sprintf("%s-%d", strings.TrimSuffix(k.resource, "s"), g.IntN(6))
}

func (g *generator) next() step {
	k := pick(g, kinds...)
	switch n := g.IntN(100); {
	case n < 20:
		return g.create(k)
	case n < 30:
		return g.update(k)
	case n < 45:
		return g.patch(k)
	case n < 52:
		return g.remove(k)
	case n < 54:
		return g.removeMany(k)
	case n < 64:
		return g.get(k)
	case n < 94:
		return g.list(k)
	case n < 97:
		return g.watch(k)
	default:
		return g.odd(k)
	}
}

func (g *generator) collection(k kind) string {
	return k.base + "/namespaces/<<ns>>/" + k.resource
}

func (g *generator) object(k kind) string { return g.collection(k) + "/" + g.name(k) }

func (g *generator) accept(k kind) string {
	accepts := []string{
		harness.JSON, harness.JSON, harness.JSON,
		"application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
		"application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
		"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
		"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
		"*/*", "application/yaml", "text/plain",
		harness.Protobuf, harness.Protobuf + "," + harness.JSON,
		harness.CBOR, harness.CBOR + "," + harness.JSON,
	}
	return "Accept: " + pick(g, accepts...)
}

func (g *generator) labels(k kind) string {
	// An object that is the ring's has the label that it should have whatever its
	// body claims; one that is nobody's has none.
	if k.resource == "foos" && g.oneIn(8) {
		return `,"labels":{"bucket.ringside.dev/ringed0":"7"}`
	}
	return pick(g, ``, `,"labels":{"app":"a"}`, `,"labels":{"app":"b","tier":"x"}`, `,"labels":{"tier":"y"}`,
		`,"labels":{}`, `,"labels":null`)
}

func (g *generator) owners() string {
	foo := fmt.Sprintf("foo-%d", g.IntN(6))
	reference := `{"apiVersion":"samplecontroller.k8s.io/v1alpha1","kind":"Foo","name":"` + foo + `","uid":"<<uid:foos/` + foo + `>>"`
	return pick(g, ``, ``,
		`,"ownerReferences":[`+reference+`,"controller":true,"blockOwnerDeletion":true}]`,
		`,"ownerReferences":[`+reference+`}]`,
		`,"ownerReferences":[`+reference+`,"controller":false}]`)
}

// document is an object in JSON, mostly a valid one.
func (g *generator) document(k kind, name, more string) string {
	metadata := `{"name":"` + name + `"` + more + g.labels(k)
	if k.resource == "deployments" {
		metadata += g.owners()
	}
	metadata += `}`
	spec := fmt.Sprintf(`{"deploymentName":%q,"replicas":%d}`, name, 1+g.IntN(12)) // above 10 is invalid
	if k.resource == "deployments" {
		spec = fmt.Sprintf(`{"replicas":%d,"selector":{"matchLabels":{"app":%q}},"template":{"metadata":{"labels":{"app":%q}},`+
			`"spec":{"containers":[{"name":"c","image":%q}]}}}`, g.IntN(4), name, name, pick(g, "nginx", "redis"))
	}
	return `{"apiVersion":"` + k.apiVersion + `","kind":"` + k.kind + `","metadata":` + metadata + `,"spec":` + spec + `}`
}

func (g *generator) contentType(k kind, s *step) {
	s.isProtobuf = k.hasProtobuf && g.oneIn(2)
	s.headers = append(s.headers, "Content-Type: "+harness.JSON)
	if s.isProtobuf {
		s.headers[len(s.headers)-1] = "Content-Type: " + harness.Protobuf
	}
}

func (g *generator) writeQuery() []string {
	return pick(g, nil, nil, nil, []string{"fieldManager=someone"}, []string{"dryRun=All"},
		[]string{"fieldValidation=Strict"}, []string{"dryRun=Some"}, []string{"pretty=true"})
}

func (g *generator) create(k kind) step {
	s := step{method: "POST", path: g.collection(k), query: g.writeQuery(), headers: []string{g.accept(k)}}
	s.body = g.document(k, g.name(k), "")
	g.contentType(k, &s)
	return s
}

func (g *generator) update(k kind) step {
	name := g.name(k)
	version := pick(g, ``, `,"resourceVersion":"<<rv:`+k.resource+`/`+name+`>>"`, `,"resourceVersion":"1"`,
		`,"uid":"<<uid:`+k.resource+`/`+name+`>>"`)
	s := step{method: "PUT", path: g.collection(k) + "/" + name, query: g.writeQuery(), headers: []string{g.accept(k)}}
	s.body = g.document(k, name, version)
	g.contentType(k, &s)
	if g.oneIn(4) {
		s.path += "/status"
	}
	return s
}

func (g *generator) patch(k kind) step {
	name := g.name(k)
	s := step{method: "PATCH", path: g.collection(k) + "/" + name, query: g.writeQuery(), headers: []string{g.accept(k)}}
	contentType := ""
	switch g.IntN(5) {
	case 0:
		contentType = "application/merge-patch+json"
		s.body = pick(g, `{"spec":{"replicas":2}}`, `{"metadata":{"labels":{"app":"b"}}}`, `{"metadata":{"labels":null}}`,
			`{"metadata":{"labels":{"app":null}}}`, `{"metadata":{"annotations":{"a":"b"}}}`, `{"metadata":null}`, `[]`,
			`{"metadata":{"labels":{"bucket.ringside.dev/ringed0":null}}}`)
	case 1:
		contentType = "application/strategic-merge-patch+json"
		s.body = pick(g, `{"spec":{"replicas":3}}`, `{"metadata":{"labels":{"tier":"z"}}}`,
			`{"metadata":{"labels":{"app":"q","tier":null}}}`)
	case 2:
		contentType = "application/json-patch+json"
		// What an operation finds depends on whether there are labels at all.
		some := `{"op":"add","path":"/metadata/labels","value":{"app":"c"}}`
		s.body = pick(g, `[{"op":"replace","path":"/spec/replicas","value":3}]`, `[`+some+`]`,
			`[`+some+`,{"op":"remove","path":"/metadata/labels"}]`, `[{"op":"test","path":"/spec/replicas","value":1}]`,
			`[`+some+`,{"op":"replace","path":"/metadata/labels/app","value":"d"}]`, `{"op":"x"}`)
	case 3:
		contentType = "application/apply-patch+yaml"
		s.query = append([]string{"fieldManager=applier", "force=" + pick(g, "true", "false")}, s.query...)
		s.body = g.document(k, name, "")
	default:
		contentType = pick(g, "application/json", "text/plain", "application/merge-patch+json; charset=utf-8")
		s.body = `{"spec":{"replicas":4}}`
	}
	s.headers = append(s.headers, "Content-Type: "+contentType)
	if g.oneIn(5) {
		s.path += "/" + pick(g, k.subresources...)
	}
	return s
}

func (g *generator) remove(k kind) step {
	name := g.name(k)
	s := step{method: "DELETE", path: g.collection(k) + "/" + name, headers: []string{g.accept(k)}}
	if g.oneIn(2) {
		s.body = `{"apiVersion":"v1","kind":"DeleteOptions"` + pick(g, ``, `,"propagationPolicy":"Background"`, `,"propagationPolicy":"Orphan"`,
			`,"preconditions":{"uid":"<<uid:`+k.resource+`/`+name+`>>"}`, `,"preconditions":{"uid":"00000000-0000-0000-0000-000000000001"}`,
			`,"dryRun":["All"]`, `,"gracePeriodSeconds":0`) + `}`
		s.headers = append(s.headers, "Content-Type: "+harness.JSON)
	} else {
		s.query = pick(g, nil, []string{"propagationPolicy=Background"}, []string{"dryRun=All"})
	}
	return s
}

func (g *generator) removeMany(k kind) step {
	s := step{method: "DELETE", path: g.collection(k), headers: []string{"Accept: " + harness.JSON}}
	s.query = append(g.selectors(), pick(g, "dryRun=All", "propagationPolicy=Background"))
	return s
}

func (g *generator) get(k kind) step {
	s := step{method: "GET", path: g.object(k), headers: []string{g.accept(k)}}
	s.query = pick(g, nil, nil, []string{"resourceVersion=0"}, []string{"pretty=true"}, []string{"labelSelector=app%3Dnone"})
	if g.oneIn(4) {
		s.path += "/" + pick(g, append(k.subresources, "nothing")...)
	}
	return s
}

var labelSelectors = []string{
	"app=a", "app==b", "app!=a", "app in (a,b)", "app notin (a)", "app", "!app", "tier,app!=b", "app=a,tier notin (y)",
	"app>1", "app<5", "app=a,app!=b,app in (a,b),app notin (c),app,!none", "app=a,app=b", "bucket.ringside.dev/none", " app = a ", "app in (a", "=a", "app=a,", ",", "a b", "app in ()",
}

var fieldSelectors = []string{
	"metadata.name=foo-1", "metadata.name!=foo-1", "metadata.namespace=<<ns>>", "metadata.name=deployment-2,metadata.namespace=<<ns>>",
	"spec.replicas=1", "metadata.name", "x=y", "metadata.name=a/b", "metadata.name!=foo-1,metadata.name!=foo-2",
}

func (g *generator) selectors() []string {
	var query []string
	if g.oneIn(2) {
		query = append(query, "labelSelector="+url.QueryEscape(pick(g, labelSelectors...)))
	}
	if g.oneIn(8) {
		query = append(query, "labelSelector="+url.QueryEscape(pick(g, labelSelectors...)))
	}
	if g.oneIn(4) {
		selector := pick(g, fieldSelectors...)
		query = append(query, "fieldSelector="+strings.NewReplacer("=", "%3D", ",", "%2C", "!", "%21").Replace(selector))
	}
	return query
}

func (g *generator) version() string {
	return pick(g, "", "", "0", "<<version:"+fmt.Sprint(g.IntN(g.versions+1))+">>", "<<version:"+fmt.Sprint(g.IntN(g.versions+1))+">>",
		"999999999999", "abc", "-1")
}

func (g *generator) list(k kind) step {
	g.versions++
	s := step{method: "GET", path: g.collection(k), headers: []string{g.accept(k)}}
	s.query = g.selectors()
	if g.oneIn(3) {
		s.query = append(s.query, "resourceVersion="+g.version())
	}
	if g.oneIn(4) {
		s.query = append(s.query, "resourceVersionMatch="+pick(g, "Exact", "NotOlderThan", "NotOlderThan", ""))
	}
	if g.oneIn(3) {
		s.query = append(s.query, "limit="+pick(g, "1", "2", "3", "500", "0", "-1", "x"))
	}
	if g.oneIn(5) {
		s.query = append(s.query, "continue=<<continue>>")
	}
	if g.oneIn(12) {
		s.query = append(s.query, pick(g, "sendInitialEvents=true", "sendInitialEvents=false", "timeoutSeconds=20", "unknown=parameter",
			"watch=false", "watch=0", "pretty=1", "shardSelector=x", "allowWatchBookmarks=true", "limit=2&limit=1", "labelSelector=",
			"resourceVersion=&resourceVersion=0", "fieldSelector=metadata.name%3Dfoo-1&fieldSelector=metadata.name%3Dfoo-2", "&&", "=x", "limit"))
	}
	if g.oneIn(8) { // cluster-wide, but for this namespace
		s.path = k.base + "/" + k.resource
		s.query = append([]string{"fieldSelector=metadata.namespace%3D<<ns>>"}, s.query...) // the first one counts
	}
	if g.oneIn(12) {
		s.path = g.encoded(s.path)
	}
	return s
}

// encoded writes a letter of the path as its number, or a slash at its end.
func (g *generator) encoded(path string) string {
	at := len(path) - 1 - g.IntN(12)
	if path[at] < 'a' || path[at] > 'z' || strings.Contains(path[at:], ">") {
		return path + "/"
	}
	return fmt.Sprintf("%s%%%02"+pick(g, "x", "X")+"%s", path[:at], path[at], path[at+1:])
}

func (g *generator) watch(k kind) step {
	s := step{method: "GET", path: g.collection(k), headers: []string{g.accept(k)}}
	s.query = append(g.selectors(), "watch="+pick(g, "true", "1"), "timeoutSeconds=1", "allowWatchBookmarks="+pick(g, "true", "false"))
	switch g.IntN(4) {
	case 0:
		s.query = append(s.query, "resourceVersion="+g.version())
	case 1:
		s.query = append(s.query, "sendInitialEvents=true", "resourceVersionMatch=NotOlderThan", "allowWatchBookmarks=true")
	case 2:
		s.query = append(s.query, "resourceVersion=<<version:"+fmt.Sprint(g.IntN(g.versions+1))+">>")
	}
	if g.oneIn(4) {
		s.path = k.base + "/watch/namespaces/<<ns>>/" + k.resource + pick(g, "", "", "/"+g.name(k))
	}
	return s
}

// odd are requests that nobody should send, and somebody does.
func (g *generator) odd(k kind) step {
	json := []string{"Accept: " + harness.JSON, "Content-Type: " + harness.JSON}
	return pick(g,
		step{method: "POST", path: g.collection(k), headers: json, body: `{"metadata":`},
		step{method: "POST", path: g.collection(k), headers: json, body: `[]`},
		step{method: "POST", path: g.collection(k), headers: json},
		step{method: "POST", path: g.collection(k), headers: json, body: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}`},
		step{method: "POST", path: g.object(k), headers: json, body: g.document(k, g.name(k), "")},
		step{method: "PUT", path: g.object(k), headers: json, body: g.document(k, "other", "")},
		step{method: "PUT", path: g.collection(k), headers: json, body: g.document(k, "other", "")},
		step{method: "PATCH", path: g.collection(k), headers: json, body: `{}`},
		step{method: "POST", path: k.base + "/" + k.resource, headers: json, body: g.document(k, g.name(k), "")},
		step{method: "POST", path: g.collection(k), headers: json, body: g.document(k, g.name(k), `,"namespace":"elsewhere"`)},
		step{method: "POST", path: g.collection(k), headers: json, body: g.document(k, "Not_A_Name", "")},
		step{method: "GET", path: g.collection(k) + "/" + g.name(k) + "/status/more", headers: json},
		step{method: "GET", path: k.base + "/namespaces/<<ns>>/nothings", headers: json},
		step{method: "GET", path: k.base + "/" + k.resource + "/foo-1", headers: json},
		step{method: "HEAD", path: g.collection(k), headers: json},
		step{method: "HEAD", path: g.object(k), headers: json},
		// With an old position it is expired: a later API may mean something by it.
		step{method: "GET", path: g.collection(k), query: []string{"resourceVersionMatch=Bogus"}, headers: json},
		step{method: "OPTIONS", path: g.collection(k), headers: json},
		step{method: "GET", path: k.base, headers: json},
	)
}
