// Demo shows Ringside at work: three replicas of a controller that was written to
// run once, each with its share; a crash; and a ring that grows and shrinks. It
// ends with a verdict that comes from the API server's audit log alone.
//
// It draws a live table on a terminal, and prints plain lines elsewhere.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ringside.dev/ringside/tests/e2e/rig"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "ringside-demo-")
	if err != nil {
		return complain(err, "")
	}
	passed, err := show(ctx, dir)
	if err != nil && ctx.Err() == nil {
		return complain(err, dir)
	}
	if passed || ctx.Err() != nil {
		os.RemoveAll(dir)
	} else {
		fmt.Println("data and logs are kept in", dir)
	}
	if !passed {
		return 1
	}
	return 0
}

func complain(err error, dir string) int {
	fmt.Fprintln(os.Stderr, "\ndemo:", err)
	if dir != "" {
		fmt.Fprintln(os.Stderr, "data and logs are kept in", dir)
	}
	return 1
}

// show runs the whole demonstration.
func show(ctx context.Context, dir string) (passed bool, err error) {
	fmt.Println("\n  Starting etcd and kube-apiserver ...")
	cluster, err := rig.StartCluster(ctx, dir)
	if err != nil {
		return false, err
	}
	defer cluster.Stop()
	ring, err := newRing(ctx, cluster)
	if err != nil {
		return false, err
	}
	s := &story{
		cluster:  cluster,
		ring:     ring,
		pairs:    map[string]*pair{},
		observer: newObserver(cluster, ring),
		screen:   newScreen(os.Stdout),
	}
	defer s.stop()
	if err := s.tell(ctx); err != nil {
		return false, err
	}
	return s.verdict(ctx)
}

// newRing is a ring whose Lease is shorter than one would have it in production,
// so that nobody waits 15 seconds for a crash to be noticed.
func newRing(ctx context.Context, cluster *rig.Cluster) (*rig.Ring, error) {
	ring, err := cluster.NewRing(ctx, "foos", 3)
	if err != nil {
		return nil, err
	}
	ring.Duration, ring.Renew, ring.Margin = 5*time.Second, time.Second, time.Second
	return ring, ring.Write()
}
