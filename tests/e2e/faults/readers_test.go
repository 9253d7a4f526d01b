package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Two clients, one of them by WebSocket, stop reading while they are told what left.
// Others are told all the same; their member lets go of what left once these two have
// had their time, and does not show them the former view any more.
func TestAReaderThatStopsInTheMiddleOfAMove(t *testing.T) {
	const foos = 100
	m := startMover(t, "stopped", "handover: {sessionTimeout: 8s, drainTimeout: 5m}\n", foos)
	large := fmt.Appendf(nil, `{"metadata":{"annotations":{"large":"%s"}}}`, strings.Repeat("x", 200<<10))
	client := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(m.ring.Namespace)
	for i := range foos { // more than buffers on the way can hold
		harness.Must1(client.Patch(t.Context(), rig.FooName(i), types.MergePatchType, large, metav1.PatchOptions{}))(t)
	}
	m.watch()
	raw := m.a.RawPlain(t, rig.ControllerUser("a"))
	var page metav1.PartialObjectMetadataList
	harness.Must(t, json.Unmarshal(raw.Get(foosPath+"?limit=1").Data, &page))
	watch := foosPath + "?watch=true&timeoutSeconds=300&resourceVersion=" + page.ResourceVersion

	openSocket := func() *websocket.Conn {
		connection, _, err := raw.Socket(t.Context(), watch)
		harness.Must(t, err)
		t.Cleanup(func() { connection.Close() })
		return connection
	}

	answer, socket := raw.Open(t.Context(), http.MethodGet, watch, ""), openSocket()
	m.scale(2)
	if text := harness.ReadAll(t, answer); text != "" {
		t.Fatalf("before it is moved it is told %.200s", text)
	}
	if _, data, err := socket.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Fatalf("before it is moved it is told %.200s by WebSocket: %v", data, err)
	}
	stopped := raw.Open(t.Context(), http.MethodGet, watch, "")
	defer stopped.Body.Close()
	openSocket()
	harness.Eventually(t, "the informer is told what left", func(context.Context) error {
		if n := len(m.informer.GetStore().ListKeys()); n > foos*3/4 {
			return fmt.Errorf("it holds %d", n)
		}
		return nil
	})
	if n := m.a.Metric("ringside_sessions_cut_total"); n != 0 {
		t.Errorf("%d watches were cut by then", n)
	}
	m.ring.WaitActive("a", "b")
	m.waitHolds()
	if n := m.a.Metric("ringside_sessions_cut_total"); n != 2 {
		t.Errorf("%d watches were cut", n)
	}
	m.checkRelists("")

	again := raw.Open(t.Context(), http.MethodGet, watch, "")
	defer again.Body.Close()
	line := harness.Must1(bufio.NewReader(again.Body).ReadString('\n'))(t)
	if !strings.HasPrefix(line, `{"type":"DELETED"`) {
		t.Errorf("when it comes back it is told %.200s", line)
	}
	if _, data, err := openSocket().ReadMessage(); !bytes.HasPrefix(data, []byte(`{"type":"DELETED"`)) {
		t.Errorf("when it comes back it is told %.200s by WebSocket: %v", data, err)
	}
}
