package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"ringside.dev/ringside/tests/e2e/rig"
)

const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// screen shows the state of things and what happens: as a table that is redrawn
// in place, or, where nobody could see that, as a line now and then.
type screen struct {
	out     io.Writer
	isLive  bool
	started time.Time

	mutex    sync.Mutex
	story    []string // what happened, for the live table
	drawn    int      // lines of the last drawing
	lastLine time.Time
}

func newScreen(file *os.File) *screen {
	isDumb := os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != ""
	return &screen{
		out:     file,
		isLive:  term.IsTerminal(int(file.Fd())) && !isDumb,
		started: time.Now(),
	}
}

func (s *screen) clock() string {
	elapsed := int(time.Since(s.started).Seconds())
	return fmt.Sprintf("%d:%02d", elapsed/60, elapsed%60)
}

// say tells what happens.
func (s *screen) say(format string, values ...any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	line := fmt.Sprintf("%-5s  %s", s.clock(), fmt.Sprintf(format, values...))
	if s.isLive {
		s.story = append(s.story, line)
	} else {
		fmt.Fprintln(s.out, line)
	}
}

// show shows the state of things.
func (s *screen) show(now *state) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	switch {
	case s.isLive:
		s.redraw(s.table(now))
	case time.Since(s.lastLine) >= 3*time.Second:
		if s.lastLine.IsZero() {
			fmt.Fprintln(s.out, s.header())
		}
		s.lastLine = time.Now()
		fmt.Fprintln(s.out, s.line(now))
	}
}

func (s *screen) redraw(lines []string) {
	var frame strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&frame, "\x1b[%dA", s.drawn)
	}
	for _, line := range lines {
		frame.WriteString("\x1b[2K" + line + "\n")
	}
	s.drawn = len(lines)
	io.WriteString(s.out, frame.String())
}

func (s *screen) table(now *state) []string {
	lines := []string{
		"",
		fmt.Sprintf("  %sRingside%s: an unmodified controller, sharded  %s%42s%s", bold, reset, dim, s.clock(), reset),
		"",
		fmt.Sprintf("  ring %sfoos%s, epoch %s: %s%d%s Foos, %s%d%s with a Deployment", bold, reset,
			or(now.assignment.Epoch, "-"), bold, now.total(), reset, bold, now.deployments, reset),
		"",
		fmt.Sprintf("  %spair  state       buckets                   Foos  Deployments made  writes/s%s", dim, reset),
	}
	for _, id := range now.ids() {
		lines = append(lines, s.row(now, id))
	}
	lines = append(lines, "")
	for _, event := range s.story {
		lines = append(lines, "  "+dim+event[:5]+reset+event[5:])
	}
	return append(lines, "")
}

func (s *screen) row(now *state, id string) string {
	name, colour := "dead", red
	if status := now.status[id]; status != nil {
		name, colour = status.State, yellow
		if status.State == "active" {
			colour = green
		}
	}
	buckets := now.assignment.Count(id)
	bar := strings.Repeat("█", (buckets+7)/8)
	return fmt.Sprintf("  %s%-4s%s  %s%-10s%s  %7s %s%-16.16s%s  %4s  %16s  %8s", bold, id, reset,
		colour, name, reset, number(buckets), colour, bar, reset, number(now.foos[id]),
		number(now.created[id]), rate(now.rate[id]))
}

// header explains the columns of line.
func (s *screen) header() string {
	top, below := "                  ", "time   done/Foos  "
	for _, id := range rig.MemberIDs[:4] {
		top += fmt.Sprintf("  pair %-13s", id)
		below += "  buckets Foos  /s  "
	}
	return strings.TrimRight(top, " ") + "\n" + below
}

// line is the state in one line: of each pair its buckets, Foos, and writes a
// second.
func (s *screen) line(now *state) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%-5s  %4d/%-4d  ", s.clock(), now.deployments, now.total())
	for _, id := range rig.MemberIDs[:4] {
		status, buckets := now.status[id], now.assignment.Count(id)
		switch {
		case status == nil && buckets == 0 && now.created[id] == 0:
			fmt.Fprintf(&text, "  %-18s", "")
		case status == nil:
			fmt.Fprintf(&text, "  %7s %-10s", number(buckets), "dead")
		case buckets == 0:
			fmt.Fprintf(&text, "  %7s %-10s", "-", status.State)
		default:
			fmt.Fprintf(&text, "  %7d %4s %5s", buckets, number(now.foos[id]), rate(now.rate[id]))
		}
	}
	return strings.TrimRight(text.String(), " ")
}

func number(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func rate(perSecond float64) string {
	if perSecond == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", perSecond)
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
