package differential

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

var (
	seed  = flag.Uint64("seed", 1, "of the stream of requests")
	steps = flag.Int("steps", 600, "how many requests")
)

// A ring of one member is indistinguishable from the API server but for the label.
func TestARingOfOneAnswersAsTheAPIServer(t *testing.T) {
	ring := harness.NewRing(t, "ringed0", 1, func(r *rig.Ring) {
		r.Extra = "namespaces: [ringed0]\n"
		// A write has what is left of the right to be answered in.
		r.Duration, r.Renew = 30*time.Second, time.Second
	})
	ring.Start("a")
	ring.WaitActive("a")
	harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), "beside0"))

	member := ring.Members["a"]
	ways := []*harness.Raw{
		member.Raw(t, controlplane.Admin), member.RawHTTP1(t, controlplane.Admin), member.RawPlain(t, controlplane.Admin),
	}
	direct := harness.Direct(t, controlplane.Admin)
	asked := 0
	through := &world{t: t, namespace: "ringed0", label: ring.Label(), raw: func() *harness.Raw { asked++; return ways[asked%len(ways)] }}
	beside := &world{t: t, namespace: "beside0", label: ring.Label(), raw: func() *harness.Raw { return direct }}

	t.Logf("seed %d: go test ./differential -seed=%d -steps=%d", *seed, *seed, *steps)
	g := &generator{Rand: rand.New(rand.NewPCG(*seed, 0))}
	seen := map[string]int{}
	failures := 0
	for i := range *steps {
		s := g.next()
		var a, b *outcome
		var both sync.WaitGroup
		both.Go(func() { a = through.do(s) })
		both.Go(func() { b = beside.do(s) })
		both.Wait()
		seen[fmt.Sprintf("%s %d", s.method, b.status)]++
		if difference := difference(a, b); difference != "" {
			t.Errorf("step %d: %s%s", i, s, difference)
			if failures++; failures > 10 {
				t.Fatal("and so on")
			}
		}
	}
	t.Log(seen)
}
