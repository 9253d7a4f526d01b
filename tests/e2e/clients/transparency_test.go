package clients

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

func decodeJSON(t *testing.T, data []byte, value any) {
	t.Helper()
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%v: %q", err, data)
	}
}

// touched is a namespace with an annotation that makes an update of it a change.
func touched(t *testing.T, name string) *corev1.Namespace {
	t.Helper()
	namespaces := harness.Cluster().Kube.CoreV1().Namespaces()
	namespace := harness.Must1(namespaces.Get(t.Context(), name, metav1.GetOptions{}))(t)
	namespace.Annotations = map[string]string{"touched": time.Now().Format(time.RFC3339Nano)}
	return namespace
}

// eachListener runs a test through all the ways into a member.
func eachListener(t *testing.T, member *harness.Member, test func(*testing.T, *harness.Raw)) {
	t.Run("HTTP/2", func(t *testing.T) { test(t, member.Raw(t, controlplane.Admin)) })
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, member.RawHTTP1(t, controlplane.Admin)) })
	t.Run("http", func(t *testing.T) { test(t, member.RawPlain(t, controlplane.Admin)) })
}

// The invariant transparent, in its basics.
func TestTransparent(t *testing.T) {
	ring := harness.NewRing(t, "transparent", 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	member := ring.Members["a"]

	t.Run("answers are those of the API server", func(t *testing.T) {
		eachListener(t, member, func(t *testing.T, raw *harness.Raw) { testSameAnswers(t, raw) })
	})
	t.Run("the head of an idle watch and each event come at once", func(t *testing.T) {
		eachListener(t, member, func(t *testing.T, raw *harness.Raw) { testPromptWatch(t, ring, raw) })
	})
	t.Run("a large object passes in both directions", func(t *testing.T) {
		eachListener(t, member, func(t *testing.T, raw *harness.Raw) { testLargeObject(t, ring, raw) })
	})
	t.Run("a WebSocket watch is tunnelled", func(t *testing.T) { testWebSocket(t, ring) })
	t.Run("the client's rights are what count", func(t *testing.T) { testClientRights(t, member) })
	t.Run("the kubeconfig that it writes works", func(t *testing.T) { testWrittenKubeconfig(t, ring) })
}

func testSameAnswers(t *testing.T, raw *harness.Raw) {
	direct := harness.Direct(t, controlplane.Admin)
	for _, request := range []struct{ method, path, body string }{
		{"GET", "/version", ""},
		{"GET", "/api", ""},
		{"GET", "/apis", ""},
		{"GET", "/openapi/v3", ""},
		{"HEAD", "/api/v1/namespaces", ""},
		{"GET", "/api/v1/namespaces/default", ""},
		{"GET", "/api/v1/namespaces/none", ""},
		{"GET", "/nonsense", ""},
		{"GET", foosPath + "/none", ""},
		{"GET", foosPath + "/namespaces/default/foos/none", ""},
		{"OPTIONS", "/api", ""},
		{"POST", "/api/v1/namespaces", "{"},
		{"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
			`{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}`},
		{"PUT", "/api/v1/namespaces/none", "{}"},
		{"DELETE", "/api/v1/namespaces/default/configmaps/none", ""},
	} {
		for _, accept := range []string{harness.JSON, harness.Protobuf + "," + harness.JSON} {
			headers := []string{"Accept: " + accept, "Content-Type: " + harness.JSON}
			want := direct.Do(request.method, request.path, request.body, headers...)
			got := raw.Do(request.method, request.path, request.body, headers...)
			what := fmt.Sprintf("%s %s (%s)", request.method, request.path, accept)
			if got.StatusCode != want.StatusCode || string(got.Data) != string(want.Data) {
				t.Errorf("%s: directly %s\n%q\nthrough the proxy %s\n%q",
					what, want.Response.Status, want.Data, got.Response.Status, got.Data)
			}
			compareHeaders(t, what, want, got)
		}
	}
}

// compareHeaders compares the answer's header fields, but for those that tell of
// the moment, the request or the connection.
func compareHeaders(t *testing.T, what string, want, got *harness.Answer) {
	t.Helper()
	for _, name := range []string{"Date", "Audit-Id", "Connection", "Transfer-Encoding"} {
		want.Header.Del(name)
		got.Header.Del(name)
	}
	// Over HTTP/1.1, which we speak upstream, Go's server chunks what it would give
	// a length over HTTP/2; a length that is said must be right.
	if got.Header["Content-Length"] == nil {
		want.Header.Del("Content-Length")
	}
	for name := range want.Header {
		if strings.Join(want.Header[name], ",") != strings.Join(got.Header[name], ",") {
			t.Errorf("%s: header %s: directly %q, through the proxy %q", what, name, want.Header[name], got.Header[name])
		}
	}
	for name := range got.Header {
		if want.Header[name] == nil {
			t.Errorf("%s: the proxy adds the header %s: %q", what, name, got.Header[name])
		}
	}
}

func configMapPath(ring *harness.Ring, name string) string {
	return "/api/v1/namespaces/" + ring.Namespace + "/configmaps" + name
}

func newConfigMap(t *testing.T, ring *harness.Ring, name, value string) {
	t.Helper()
	object := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"key": value},
	}
	configMaps := harness.Cluster().Kube.CoreV1().ConfigMaps(ring.Namespace)
	_ = configMaps.Delete(t.Context(), name, metav1.DeleteOptions{})
	harness.Must1(configMaps.Create(t.Context(), object, metav1.CreateOptions{}))(t)
}

func testPromptWatch(t *testing.T, ring *harness.Ring, raw *harness.Raw) {
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	started := time.Now()
	response := raw.Open(ctx, http.MethodGet,
		configMapPath(ring, "?watch=true&fieldSelector=metadata.name%3Dprompt&timeoutSeconds=60"), "")
	defer response.Body.Close()
	t.Logf("the head came after %s", time.Since(started))
	events := bufio.NewScanner(response.Body)
	for i := range 3 {
		newConfigMap(t, ring, "prompt", fmt.Sprint(i))
		written := time.Now()
		for {
			if !events.Scan() {
				t.Fatalf("the watch ended: %v", events.Err())
			}
			if strings.Contains(events.Text(), fmt.Sprintf(`{"key":"%d"}`, i)) {
				break
			}
		}
		t.Logf("event %d came after %s", i, time.Since(written))
	}
}

func testLargeObject(t *testing.T, ring *harness.Ring, raw *harness.Raw) {
	value := strings.Repeat("0123456789abcdef", 60*1024) // 960 KiB; etcd takes 1.5 MiB
	_ = raw.Do(http.MethodDelete, configMapPath(ring, "/large"), "")
	body := fmt.Sprintf(`{"metadata":{"name":"large"},"data":{"key":%q}}`, value)
	created := raw.Do(http.MethodPost, configMapPath(ring, ""), body, "Content-Type: "+harness.JSON)
	if created.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %.300s", created.Response.Status, created.Data)
	}
	var object corev1.ConfigMap
	decodeJSON(t, raw.Get(configMapPath(ring, "/large")).Data, &object)
	if object.Data["key"] != value {
		t.Errorf("what comes back is not what was sent: %d bytes", len(object.Data["key"]))
	}
}

func testWebSocket(t *testing.T, ring *harness.Ring) {
	member := ring.Members["a"]
	pem := harness.Must1(os.ReadFile(member.CA))(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	dialer := websocket.Dialer{TLSClientConfig: &tls.Config{RootCAs: roots}}
	for _, base := range []string{member.HTTPS, member.HTTP} {
		address := "ws" + strings.TrimPrefix(base, "http") +
			configMapPath(ring, "?watch=true&fieldSelector=metadata.name%3Dsocket")
		header := http.Header{
			"Authorization": {"Bearer " + harness.Cluster().Token(controlplane.Admin)},
			"Origin":        {base},
		}
		connection, _, err := dialer.DialContext(t.Context(), address, header)
		harness.Must(t, err)
		defer connection.Close()
		harness.Must(t, connection.SetReadDeadline(time.Now().Add(harness.Patience)))
		newConfigMap(t, ring, "socket", base)
		for {
			_, frame, err := connection.ReadMessage()
			harness.Must(t, err)
			if strings.Contains(string(frame), fmt.Sprintf(`{"key":%q}`, base)) {
				break
			}
		}
	}
}

func testClientRights(t *testing.T, member *harness.Member) {
	answer := member.Raw(t, rig.Nobody).Get("/api/v1/namespaces")
	answer.CheckStatus(t, harness.JSON, http.StatusForbidden, metav1.StatusReasonForbidden)
	answer = member.Raw(t, rig.Nobody).Get(foosPath + "/foos")
	answer.CheckStatus(t, harness.JSON, http.StatusForbidden, metav1.StatusReasonForbidden)
	answer = member.Raw(t, controlplane.Admin).Do(http.MethodGet, "/api/v1/namespaces", "",
		"Authorization: Bearer wrong", "Accept: "+harness.JSON)
	answer.CheckStatus(t, harness.JSON, http.StatusUnauthorized, metav1.StatusReasonUnauthorized)
}

func testWrittenKubeconfig(t *testing.T, ring *harness.Ring) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	ring.StartWith("b", rig.MemberOptions{Flags: []string{"--write-kubeconfig", path}}).WaitHealthy()
	clients := harness.Must1(rig.NewClients(path))(t)
	if clients.Config.Host != ring.Members["b"].HTTPS {
		t.Errorf("the server is %s, not %s", clients.Config.Host, ring.Members["b"].HTTPS)
	}
	output := harness.Must1(harness.Cluster().Kubectl(t.Context(), path,
		"auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"))(t)
	if output != rig.MemberUser("b") {
		t.Errorf("with it one is %q, not %q", output, rig.MemberUser("b"))
	}
	if mode := harness.Must1(os.Stat(path))(t).Mode().Perm(); mode != 0o600 {
		t.Errorf("the kubeconfig, with its credentials, has mode %o", mode)
	}
}
