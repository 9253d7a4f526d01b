package wire

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// releaseOf is the proxy as it is shipped: sanitizers keep what was freed.
func releaseOf(t *testing.T) string {
	t.Helper()
	path := "../../../build/release/ringside"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the proxy is not built as it is shipped: %v", err)
	}
	return path
}

// startRelease is a stage whose proxy is the one that is shipped, run by a program.
func startRelease(t *testing.T, prefix ...string) *stage {
	t.Helper()
	s := &stage{Upstream: &Upstream{}, t: t}
	must(t, s.Listen("127.0.0.1:0", nil))
	s.Answer = unreliable()
	proxy, err := StartProxy(t.Context(), releaseOf(t), ProxyOptions{
		Dir: t.TempDir(), Prefix: prefix, Kubeconfig: Kubeconfig("http://"+s.Address(), "", "{token: x}")})
	must(t, err)
	s.Proxy = proxy
	t.Cleanup(s.Upstream.Close)
	return s
}

// unreliable answers at length, and breaks some of its answers.
func unreliable() func(*Message, *Connection) bool {
	var asked atomic.Int64
	body := strings.Repeat("x", 0x4000)
	return func(_ *Message, c *Connection) bool {
		n := asked.Add(1)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		if n%5 == 0 {
			c.Reset()
			return false
		}
		_, err := fmt.Fprintf(c, "4000\r\n%s\r\n0\r\n\r\n", body)
		return err == nil && n%7 != 0
	}
}

// churn comes and goes n times, in each way that there is: with an answer or
// without, taken back, upgraded, reloaded.
func (s *stage) churn(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		if i%100 == 0 {
			s.Process.Signal(syscall.SIGHUP)
		}
		if i%3 == 0 {
			s.churnByHTTP2(t, i)
			continue
		}
		dial := s.plain
		if i%3 == 1 {
			dial = s.tls
		}
		connection, err := dial()
		must(t, err)
		must(t, connection.SetDeadline(time.Now().Add(Patience)))
		upgrade := ""
		if i%7 == 0 {
			upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
		}
		fmt.Fprintf(connection, "GET /x HTTP/1.1\r\nHost: x\r\n%s\r\n", upgrade)
		if i%2 == 0 {
			_, _ = ReadAnswer(bufio.NewReader(connection), "GET")
		}
		connection.Close()
	}
}

func (s *stage) churnByHTTP2(t *testing.T, i int) {
	t.Helper()
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	for range 3 {
		stream, err := client.Headers(PseudoFields("GET /x HTTP/1.1"), true)
		if err == nil && i%2 == 0 {
			_ = client.WriteRSTStream(stream, http2.ErrCodeCancel)
		}
	}
	if i%4 != 0 {
		_, _ = client.Do(getX)
	}
}

// settled is what it holds when nothing is open: KiB and descriptors.
func (s *stage) settled(t *testing.T) (int, int) {
	t.Helper()
	eventually(t, "all has ended", func() error {
		if n := s.Metric("ringside_requests_open") + s.Metric("ringside_connections_open"); n != 0 {
			return fmt.Errorf("%d requests and connections are open", n)
		}
		return nil
	})
	return s.RSS() >> 10, s.FDs()
}

// TestChurnLeavesNothing is a day's worth of connections, aborts and reloads in short:
// memory and descriptors are after the last thousands what they were after the first.
func TestChurnLeavesNothing(t *testing.T) {
	s := startRelease(t)
	defer s.Stop()
	var rss, fds [4]int
	for k := range rss {
		s.churn(t, 1500)
		rss[k], fds[k] = s.settled(t)
	}
	t.Logf("RSS %v KiB, descriptors %v", rss, fds)
	if fds[3] > fds[1]+5 {
		t.Errorf("descriptors: %v", fds)
	}
	if rss[3] > rss[1]+384 { // less than a hundred bytes for each that came
		t.Errorf("RSS: %v KiB", rss)
	}
}

// TestValgrindReportsNothing runs the same for less long under valgrind, which looks
// at what no sanitizer is built into: the libraries. At the exit nothing is lost.
func TestValgrindReportsNothing(t *testing.T) {
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Fatalf("valgrind is not installed: %v", err)
	}
	log := t.TempDir() + "/valgrind"
	s := startRelease(t, "valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=all",
		"--errors-for-leak-kinds=all", "--error-exitcode=99",
		"--suppressions=testdata/valgrind.supp", "--log-file="+log)
	s.churn(t, 200)
	s.settled(t)
	err := s.Stop()
	report, _ := os.ReadFile(log)
	if err != nil || len(report) > 0 {
		t.Errorf("it ended with %v\n%s", err, report[:min(len(report), 8000)])
	}
}
