// The ring's bench measures what a change of the ring costs, before a real API
// server: moves of many objects, what is kept meanwhile, rebalances, crashes, and the
// labels. It prints each value beside its target and adds it to the bench's history.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"ringside.dev/ringside/tests/e2e/rig"
)

var (
	rounds  = flag.Int("rounds", 5, "how often everything is measured")
	only    = flag.String("only", "", "run only scenarios with this in their name")
	history = flag.String("history", "", "the file to which results are added; the bench's own if all scenarios are run")
	keep    = flag.Bool("keep", false, "keep data and logs, and print the steps of each handover")
)

// scenario measures figures; each has a cluster of its own.
type scenario struct {
	name string
	run  func(*bench) error
}

var scenarios = []scenario{
	{"moves", measureMoves},
	{"many", measureMany},
	{"rebalance", measureRebalances},
	{"crash", measureCrashes},
	{"labels", measureLabels},
	{"requests", measureRequests},
	{"writes", measureWrites},
	{"kept", measureKept},
}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	results := &results{}
	for _, scenario := range scenarios {
		if !strings.Contains(scenario.name, *only) {
			continue
		}
		if err := runOne(ctx, scenario, results); err != nil {
			results.print() // what there is
			return fmt.Errorf("%s: %w", scenario.name, err)
		}
	}
	results.print()
	path := *history
	if path == "" && *only == "" {
		path = "../bench/history.tsv"
	}
	if path == "" {
		return nil
	}
	return results.record(path)
}

func runOne(ctx context.Context, scenario scenario, results *results) (err error) {
	dir, err := os.MkdirTemp("", "ringside-bench-")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s, load %s\n", scenario.name, load())
	cluster, err := rig.StartCluster(ctx, dir)
	if err != nil {
		return err
	}
	b := newBench(ctx, cluster, results)
	defer func() {
		b.stop()
		if *keep || (err != nil && ctx.Err() == nil) {
			fmt.Fprintln(os.Stderr, "data and logs are kept in", dir)
			return
		}
		os.RemoveAll(dir)
	}()
	return scenario.run(b)
}

func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func absolute(path string) string {
	if all, err := filepath.Abs(path); err == nil {
		return all
	}
	return path
}
