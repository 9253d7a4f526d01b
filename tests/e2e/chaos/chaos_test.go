package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"ringside.dev/ringside/tests/e2e/harness"
)

// Short is what `make test` runs; `make chaos` says more.
const (
	shortRun  = 30 * time.Second
	shortFoos = 100
	longFoos  = 2000
)

// Five members, with real controllers behind them, share Foos that change all the
// time. Proxies and controllers are killed, stopped and continued, members leave and
// come back, the network delays and loses, the API server is restarted, `shards`
// changes. Whatever happens: no two members write to one object over a change of
// its owner, no object is left out, no child is made twice.
func TestChaos(t *testing.T) {
	seed, lasts, foos := time.Now().UnixNano()%1e6, shortRun, shortFoos
	if text := os.Getenv("CHAOS_SEED"); text != "" {
		seed = harness.Must1(strconv.ParseInt(text, 10, 64))(t)
	}
	if text := os.Getenv("CHAOS_MINUTES"); text != "" {
		minutes := harness.Must1(strconv.ParseFloat(text, 64))(t)
		lasts, foos = time.Duration(minutes*float64(time.Minute)), longFoos
	}
	if text := os.Getenv("CHAOS_FOOS"); text != "" {
		foos = harness.Must1(strconv.Atoi(text))(t)
	}
	t.Logf("SEED=%d, %s, %d Foos", seed, lasts, foos)
	w := newWorld(t, []string{"a", "b", "c", "d", "e"})
	w.start(foos)
	w.director(rand.New(rand.NewPCG(uint64(seed), 0)), lasts)
	w.load.stop()
	w.heal()
	w.judge()
	if t.Failed() {
		t.Logf("SEED=%d; what happened:\n%s", seed, w.timeline.text())
	}
}
