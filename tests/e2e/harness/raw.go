package harness

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"ringside.dev/ringside/tests/controlplane"
)

// Media types of the API.
const (
	JSON     = "application/json"
	Protobuf = "application/vnd.kubernetes.protobuf"
	CBOR     = "application/cbor"
)

// Raw speaks HTTP without a client library's help.
type Raw struct {
	t      testing.TB
	base   string
	token  string
	client *http.Client
}

// Answer is an HTTP answer that was read to its end.
type Answer struct {
	*http.Response
	Data []byte
}

// Raw speaks to the member as user, by TLS, with HTTP/2.
func (m *Member) Raw(t testing.TB, user string) *Raw {
	t.Helper()
	client := Must1(controlplane.TrustingClient(m.CA))(t)
	t.Cleanup(client.CloseIdleConnections)
	return &Raw{t: t, base: m.HTTPS, token: cluster.Token(user), client: client}
}

// RawHTTP1 speaks HTTP/1.1 by TLS.
func (m *Member) RawHTTP1(t testing.TB, user string) *Raw {
	t.Helper()
	return m.Raw(t, user).byHTTP1()
}

func (r *Raw) byHTTP1() *Raw {
	transport := r.client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2 = false
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	return r
}

// RawPlain speaks HTTP/1.1 without TLS.
func (m *Member) RawPlain(t testing.TB, user string) *Raw {
	t.Helper()
	raw := m.Raw(t, user)
	raw.base = m.HTTP
	return raw
}

// Direct speaks to the API server itself.
func Direct(t testing.TB, user string) *Raw {
	t.Helper()
	client := Must1(cluster.API.HTTPClient())(t)
	t.Cleanup(client.CloseIdleConnections)
	return &Raw{t: t, base: cluster.API.URL, token: cluster.Token(user), client: client}
}

// DirectHTTP1 is Direct by HTTP/1.1.
func DirectHTTP1(t testing.TB, user string) *Raw {
	t.Helper()
	return Direct(t, user).byHTTP1()
}

// Open sends a request and returns when the head of the answer is there. Headers
// are "Name: value".
func (r *Raw) Open(ctx context.Context, method, path, body string, headers ...string) *http.Response {
	r.t.Helper()
	response, err := r.Try(ctx, method, path, body, headers...)
	Must(r.t, err)
	return response
}

// Try is Open that returns errors.
func (r *Raw) Try(ctx context.Context, method, path, body string, headers ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	return r.client.Do(request)
}

// Socket watches by WebSocket. The answer is the handshake's; where that was refused
// there is an error too.
func (r *Raw) Socket(ctx context.Context, path string, headers ...string) (*websocket.Conn, *http.Response, error) {
	config := r.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	config.NextProtos = nil
	dialer := websocket.Dialer{TLSClientConfig: config}
	fields := http.Header{"Authorization": {"Bearer " + r.token}, "Origin": {r.base}}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if value == "" {
			fields.Del(name)
		} else {
			fields.Set(name, value)
		}
	}
	return dialer.DialContext(ctx, "ws"+strings.TrimPrefix(r.base, "http")+path, fields)
}

// Do sends a request and reads the answer to its end.
func (r *Raw) Do(method, path, body string, headers ...string) *Answer {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), Patience)
	defer cancel()
	response := r.Open(ctx, method, path, body, headers...)
	defer response.Body.Close()
	data := Must1(io.ReadAll(response.Body))(r.t)
	return &Answer{response, data}
}

// Get reads a path as JSON.
func (r *Raw) Get(path string) *Answer {
	r.t.Helper()
	return r.Do(http.MethodGet, path, "", "Accept: "+JSON)
}

// Status decodes the answer as a Status, in whatever encoding it is, and checks
// that the head tells the same as the body.
func (a *Answer) Status(t testing.TB) *metav1.Status {
	t.Helper()
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(a.Data, nil, nil)
	if err != nil {
		t.Fatalf("%s %s: no Status: %v: %q", a.Response.Status, a.Header.Get("Content-Type"), err, a.Data)
	}
	status, ok := object.(*metav1.Status)
	if !ok {
		t.Fatalf("%s: a %T, not a Status", a.Response.Status, object)
	}
	if int(status.Code) != a.StatusCode {
		t.Errorf("HTTP says %d, the Status %d", a.StatusCode, status.Code)
	}
	return status
}

// CheckStatus checks that the answer is a Status of a code and reason, in the
// encoding that was asked for.
func (a *Answer) CheckStatus(t testing.TB, accept string, code int, reason metav1.StatusReason) {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != accept {
		t.Errorf("the answer is %q, asked for was %q", got, accept)
	}
	status := a.Status(t)
	if a.StatusCode != code || status.Reason != reason || status.Status != metav1.StatusFailure {
		t.Errorf("answered %d %s: %s; not %d %s", a.StatusCode, status.Reason, status.Message,
			code, reason)
	}
}

// ReadAll reads an answer's body to its end and closes it.
func ReadAll(t testing.TB, response *http.Response) string {
	t.Helper()
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Logf("%s: the body ends with: %v", response.Request.URL.Path, err)
	}
	return string(data)
}
