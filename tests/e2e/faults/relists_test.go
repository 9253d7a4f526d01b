package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

var reasonPattern = regexp.MustCompile("(?m)^\\| `reason=\"(\\w+)\"` \\|")

// Each reason for which a WATCH is told in its stream to list anew, as the table in
// proxy/README.md has them: its client is told 410 under HTTP 200, and it is counted.
func TestEachReasonToListAnew(t *testing.T) {
	m := startMover(t, "reasons", "", 40)
	m.scale(2)
	m.ring.WaitActive("a", "b")
	raw := m.a.Raw(t, rig.ControllerUser("a"))
	list := func() *metav1.PartialObjectMetadataList {
		var page metav1.PartialObjectMetadataList
		harness.Must(t, json.Unmarshal(raw.Get(foosPath).Data, &page))
		return &page
	}
	former := list().ResourceVersion
	m.scale(1)
	m.ring.WaitActive("a")
	from := func(position string) string { return foosPath + "?watch=true&resourceVersion=" + position }

	answerLists := func(code int, reason string) rig.Fault {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if isMoveList(r) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(code)
				fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"%s","code":%d}`, reason, code)
			}
			return isMoveList(r)
		}
	}
	cases := []struct {
		reason, what string
		path         string
		headers      []string
		fault        rig.Fault
	}{
		{reason: "unknown", what: "a position of no view that is known", path: from("1")},
		{reason: "doubted", what: "a position that was given in a move", path: from(givenInMove(t, raw, from(former)))},
		{reason: "encoding", what: "Table", path: from(former),
			headers: []string{"Accept: application/json;as=Table;v=v1;g=meta.k8s.io"}},
		{reason: "encoding", what: "a deprecated path", path: strings.Replace(foosPath, "/foos", "/watch/foos", 1) + "?resourceVersion=" + former},
		{reason: "client", what: "a client that goes on from elsewhere", path: from(former),
			headers: []string{"User-Agent: kubernetes-csharp/18.0"}},
		{reason: "gone", what: "a position that the API server has forgotten", path: from(former),
			fault: answerLists(http.StatusGone, "Expired")},
		{reason: "refused", what: "a client that may not list", path: from(former),
			fault: answerLists(http.StatusForbidden, "Forbidden")},
	}
	tested := map[string]int{}
	for _, c := range cases {
		m.front.Set(c.fault)
		before := m.relists()
		answer := raw.Do(http.MethodGet, c.path, "", c.headers...)
		lines := strings.Split(strings.TrimSpace(string(answer.Data)), "\n")
		var event struct {
			Type   string
			Object metav1.Status
		}
		harness.Must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &event))
		if answer.StatusCode != http.StatusOK || event.Type != "ERROR" || event.Object.Code != http.StatusGone {
			t.Errorf("%s: answered %s, %s", c.what, answer.Response.Status, answer.Data)
		}
		for reason, n := range m.relists() {
			want := before[reason]
			if reason == c.reason {
				want++
			}
			if n != want {
				t.Errorf("%s: told %d times to list anew, %s, not %d times", c.what, n, reason, want)
			}
		}
		tested[c.reason]++
	}

	readme := string(harness.Must1(os.ReadFile("../../../proxy/README.md"))(t))
	documented := map[string]int{}
	for _, row := range reasonPattern.FindAllStringSubmatch(readme, -1) {
		documented[row[1]]++
	}
	counted := m.relists()
	names := func(of map[string]int) []string { return slices.Sorted(maps.Keys(of)) }
	if !slices.Equal(names(tested), names(documented)) || !slices.Equal(names(counted), names(documented)) {
		t.Errorf("documented are %v, counted %v, tested %v", names(documented), names(counted), names(tested))
	}
}

// givenInMove is the position of the first event of a WATCH that is moved.
func givenInMove(t *testing.T, raw *harness.Raw, path string) string {
	t.Helper()
	answer := raw.Open(t.Context(), http.MethodGet, path, "")
	defer answer.Body.Close()
	var event struct {
		Type   string
		Object metav1.PartialObjectMetadata
	}
	line := harness.Must1(bufio.NewReader(answer.Body).ReadBytes('\n'))(t)
	harness.Must(t, json.Unmarshal(line, &event))
	if event.Type != "ADDED" {
		t.Fatalf("a move begins with %s", line)
	}
	return event.Object.ResourceVersion
}
