package clients

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

const requestsResources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns:
      - {group: apps, resource: deployments}
      - {resource: secrets}
`

// The members' rights for them, beside those of deploy/rbac.yaml.
const requestsRights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ringside-requests}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch, patch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ringside-requests}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ringside-requests}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-a}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: member-b}
`

// walker sends the requests of filters/REQUESTS.md through member a. In their namespace
// there is an "x" of each kind; it is member b's.
type walker struct {
	t         *testing.T
	ring      *harness.Ring
	member    *harness.Member
	namespace string
	theirs    *unstructured.Unstructured
}

// tableRow is a row of the table, and what came of it.
type tableRow struct {
	method, target, header string
	happens                string

	agent  string // by which the audit log knows it
	sent   string // the target as it was sent
	status int
	answer http.Header
	body   string
}

var tableRowPattern = regexp.MustCompile("^\\| `(\\S+) (\\S+)`(?: with `([^`]+)`)? \\| (\\w+) \\|")

// What filters/REQUESTS.md says happens to each form of request is what happens, before
// a real API server, whose audit log tells what it was asked.
func TestWhatHappensToEachFormOfRequest(t *testing.T) {
	harness.Must(t, harness.Cluster().Apply(t.Context(), requestsRights))
	const namespace = "requests-ns"
	harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), namespace))
	ring := harness.NewRing(t, "requests", 2, func(r *rig.Ring) {
		r.Resources = requestsResources
		r.Extra = "locks: [{namespace: " + namespace + ", name: lock}]\n"
	})
	ring.Start("a", "b")
	ring.WaitActive("a", "b")
	w := &walker{t: t, ring: ring, member: ring.Members["a"], namespace: namespace}
	w.populate()
	rows := w.readTable()
	audit := newAudit(t)
	for _, row := range rows {
		w.send(row)
	}
	last := &tableRow{method: http.MethodGet, target: "/api/v1/namespaces", agent: "walker-end"}
	w.send(last)
	asked := map[string][]controlplane.Event{}
	for _, event := range waitEvent(t, "the last request is in the audit log", audit,
		func(event *controlplane.Event) bool { return event.UserAgent == last.agent }) {
		asked[event.UserAgent] = append(asked[event.UserAgent], event)
	}
	for _, row := range rows {
		if complaint := w.judge(row, asked[row.agent]); complaint != "" {
			t.Errorf("%s %s %s: %s (answered %d %s)", row.method, row.sent, row.header, complaint, row.status, row.body)
		}
	}
}

// populate makes what requests are about: an "x" of each kind, of a Foo of member b.
func (w *walker) populate() {
	w.t.Helper()
	ctx, cluster := w.t.Context(), harness.Cluster()
	foo := rig.NewFoo(w.namespace, "x")
	foo.SetLabels(map[string]string{w.ring.Label(): firstBucket(w.t, w.ring.Members["b"])})
	w.theirs = harness.Must1(cluster.Dynamic.Resource(rig.Foos).Namespace(w.namespace).Create(ctx, foo, metav1.CreateOptions{}))(w.t)
	w.t.Cleanup(func() {
		_ = cluster.Dynamic.Resource(rig.Foos).Namespace(w.namespace).
			DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{})
	})
	deployment := rig.NewDeployment(w.namespace, "x", w.theirs)
	harness.Must1(cluster.Kube.AppsV1().Deployments(w.namespace).Create(ctx, deployment, metav1.CreateOptions{}))(w.t)
	secret := harness.Must1(cluster.Kube.CoreV1().Secrets(w.namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "x", OwnerReferences: deployment.OwnerReferences},
	}, metav1.CreateOptions{}))(w.t)
	harness.Eventually(w.t, "what is member b's is labelled", func(ctx context.Context) error {
		now, err := cluster.Kube.CoreV1().Secrets(w.namespace).Get(ctx, secret.Name, metav1.GetOptions{})
		if err == nil && now.Labels[w.ring.Label()] == "" {
			err = fmt.Errorf("%v", now.Labels)
		}
		return err
	})
}

func (w *walker) readTable() (rows []*tableRow) {
	w.t.Helper()
	text := harness.Must1(os.ReadFile("../../../filters/REQUESTS.md"))(w.t)
	table, _, _ := strings.Cut(string(text), "## Bodies")
	for line := range strings.Lines(table) {
		if found := tableRowPattern.FindStringSubmatch(line); found != nil {
			rows = append(rows, &tableRow{method: found[1], target: found[2], header: found[3], happens: found[4],
				agent: fmt.Sprintf("walker-%d", len(rows))})
		} else if strings.HasPrefix(line, "| `") {
			w.t.Errorf("a row that is none: %s", line)
		}
	}
	if len(rows) < 90 {
		w.t.Fatalf("the table has only %d rows", len(rows))
	}
	return rows
}

// content is what a write holds. What is made is member a's.
func (w *walker) content(row *tableRow) (contentType, body string) {
	path, _, _ := strings.Cut(row.target, "?")
	switch {
	case row.method == http.MethodPatch:
		return merge, `{"metadata":{"annotations":{"a":"b"}}}`
	case row.method != http.MethodPost && row.method != http.MethodPut:
		return "", ""
	case strings.Contains(path, "/leases/"):
		return harness.JSON, `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"lock"},"spec":{"holderIdentity":"me"}}`
	case row.method == http.MethodPost && strings.HasSuffix(path, "/foos"):
		foo := rig.NewFoo(w.namespace, "")
		foo.SetGenerateName("new-")
		return harness.JSON, encode(w.t, foo)
	case row.method == http.MethodPost && strings.HasSuffix(path, "/deployments"):
		foos := w.member.AsAdmin().Dynamic.Resource(rig.Foos).Namespace(w.namespace)
		mine := harness.Must1(foos.Create(w.t.Context(), rig.NewFoo(w.namespace, "mine"), metav1.CreateOptions{}))(w.t)
		deployment := rig.NewDeployment(w.namespace, "mine", mine)
		deployment.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
		return harness.JSON, encode(w.t, deployment)
	}
	return harness.JSON, encode(w.t, rig.NewFoo(w.namespace, "x"))
}

// send writes the request by hand: no client library changes a byte of its target. Of
// a watch the head of the answer is enough.
func (w *walker) send(row *tableRow) {
	w.t.Helper()
	named := strings.NewReplacer("/ns/", "/"+w.namespace+"/", "/ns%2F", "/"+w.namespace+"%2F",
		"samplecontroller.k8s.io/v1/", "samplecontroller.k8s.io/v1alpha1/")
	row.sent = named.Replace(row.target)
	contentType, body := w.content(row)
	connection := harness.Must1(net.Dial("tcp", strings.TrimPrefix(w.member.HTTP, "http://")))(w.t)
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(harness.Patience))
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer %s\r\nUser-Agent: %s\r\nContent-Length: %d\r\n",
		row.method, row.sent, harness.Cluster().Token(controlplane.Admin), row.agent, len(body))
	if contentType != "" {
		head += "Content-Type: " + contentType + "\r\n"
	}
	if row.header != "" {
		head += row.header + "\r\n"
	}
	if strings.HasPrefix(row.header, "Upgrade") {
		head += "Connection: Upgrade\r\nOrigin: http://api\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
	}
	_, err := io.WriteString(connection, head+"\r\n"+body)
	harness.Must(w.t, err)
	request := &http.Request{Method: row.method}
	response, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		w.t.Fatalf("%s %s: %v", row.method, row.sent, err)
	}
	// Not closed, as that would read a watch to its end.
	row.status, row.answer = response.StatusCode, response.Header
	if !strings.Contains(row.sent, "watch") || row.status != http.StatusOK {
		data := harness.Must1(io.ReadAll(response.Body))(w.t)
		row.body = string(data[:min(len(data), 2000)])
	}
}

// judge complains where something else has happened than the table says.
func (w *walker) judge(row *tableRow, asked []controlplane.Event) string {
	uri := ""
	for _, event := range asked {
		uri = event.RequestURI
	}
	wants := func(status int) string {
		if row.status != status || uri != "" {
			return fmt.Sprintf("not %d; the API server was asked for %q", status, uri)
		}
		return ""
	}
	switch row.happens {
	case "untouched":
		if uri != row.sent {
			return fmt.Sprintf("the API server was asked for %q", uri)
		}
	case "narrowed":
		if !strings.Contains(uri, "bucket.ringside.dev%2F"+w.ring.Name) {
			return fmt.Sprintf("the API server was asked for %q", uri)
		}
		if encoding := row.answer.Get("Content-Encoding"); encoding != "" {
			return "it came as " + encoding
		}
		if strings.Contains(row.body, string(w.theirs.GetUID())) {
			return "it shows what is another member's"
		}
	case "renamed":
		if !strings.Contains(uri, "lock.a") {
			return fmt.Sprintf("the API server was asked for %q", uri)
		}
	case "labelled":
		if row.method != http.MethodPost {
			return wants(http.StatusConflict)
		}
		if row.status != http.StatusCreated || !strings.Contains(row.body, w.ring.Label()) {
			return "it has no label"
		}
	case "fenced":
		return wants(http.StatusConflict)
	case "refused":
		return wants(http.StatusBadRequest)
	case "expired":
		return wants(http.StatusGone)
	default:
		return "nobody knows what that is"
	}
	return ""
}
