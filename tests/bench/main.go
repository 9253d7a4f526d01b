// The bench runs the same load directly and through Ringside, haproxy and nginx,
// TLS on both sides, HTTP/1.1 upstream, one worker each, in turn and several times.
// It prints medians and ratios and adds them to history.tsv.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var (
	rounds  = flag.Int("rounds", 3, "how often everything is measured")
	only    = flag.String("only", "", "measure only what has this in its name; nothing is recorded")
	history = flag.String("history", "history.tsv", "the file to which results are added")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "ringside-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	certificate, err := makeCertificate(dir)
	if err != nil {
		return err
	}
	upstream, err := startUpstream(certificate)
	if err != nil {
		return err
	}
	results := map[string]map[string][]float64{} // measure, proxy
	for round := range *rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d, load %s\n", round+1, *rounds, load())
		// New processes each time: memory that was once used is not given back.
		for _, start := range starters(dir, upstream.address) {
			for _, measure := range measures {
				if !strings.Contains(measure.names[0], *only) {
					continue
				}
				if err := measureOne(results, upstream, start, measure); err != nil {
					return err
				}
			}
		}
	}
	print(results)
	if *only != "" {
		return nil
	}
	return record(results)
}

func starters(dir, upstream string) []func() (*proxy, error) {
	return []func() (*proxy, error){
		func() (*proxy, error) {
			return &proxy{"direct", upstream, func() []int { return nil }, func() {}}, nil
		},
		func() (*proxy, error) { return startRingside(dir, upstream) },
		func() (*proxy, error) {
			return startOther(dir, "haproxy", upstream, haproxyConfiguration, "haproxy", "-db", "-f")
		},
		func() (*proxy, error) {
			return startOther(dir, "nginx", upstream, nginxConfiguration, "nginx", "-c")
		},
	}
}

func measureOne(results map[string]map[string][]float64, u *upstream,
	start func() (*proxy, error), measure measure) error {
	p, err := start()
	if err != nil {
		return err
	}
	defer p.stop()
	values, err := measure.run(u, p)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", p.name, measure.names[0], err)
	}
	for i, value := range values {
		name := measure.names[i]
		if results[name] == nil {
			results[name] = map[string][]float64{}
		}
		results[name][p.name] = append(results[name][p.name], value)
	}
	return nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

var names = []string{"direct", "ringside", "haproxy", "nginx"}

func print(results map[string]map[string][]float64) {
	fmt.Printf("%-34s%10s%10s%10s%10s%12s\n", "", names[0], names[1], names[2], names[3], "to haproxy")
	for _, measure := range measures {
		for _, name := range measure.names {
			fmt.Printf("%-34s", name)
			for _, proxy := range names {
				if values := results[name][proxy]; len(values) > 0 && values[0] >= 0 {
					fmt.Printf("%10.1f", median(values))
				} else {
					fmt.Printf("%10s", "")
				}
			}
			if other := median(results[name]["haproxy"]); other > 0 {
				fmt.Printf("%12.2f", median(results[name]["ringside"])/other)
			}
			fmt.Println()
		}
	}
}

func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func output(name string, args ...string) string {
	text, _ := exec.Command(name, args...).Output()
	return strings.TrimSpace(string(text))
}

// machine describes where this ran.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "model name"); ok {
			model = strings.Trim(value, "\t :\n")
			break
		}
	}
	return fmt.Sprintf("%s x %s, Linux %s", output("nproc"), model, output("uname", "-r"))
}

// record adds a line for each measure: when, what was built, where, the values.
func record(results map[string]map[string][]float64) error {
	path, err := filepath.Abs(*history)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	if at, _ := file.Seek(0, 2); at == 0 {
		fmt.Fprintf(file, "time\tcommit\tmachine\tload\tmeasure\t%s\n", strings.Join(names, "\t"))
	}
	now, commit := time.Now().UTC().Format(time.DateTime), output("git", "rev-parse", "--short", "HEAD")
	for _, measure := range measures {
		for _, name := range measure.names {
			fmt.Fprintf(file, "%s\t%s\t%s\t%s\t%s", now, commit, machine(), load(), name)
			for _, proxy := range names {
				fmt.Fprintf(file, "\t%.1f", median(results[name][proxy]))
			}
			fmt.Fprintln(file)
		}
	}
	return nil
}
