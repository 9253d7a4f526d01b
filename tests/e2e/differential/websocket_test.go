package differential

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// A ring of one speaks WebSocket as the API server does: it accepts and refuses the
// same handshakes, and of a watch come the same messages, byte for byte.
func TestARingOfOneSpeaksWebSocketAsTheAPIServer(t *testing.T) {
	ring := harness.NewRing(t, "socketed", 1, func(r *rig.Ring) {
		r.Duration, r.Renew = 30*time.Second, time.Second
	})
	ring.Start("a")
	ring.WaitActive("a")
	member := ring.Members["a"]
	position := changeThings(t, ring)
	t.Run("handshakes", func(t *testing.T) { compareHandshakes(t, ring) })
	for _, through := range []*harness.Raw{member.RawHTTP1(t, controlplane.Admin), member.RawPlain(t, controlplane.Admin)} {
		t.Run("messages", func(t *testing.T) { compareMessages(t, ring, through, position) })
	}
}

const (
	table      = "application/json;as=Table;v=v1;g=meta.k8s.io"
	metadata   = ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
	foosOf     = "/apis/samplecontroller.k8s.io/v1alpha1/namespaces/socketed/foos"
	watchFoos  = "/apis/samplecontroller.k8s.io/v1alpha1/watch/namespaces/socketed/foos"
	childrenOf = "/apis/apps/v1/namespaces/socketed/deployments"
)

// changeThings creates, changes and deletes objects of all kinds, through the member:
// what it labels has its label from the beginning. It returns the position before that.
func changeThings(t *testing.T, ring *harness.Ring) string {
	t.Helper()
	ctx, clients := t.Context(), ring.Members["a"].AsAdmin()
	foos := clients.Dynamic.Resource(rig.Foos).Namespace(ring.Namespace)
	deployments := clients.Kube.AppsV1().Deployments(ring.Namespace)
	position := harness.Must1(foos.List(ctx, metav1.ListOptions{}))(t).GetResourceVersion()
	change := []byte(`{"metadata":{"annotations":{"changed":"yes"}}}`)
	for i := range 6 {
		foo := harness.Must1(foos.Create(ctx, rig.NewFoo(ring.Namespace, rig.FooName(i)), metav1.CreateOptions{}))(t)
		child := rig.NewDeployment(ring.Namespace, foo.GetName(), foo)
		// Beyond what comes at once, and beyond a length of two bytes.
		child.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "LARGE", Value: strings.Repeat("0123456789", i*8000)}}
		harness.Must1(deployments.Create(ctx, child, metav1.CreateOptions{}))(t)
		harness.Must1(foos.Patch(ctx, foo.GetName(), types.MergePatchType, change, metav1.PatchOptions{}))(t)
		harness.Must1(deployments.Patch(ctx, foo.GetName(), types.MergePatchType, change, metav1.PatchOptions{}))(t)
	}
	harness.Must(t, foos.Delete(ctx, rig.FooName(1), metav1.DeleteOptions{}))
	harness.Must(t, deployments.Delete(ctx, rig.FooName(1), metav1.DeleteOptions{}))
	return position
}

// --- handshakes ---

func compareHandshakes(t *testing.T, ring *harness.Ring) {
	bearer := "base64url.bearer.authorization.k8s.io."
	token := func(user string) string {
		return bearer + base64.RawURLEncoding.EncodeToString([]byte(harness.Cluster().Token(user)))
	}
	good := []string{"Origin: https://localhost", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="}
	protocols := func(text string) []string { return append(slices.Clone(good), "Sec-WebSocket-Protocol: "+text) }
	for what, fields := range map[string][]string{
		"as it should be":          good,
		"no key":                   good[:2],
		"no version":               {good[0], good[2]},
		"another version":          {good[0], "Sec-WebSocket-Version: 8", good[2]},
		"no origin":                good[1:],
		"origin null":              {"Origin: null", good[1], good[2]},
		"origin of a path":         {"Origin: /x", good[1], good[2]},
		"an origin that is none":   {"Origin: 1x:y", good[1], good[2]},
		"a subprotocol":            protocols("base64.binary.k8s.io"),
		"an unknown subprotocol":   protocols("whatever"),
		"two subprotocols":         protocols("binary.k8s.io, base64.binary.k8s.io"),
		"an extension":             append(slices.Clone(good), "Sec-WebSocket-Extensions: permessage-deflate"),
		"a token":                  append(protocols(token(controlplane.Admin)+", v1"), "Authorization: "),
		"a token and a field":      protocols(token(controlplane.Admin) + ", v1"),
		"another's token":          append(protocols(token(rig.Nobody)+", v1"), "Authorization: "),
		"a wrong token":            append(protocols(bearer+"eHl6, v1"), "Authorization: "),
		"a token that is none":     append(protocols(bearer+"!, v1"), "Authorization: "),
		"a token alone":            append(protocols(token(controlplane.Admin)), "Authorization: "),
		"two tokens":               append(protocols(token(controlplane.Admin)+", v1, "+bearer+"eHl6"), "Authorization: "),
		"nobody":                   append(slices.Clone(good), "Authorization: Bearer wrong"),
		"an upgrade to SPDY":       {"Upgrade: SPDY/3.1"},
		"an upgrade in capitals":   append(slices.Clone(good), "Upgrade: WEBSOCKET"),
		"an upgrade to what is it": append(slices.Clone(good), "Upgrade: what"),
	} {
		for _, path := range []string{
			foosOf + "?watch=true&timeoutSeconds=1", foosOf + "?watch=true&timeoutSeconds=1&resourceVersion=nonsense",
			watchFoos + "?timeoutSeconds=1", foosOf, foosOf + "/" + rig.FooName(2),
		} {
			direct := shake(t, harness.DirectHTTP1(t, controlplane.Admin), path, fields)
			through := shake(t, ring.Members["a"].RawHTTP1(t, controlplane.Admin), path, fields)
			// A handshake that is refused has not asked for anything yet.
			isBoth := strings.Contains(path, "nonsense") && strings.HasPrefix(through, "40") && !strings.HasPrefix(direct, "101")
			if direct != through && !isBoth {
				t.Errorf("%s, %s: %q, directly %q", path, what, through, direct)
			}
		}
	}
}

// shake is what the answer to a handshake says about it.
func shake(t *testing.T, raw *harness.Raw, path string, fields []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	response := raw.Open(ctx, http.MethodGet, path, "", append([]string{"Connection: Upgrade", "Upgrade: websocket"}, fields...)...)
	defer response.Body.Close()
	answer := fmt.Sprint(response.StatusCode)
	for _, name := range []string{"Upgrade", "Sec-Websocket-Accept", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions"} {
		answer += fmt.Sprintf(" %q", response.Header[name])
	}
	return answer
}

// --- messages ---

func compareMessages(t *testing.T, ring *harness.Ring, through *harness.Raw, position string) {
	direct := harness.Direct(t, controlplane.Admin)
	var later []func()
	for _, watch := range []struct{ path, accept string }{
		{foosOf + "?watch=true&resourceVersion=" + position, ""},
		{foosOf + "?watch=true&resourceVersion=" + position, "*/*"},
		{foosOf + "?watch=true&pretty=true&resourceVersion=" + position, harness.JSON},
		{foosOf + "?watch=true&resourceVersion=" + position, harness.JSON + metadata},
		{foosOf + "?watch=true&resourceVersion=" + position, table},
		{foosOf + "?watch=true&resourceVersion=" + position, harness.CBOR},
		{foosOf + "?watch=true&resourceVersion=0", harness.JSON},
		{foosOf + "?watch=true&fieldSelector=metadata.name%3D" + rig.FooName(3) + "&resourceVersion=" + position, harness.JSON},
		{foosOf + "?watch=true&labelSelector=nothing&resourceVersion=" + position, harness.JSON},
		{watchFoos + "?resourceVersion=" + position, harness.JSON},
		{childrenOf + "?watch=true&resourceVersion=" + position, harness.JSON},
		{childrenOf + "?watch=true&resourceVersion=" + position, harness.Protobuf},
		{childrenOf + "?watch=true&resourceVersion=" + position, harness.Protobuf + metadata},
		{childrenOf + "?watch=true&resourceVersion=" + position, harness.CBOR + "," + harness.JSON},
	} {
		// All at once, as each takes its second.
		a, b := openSocket(t, through, watch.path, watch.accept), openSocket(t, direct, watch.path, watch.accept)
		later = append(later, func() { compareWatch(t, watch.path, watch.accept, a, b) })
	}
	for _, compare := range later {
		compare()
	}
}

func openSocket(t *testing.T, raw *harness.Raw, path, accept string) *websocket.Conn {
	t.Helper()
	connection, _, err := raw.Socket(t.Context(), path+"&timeoutSeconds=1", "Accept: "+accept)
	harness.Must(t, err)
	t.Cleanup(func() { connection.Close() })
	return connection
}

func compareWatch(t *testing.T, path, accept string, through, direct *websocket.Conn) {
	t.Helper()
	a, b := messages(t, through, accept), messages(t, direct, accept)
	what := path + " as " + accept
	if len(b) < 2 && !strings.Contains(path, "nothing") {
		t.Errorf("%s: nothing comes directly: %.200q", what, b)
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("%s: message %d is\n%.300q\ndirectly\n%.300q", what, i, a[i], b[i])
			break
		}
	}
	if len(a) != len(b) {
		t.Errorf("%s: %d messages, directly %d", what, len(a), len(b))
	}
}

var ages = regexp.MustCompile(`"[0-9ms]+s"`)

// messages are what comes of a watch of a second, and how that ends.
func messages(t *testing.T, connection *websocket.Conn, accept string) (all []string) {
	t.Helper()
	harness.Must(t, connection.SetReadDeadline(time.Now().Add(harness.Patience)))
	for {
		kind, data, err := connection.ReadMessage()
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			return append(all, fmt.Sprintf("closed with %d %q", closed.Code, closed.Text))
		}
		harness.Must(t, err)
		if strings.HasPrefix(accept, harness.CBOR) { // its maps have no order
			data = fromCBOR(t, data)
		}
		if accept == table {
			data = ages.ReplaceAll(data, []byte("age"))
		}
		all = append(all, fmt.Sprintf("type %d: %s", kind, data))
	}
}
