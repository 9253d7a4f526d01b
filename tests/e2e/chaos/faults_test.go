package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// fault does something to a pair and mends it again.
type fault struct {
	name   string
	weight int
	do     func(context.Context, *world, *pair, *rand.Rand) error
}

var faults = []fault{
	{"the proxy is killed", 4, killProxy},
	{"the controllers are killed", 3, killControllers},
	{"proxy and controllers are killed", 3, killBoth},
	{"the proxy stands still", 3, stopProxy(0)},
	{"the proxy stands still beyond its Lease", 3, stopProxy(1)},
	{"the controllers stand still", 3, stopControllers},
	{"the network is cut", 3, cut(true, true)},
	{"answers are lost", 2, cut(false, true)},
	{"requests are lost", 1, cut(true, false)},
	{"the network is slow", 3, slow},
	{"the network is slower than the margin", 1, tooSlow},
	{"the member is asked to leave", 4, leave},
	{"the API server is restarted", 1, restartServer},
	{"the number of shards changes", 4, changeShards},
}

// director lets things fail, two pairs at a time at most, until the time is over
// and all is mended.
func (w *world) director(random *rand.Rand, lasts time.Duration) {
	ctx := w.t.Context()
	ended := make(chan *pair)
	busy, counts := 0, map[string]int{}
	deadline := time.Now().Add(lasts)
	for n := uint64(1); time.Now().Before(deadline); n++ {
		f := pickFault(random)
		p := w.pairs[w.ids[random.IntN(len(w.ids))]]
		wait := between(random, 200*time.Millisecond, w.ring.Duration/2)
		own := rand.New(rand.NewPCG(random.Uint64(), n))
		if busy < 2 && !p.isBusy {
			busy++
			counts[f.name]++
			p.isBusy = true
			go func() {
				w.run(ctx, f, p, own)
				ended <- p
			}()
		}
		for next := time.After(wait); next != nil; {
			select {
			case p := <-ended:
				p.isBusy = false
				busy--
			case <-next:
				next = nil
			}
		}
	}
	for ; busy > 0; busy-- {
		<-ended
	}
	for _, f := range faults {
		w.t.Logf("%4d times %s", counts[f.name], f.name)
	}
}

func (w *world) run(ctx context.Context, f fault, p *pair, random *rand.Rand) {
	if !p.Process.Running() {
		w.t.Errorf("%s: %s has ended: %v", w.timeline.at(time.Now()), p.Process.Name, p.Process.Err())
		return
	}
	w.timeline.add("%s: %s", p.ID, f.name)
	if err := f.do(ctx, w, p, random); err != nil {
		w.t.Errorf("%s: %s: %s: %v", w.timeline.at(time.Now()), p.ID, f.name, err)
	}
	w.timeline.add("%s: over: %s", p.ID, f.name)
}

func pickFault(random *rand.Rand) fault {
	sum := 0
	for _, f := range faults {
		sum += f.weight
	}
	at := random.IntN(sum)
	for _, f := range faults {
		if at -= f.weight; at < 0 {
			return f
		}
	}
	panic("weights do not add up")
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// killProxy kills the proxy alone: it comes back at once, or after its Lease.
func killProxy(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	p.Crash()
	if random.IntN(2) == 0 {
		sleep(ctx, between(random, 0, 2*w.ring.Duration))
	}
	return p.restart(ctx)
}

// restart waits until the proxy answers: one that is only being started knows no SIGTERM.
func (p *pair) restart(ctx context.Context) error {
	p.Member.Restart()
	return rig.Wait(ctx, harness.Patience, func(ctx context.Context) error {
		_, err := p.AdminGet(ctx, "/healthz")
		return err
	})
}

// killControllers starts them again when what they had sent has arrived: one that
// makes names cannot know of it otherwise, with or without a proxy.
func killControllers(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	p.killControllers()
	sleep(ctx, w.ring.Margin+between(random, 0, w.ring.Duration))
	return p.startControllers(w)
}

func killBoth(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	p.Crash()
	p.killControllers()
	sleep(ctx, w.ring.Margin+between(random, 0, 2*w.ring.Duration))
	if err := p.restart(ctx); err != nil {
		return err
	}
	return p.startControllers(w)
}

// stopProxy stops the proxy for up to one Lease, after those that it stands still for in
// any case. What its controllers ask for meanwhile it finds when it goes on.
func stopProxy(leases time.Duration) func(context.Context, *world, *pair, *rand.Rand) error {
	return func(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
		length := leases*w.ring.Duration + between(random, 50*time.Millisecond, w.ring.Duration)
		p.Process.Signal(syscall.SIGSTOP)
		sleep(ctx, length)
		p.Process.Signal(syscall.SIGCONT)
		return nil
	}
}

func stopControllers(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	length := between(random, 500*time.Millisecond, 3*w.ring.Duration)
	for _, controller := range p.controllers {
		controller.Signal(syscall.SIGSTOP)
	}
	sleep(ctx, length)
	for _, controller := range p.controllers {
		controller.Signal(syscall.SIGCONT)
	}
	return nil
}

func cut(there, back bool) func(context.Context, *world, *pair, *rand.Rand) error {
	return func(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
		p.link.Cut(there, back)
		sleep(ctx, between(random, 100*time.Millisecond, 2*w.ring.Duration))
		p.link.Mend()
		return nil
	}
}

func slow(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	p.link.Delay(between(random, 10*time.Millisecond, w.ring.Margin/2))
	sleep(ctx, between(random, time.Second, 2*w.ring.Duration))
	p.link.Mend()
	return nil
}

// tooSlow is against the assumption that one_writer rests on.
func tooSlow(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	began := time.Now()
	delay := between(random, w.ring.Margin, 2*w.ring.Margin)
	p.link.Delay(delay)
	sleep(ctx, between(random, time.Second, 2*w.ring.Duration))
	p.link.Mend()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.beyond = append(w.beyond, span{p.ID, began, time.Now().Add(2*delay + w.ring.Duration)})
	return nil
}

func leave(ctx context.Context, w *world, p *pair, random *rand.Rand) error {
	p.Member.Terminate()
	sleep(ctx, between(random, 0, w.ring.Duration))
	return p.restart(ctx)
}

// restartServer kills the API server: what it has stored last may be missing from
// its log.
func restartServer(ctx context.Context, w *world, _ *pair, random *rand.Rand) error {
	w.server.Lock() // one restart after the other
	defer w.server.Unlock()
	server := harness.Cluster().API
	killed := time.Now()
	server.Kill()
	sleep(ctx, between(random, 0, 2*w.ring.Duration))
	if err := server.Start(ctx); err != nil {
		return err
	}
	assignment, err := w.ring.Assignment(ctx)
	if err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.published = append(w.published, rig.Publication{Assignment: assignment, After: killed, Before: time.Now()})
	return nil
}

func changeShards(_ context.Context, w *world, _ *pair, random *rand.Rand) error {
	shards := 2 + random.IntN(len(w.ids)-1)
	w.timeline.add("shards: %d", shards)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.ring.SetShards(shards)
}
