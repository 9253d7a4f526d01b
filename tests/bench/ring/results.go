package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// figure is one thing that is measured; the target is the most that it may be.
type figure struct {
	name    string
	target  float64 // NaN: there is none
	remark  string
	samples []float64
}

var noTarget = math.NaN()

// results keeps figures in the order in which they were first measured.
type results struct {
	figures []*figure
}

func (r *results) add(name string, target float64, remark string, value float64) {
	at := slices.IndexFunc(r.figures, func(f *figure) bool { return f.name == name })
	if at < 0 {
		r.figures = append(r.figures, &figure{name: name, target: target, remark: remark})
		at = len(r.figures) - 1
	}
	r.figures[at].samples = append(r.figures[at].samples, value)
	fmt.Fprintf(os.Stderr, "  %-66s%9.1f\n", name, value)
}

func (f *figure) median() float64 {
	sorted := slices.Sorted(slices.Values(f.samples))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func percentile(samples []time.Duration, percent int) float64 {
	slices.Sort(samples)
	return ms(samples[(len(samples)-1)*percent/100])
}

func (f *figure) verdict() string {
	switch {
	case math.IsNaN(f.target):
		return ""
	case f.median() <= f.target:
		return "reached"
	}
	return "missed"
}

func (r *results) print() {
	width := 0
	for _, f := range r.figures {
		width = max(width, len(f.name))
	}
	fmt.Printf("\n%-*s%9s%9s%9s%9s\n", width, "", "median", "worst", "target", "")
	for _, f := range r.figures {
		target := ""
		if !math.IsNaN(f.target) {
			target = fmt.Sprintf("%.0f", f.target)
		}
		fmt.Printf("%-*s%9.1f%9.1f%9s%9s  %s\n", width, f.name, f.median(), slices.Max(f.samples),
			target, f.verdict(), f.remark)
	}
	fmt.Printf("load %s\n", load())
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

// record adds a line for each figure, as the other bench does; nobody but Ringside has
// a value.
func (r *results) record(path string) error {
	file, err := os.OpenFile(absolute(path), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	now, commit := time.Now().UTC().Format(time.DateTime), output("git", "rev-parse", "--short", "HEAD")
	for _, f := range r.figures {
		_, err = fmt.Fprintf(file, "%s\t%s\t%s\t%s\t%s\t-1.0\t%.1f\t-1.0\t-1.0\n",
			now, commit, machine(), load(), f.name, f.median())
		if err != nil {
			return err
		}
	}
	return nil
}
