package wire

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// upgraded opens a tunnel, and gives both of its ends.
func (s *stage) upgraded(t *testing.T, dial func() (net.Conn, error), protocol string) (net.Conn, *Connection) {
	t.Helper()
	ends := make(chan *Connection, 1)
	s.Answer = func(request *Message, c *Connection) bool {
		if value, _ := request.Fields.Get("Upgrade"); value != protocol {
			t.Errorf("upstream was asked for %q, not %q", value, protocol)
		}
		_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"+
			"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nfirst", protocol)
		ends <- c
		select {} // the connection is the test's
	}
	client, err := dial()
	must(t, err)
	must(t, client.SetDeadline(time.Now().Add(Patience)))
	fmt.Fprintf(client, "POST /api/v1/namespaces/n/pods/p/exec?command=a&command=b HTTP/1.1\r\nHost: x\r\n"+
		"Connection: Upgrade\r\nUpgrade: %s\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n", protocol)
	reader := bufio.NewReader(client)
	head, err := readHead(reader)
	must(t, err)
	if version, _ := head.Fields.Get("X-Stream-Protocol-Version"); head.Status() != 101 || version == "" {
		t.Fatalf("answered %s", show(head))
	}
	first := make([]byte, 5)
	_, err = io.ReadFull(reader, first)
	must(t, err)
	if string(first) != "first" || reader.Buffered() != 0 {
		t.Fatalf("what came behind the head is %q", first)
	}
	return client, <-ends
}

// Tunnels carry bytes both ways at once, in any pieces, and end when a side does.
func TestTunnels(t *testing.T) {
	s := newStage(t, "")
	for _, protocol := range []string{"SPDY/3.1", "websocket"} {
		for name, dial := range map[string]func() (net.Conn, error){"http": s.plain, "https": s.tls} {
			t.Run(protocol+" by "+name, func(t *testing.T) {
				client, upstream := s.upgraded(t, dial, protocol)
				defer client.Close()
				must(t, upstream.SetDeadline(time.Now().Add(Patience)))
				const size = 2 << 20
				results := make(chan error, 4)
				go func() { results <- pour(client, 1, size) }()
				go func() { results <- pour(upstream, 2, size) }()
				go func() { results <- drain(upstream.Reader, 1, size) }()
				go func() { results <- drain(client, 2, size) }()
				for range 4 {
					must(t, <-results)
				}
				upstream.Close()
				if n, err := client.Read(make([]byte, 1)); err == nil || isTimeout(err) {
					t.Errorf("behind the upstream's end: %d bytes, %v", n, err)
				}
				client, upstream = s.upgraded(t, dial, protocol)
				must(t, upstream.SetDeadline(time.Now().Add(Patience)))
				client.Close()
				if n, err := upstream.Read(make([]byte, 1)); err == nil || isTimeout(err) {
					t.Errorf("behind the client's end: %d bytes, %v", n, err)
				}
				upstream.Close()
			})
		}
	}
}

// What one side sent before it closed its half still arrives, however slowly the
// other reads; then both end.
func TestTunnelsHalfClosed(t *testing.T) {
	s := newStage(t, "")
	client, upstream := s.upgraded(t, s.plain, "SPDY/3.1")
	sent := fill(t, client)
	must(t, client.(*net.TCPConn).CloseWrite())
	if got := readSlowly(upstream.Reader); got != sent {
		t.Errorf("upstream got %d of %d bytes", got, sent)
	}
	client.Close()
	upstream.Close()
	client, upstream = s.upgraded(t, s.plain, "SPDY/3.1")
	sent = fill(t, upstream)
	must(t, upstream.TCP.CloseWrite())
	if got := readSlowly(client); got != sent {
		t.Errorf("the client got %d of %d bytes", got, sent)
	}
	client.Close()
	upstream.Close()
}

// fill writes until no buffer on the way takes more: how much.
func fill(t *testing.T, to net.Conn) (sent int) {
	t.Helper()
	must(t, to.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
	for {
		n, err := to.Write(make([]byte, 65536))
		sent += n
		if isTimeout(err) {
			return sent
		}
		must(t, err)
	}
}

func readSlowly(from io.Reader) (got int) {
	piece := make([]byte, 16384)
	for {
		n, err := from.Read(piece)
		got += n
		if err != nil {
			return got
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// pour writes pseudo-random bytes in pieces of random sizes; drain expects them.
func pour(w io.Writer, seed uint64, size int) error {
	bytes, sizes := rand.NewChaCha8([32]byte{byte(seed)}), rand.New(rand.NewPCG(seed, 0))
	for size > 0 {
		piece := make([]byte, min(size, 1+sizes.IntN(100_000)))
		_, _ = bytes.Read(piece)
		if _, err := w.Write(piece); err != nil {
			return err
		}
		size -= len(piece)
	}
	return nil
}

func drain(r io.Reader, seed uint64, size int) error {
	got := make([]byte, size)
	if _, err := io.ReadFull(r, got); err != nil {
		return err
	}
	want := rand.NewChaCha8([32]byte{byte(seed)})
	wanted := make([]byte, size)
	_, _ = want.Read(wanted)
	for i := range got {
		if got[i] != wanted[i] {
			return fmt.Errorf("byte %d is another", i)
		}
	}
	return nil
}
