package wire

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const marker = "an event of its own"

var waits = regexp.MustCompile(`^epoll_wait\(.*, (-?\d+)\) += `)

// TestEventsLeaveAtOnce looks at the system calls between the one by which an event of
// an idle watch arrives and the one by which it leaves: none of them waits. How long
// that takes is measured by `make bench`.
func TestEventsLeaveAtOnce(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("SKIPPED: system calls are seen by strace only: install it (tests/setup.sh e2e)")
	}
	s := startRelease(t)
	defer s.Stop()
	event := make(chan bool)
	s.Answer = func(_ *Message, c *Connection) bool {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		<-event
		fmt.Fprintf(c, "%x\r\n%s\r\n", len(marker), marker)
		_, _ = c.Reader.ReadByte() // until it is closed
		return false
	}
	for name, way := range s.ways() {
		t.Run(name, func(t *testing.T) {
			response := way.open(t)
			defer response.Body.Close()
			trace := s.trace(t, func() {
				event <- true
				got := make([]byte, len(marker))
				if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != marker {
					t.Fatalf("got %q, %v", got, err)
				}
			})
			checkTrace(t, trace)
		})
	}
}

// trace is what the proxy calls while f runs, a line each.
func (s *stage) trace(t *testing.T, f func()) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	strace := exec.Command("strace", "-s", "200", "-o", file, "-p", fmt.Sprint(s.Process.Pid()),
		"-e", "trace=epoll_wait,read,recvfrom,write,writev,sendto,sendmsg")
	said, err := strace.StderrPipe()
	must(t, err)
	must(t, strace.Start())
	line, _ := bufio.NewReader(said).ReadString('\n')
	if !strings.Contains(line, "attached") {
		_ = strace.Wait()
		t.Skipf("SKIPPED: the system calls of another process can be seen by who may trace it only (root does): %s", line)
	}
	f()
	must(t, strace.Process.Signal(os.Interrupt))
	_ = strace.Wait() // by that signal
	text, err := os.ReadFile(file)
	must(t, err)
	return strings.Split(string(text), "\n")
}

// checkTrace: by recvfrom libcurl reads, by writev h2o writes.
func checkTrace(t *testing.T, trace []string) {
	t.Helper()
	hasCome := false
	for i, line := range trace {
		switch {
		case strings.HasPrefix(line, "recvfrom(") && strings.Contains(line, marker):
			hasCome = true
		case hasCome && strings.HasPrefix(line, "writev("):
			return
		case hasCome:
			if wait := waits.FindStringSubmatch(line); wait != nil && wait[1] != "0" {
				t.Fatalf("with an event in hand it waits:\n%s", strings.Join(trace[max(0, i-10):i+1], "\n"))
			}
		}
	}
	t.Fatalf("the event did not come and go:\n%s", strings.Join(trace, "\n"))
}
