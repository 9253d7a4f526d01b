package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// A client stops reading while it is told what left. Other clients are told all the
// same; its member lets go of what left once that client has had its time, and does not
// show it the former view any more.
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

	answer := raw.Open(t.Context(), http.MethodGet, watch, "")
	m.scale(2)
	if text := harness.ReadAll(t, answer); text != "" {
		t.Fatalf("before it is moved it is told %.200s", text)
	}
	stopped := raw.Open(t.Context(), http.MethodGet, watch, "")
	defer stopped.Body.Close()
	harness.Eventually(t, "the informer is told what left", func(context.Context) error {
		if n := len(m.informer.GetStore().ListKeys()); n > foos*3/4 {
			return fmt.Errorf("it holds %d", n)
		}
		return nil
	})
	if n := m.counts()["ringside_sessions_cut_total"]; n != 0 {
		t.Errorf("%d watches were cut by then", n)
	}
	m.ring.WaitActive("a", "b")
	m.waitHolds()
	if n := m.counts()["ringside_sessions_cut_total"]; n != 1 {
		t.Errorf("%d watches were cut", n)
	}
	m.checkRelists("")

	again := raw.Open(t.Context(), http.MethodGet, watch, "")
	defer again.Body.Close()
	line := harness.Must1(bufio.NewReader(again.Body).ReadString('\n'))(t)
	if !strings.HasPrefix(line, `{"type":"DELETED"`) {
		t.Errorf("when it comes back it is told %.200s", line)
	}
}
