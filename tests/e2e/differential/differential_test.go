package differential

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

var (
	seed  = flag.Uint64("seed", 1, "of the first stream of requests")
	seeds = flag.Int("seeds", 2, "how many streams")
	steps = flag.Int("steps", 600, "how many requests each has")
)

// A ring of one member is indistinguishable from the API server but for the label.
func TestARingOfOneAnswersAsTheAPIServer(t *testing.T) {
	var namespaces []string
	for i := range *seeds {
		namespaces = append(namespaces, fmt.Sprintf("ringed%d", i))
	}
	ring := harness.NewRing(t, "ringed0", 1, func(r *rig.Ring) {
		r.Extra = fmt.Sprintf("namespaces: [%s]\n", strings.Join(namespaces, ", "))
		// A write has what is left of the right to be answered in.
		r.Duration, r.Renew = 30*time.Second, time.Second
	})
	ring.Start("a")
	ring.WaitActive("a")

	member := ring.Members["a"]
	ways := []*harness.Raw{
		member.Raw(t, controlplane.Admin), member.RawHTTP1(t, controlplane.Admin), member.RawPlain(t, controlplane.Admin),
	}
	direct := harness.Direct(t, controlplane.Admin)
	asked := 0
	for i, namespace := range namespaces {
		t.Run(fmt.Sprintf("seed %d", *seed+uint64(i)), func(t *testing.T) {
			beside := fmt.Sprintf("beside%d", i)
			for _, name := range []string{namespace, beside} {
				harness.Must(t, harness.Cluster().CreateNamespace(t.Context(), name))
			}
			compare(t, *seed+uint64(i),
				&world{t: t, namespace: namespace, label: ring.Label(), raw: func() *harness.Raw { asked++; return ways[asked%len(ways)] }},
				&world{t: t, namespace: beside, label: ring.Label(), raw: func() *harness.Raw { return direct }})
		})
	}
}

// compare asks both worlds the same.
func compare(t *testing.T, seed uint64, through, beside *world) {
	t.Logf("go test ./differential -seed=%d -seeds=1 -steps=%d", seed, *steps)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
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
