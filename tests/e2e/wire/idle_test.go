package wire

import (
	bytesof "encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// clock goes ahead of the machine's, for the proxy alone.
type clock struct{ prefix, file string }

func newClock(t *testing.T) clock {
	t.Helper()
	c := clock{preload(t, "clock"), filepath.Join(t.TempDir(), "clock")}
	must(t, os.WriteFile(c.file, make([]byte, 4096), 0o600))
	return c
}

func (c clock) set(t *testing.T, ahead time.Duration) {
	t.Helper()
	file, err := os.OpenFile(c.file, os.O_WRONLY, 0)
	must(t, err)
	defer file.Close()
	_, err = file.WriteAt(bytesof.LittleEndian.AppendUint64(nil, uint64(ahead.Seconds())), 0)
	must(t, err)
}

// TestIdleForHours lets five hours go by, by the proxy's clock: tunnels and watches on
// which nothing was said are still there, and carry what is said then.
func TestIdleForHours(t *testing.T) {
	clock := newClock(t)
	s := startRelease(t, "env", clock.prefix, "CLOCK="+clock.file)
	defer s.Stop()
	s.Answer = answerOK
	// Who asks for nothing is let go after minutes: time did go by.
	idle, err := s.plain()
	must(t, err)
	defer idle.Close()
	fmt.Fprint(idle, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, idle.SetDeadline(time.Now().Add(2*Patience)))
	_, err = io.ReadAtLeast(idle, make([]byte, 1000), 10)
	must(t, err)
	client, upstream := s.upgraded(t, s.plain, "SPDY/3.1")
	defer client.Close()
	watches, events := map[string]io.Reader{}, make(chan bool)
	s.Answer = func(_ *Message, c *Connection) bool {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		<-events
		fmt.Fprint(c, "5\r\nevent\r\n0\r\n\r\n")
		return false
	}
	for name, way := range s.ways() {
		response := way.open(t)
		defer response.Body.Close()
		watches[name] = response.Body
	}
	clock.set(t, 5*time.Hour)
	if n, err := idle.Read(make([]byte, 1000)); err == nil || isTimeout(err) {
		t.Fatalf("an idle connection after five hours: %d bytes, %v", n, err)
	}
	close(events)
	for name, body := range watches {
		if got, err := io.ReadAll(body); err != nil || string(got) != "event" {
			t.Errorf("watch by %s: %q, %v", name, got, err)
		}
	}
	must(t, client.SetDeadline(time.Now().Add(Patience)))
	_, err = io.WriteString(client, "up")
	must(t, err)
	got := make([]byte, 4)
	if _, err := io.ReadFull(upstream.Reader, got[:2]); err != nil || string(got[:2]) != "up" {
		t.Errorf("upstream got %q, %v", got[:2], err)
	}
	_, err = io.WriteString(upstream, "down")
	must(t, err)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "down" {
		t.Errorf("the client got %q, %v", got, err)
	}
	upstream.Close()
}
