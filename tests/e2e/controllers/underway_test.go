package controllers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// A write without an answer is under way until it cannot arrive any more, also when its
// connection is cut: a bucket has no new owner before.
func TestAHandoverWaitsForWritesUnderWay(t *testing.T) {
	for _, c := range []struct{ name, drainTimeout, query string }{
		{"late", "20s", ""},
		{"cut", "500ms", "?timeout=2s"},
	} {
		t.Run(c.name, func(t *testing.T) { handOverWithWritesUnderWay(t, "underway-"+c.name, c.drainTimeout, c.query) })
	}
}

func handOverWithWritesUnderWay(t *testing.T, name, drainTimeout, query string) {
	const foos, held = 24, 3 * time.Second // held within the margin
	ring := harness.NewRing(t, name, 1, func(r *rig.Ring) {
		r.Duration, r.Renew, r.Margin = 15*time.Second, time.Second, 5*time.Second
		r.Extra = "handover: {drainTimeout: " + drainTimeout + "}\n"
	})
	front := harness.Must1(harness.Cluster().StartFront(name))(t)
	t.Cleanup(front.Close)
	kubeconfig := harness.Must1(front.Kubeconfig(rig.MemberUser("a")))(t)
	a := ring.StartWith("a", rig.MemberOptions{Flags: []string{"--kubeconfig", kubeconfig}})
	ring.WaitActive("a")
	ring.Start("b")
	ring.Members["b"].WaitState("standby")
	ring.CreateFoos(foos)
	log := newLog(t, ring)

	arrived := make(chan error, foos)
	front.Set(deliverLate(held, arrived))
	client := a.Raw(t, controlplane.Admin)
	var group sync.WaitGroup
	for i := range foos {
		group.Go(func() {
			path := fmt.Sprintf("/apis/samplecontroller.k8s.io/v1alpha1/namespaces/%s/foos/%s%s", ring.Namespace, rig.FooName(i), query)
			// What is answered to one that is cut is not looked at.
			response, err := client.Try(t.Context(), http.MethodPatch, path, `{"spec":{"replicas":7}}`,
				"Content-Type: application/merge-patch+json", "User-Agent: "+writerAgent+"a")
			if err == nil {
				response.Body.Close()
			}
		})
	}
	harness.Eventually(t, "all writes are under way", func(ctx context.Context) error {
		metrics, err := a.ReadMetrics(ctx)
		if n := metrics["ringside_writes_in_flight"]; err == nil && n != foos {
			err = fmt.Errorf("%v are", n)
		}
		return err
	})
	changed := time.Now()
	harness.Must(t, ring.SetShards(2))
	ring.WaitActive("a", "b")
	for range foos {
		harness.Must(t, <-arrived)
	}
	group.Wait()

	log.read()
	last := log.Versions[len(log.Versions)-1]
	moved := 0
	for _, w := range log.Writes {
		if w.From.After(changed) && last.OwnerID(w.Bucket) == "b" {
			moved++
		}
	}
	t.Logf("%d writes, %d of them to what moved meanwhile", len(log.Writes), moved)
	if len(log.Writes) != foos || moved == 0 {
		t.Errorf("%d of %d writes arrived, %d of them were to what moves", len(log.Writes), foos, moved)
	}
	var strays []string
	for _, w := range log.Strays(0) {
		strays = append(strays, w.Event)
	}
	failIfAny(t, strays, "writes arrived when their bucket was another member's")
}

// deliverLate lets writes of clients arrive late, whatever becomes of the connection by
// which they came.
func deliverLate(after time.Duration, arrived chan<- error) rig.Fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.HasPrefix(r.UserAgent(), writerAgent) {
			return false
		}
		response, err := sendLate(r, after)
		arrived <- err
		if err == nil {
			w.WriteHeader(response.StatusCode)
			_, _ = io.Copy(w, response.Body) // nobody may be there any more
			response.Body.Close()
		}
		return true
	}
}

func sendLate(r *http.Request, after time.Duration) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	time.Sleep(after)
	api := harness.Cluster().API
	request, err := http.NewRequest(r.Method, api.URL+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	client, err := api.HTTPClient()
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}
