package wire

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// way is a client that reads answers as they come, and where it finds the proxy.
type way struct {
	client *http.Client
	url    string
}

func (s *stage) ways() map[string]way {
	config := &tls.Config{RootCAs: s.CA, ServerName: "localhost"}
	one := func(isHTTP2 bool) *http.Client {
		transport := &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: isHTTP2, DisableCompression: true}
		if !isHTTP2 {
			transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		s.t.Cleanup(transport.CloseIdleConnections)
		// Whatever it is that does not come.
		return &http.Client{Transport: transport, Timeout: 5 * Patience}
	}
	return map[string]way{
		"http":   {one(false), "http://" + s.HTTP},
		"https":  {one(false), "https://" + s.HTTPS},
		"HTTP/2": {one(true), "https://" + s.HTTPS},
	}
}

func (w way) open(t *testing.T) *http.Response {
	t.Helper()
	response, err := w.client.Get(w.url + "/x")
	must(t, err)
	return response
}

// TestLargeBodiesPass sends 3 MiB and gets 500 MB, each byte of them, and the proxy
// holds little of that at any time.
func TestLargeBodiesPass(t *testing.T) {
	const size, piece = 500_000_000, 1_000_000
	s := newStage(t, "")
	bytes := make([]byte, piece)
	for i := range bytes {
		bytes[i] = byte(i * i >> 8)
	}
	s.Answer = func(_ *Message, c *Connection) bool {
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
		for sent := 0; err == nil && sent < size; sent += piece {
			_, err = c.Write(bytes)
		}
		return err == nil
	}
	for name, way := range s.ways() {
		t.Run(name, func(t *testing.T) {
			before := s.RSS()
			large := append(bytes, make([]byte, 3<<20-piece)...)
			response, err := way.client.Post(way.url+"/x", "a/b", strings.NewReader(string(large)))
			must(t, err)
			defer response.Body.Close()
			got, most := make([]byte, piece), 0
			for i := range size / piece {
				if _, err := io.ReadFull(response.Body, got); err != nil {
					t.Fatalf("behind %d MB: %v", i, err)
				}
				if sha256.Sum256(got) != sha256.Sum256(bytes) {
					t.Fatalf("MB %d is another", i)
				}
				most = max(most, s.RSS())
			}
			if n, err := response.Body.Read(got); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("behind the end: %d bytes, %v", n, err)
			}
			noted := s.Noted()
			if len(noted) != 1 || string(noted[0].Body) != string(large) {
				t.Errorf("upstream got %d requests, not what was sent", len(noted))
			}
			// The request itself, what the sanitizers keep of it, and some buffers.
			if grown := most - before; grown > 32<<20 {
				t.Errorf("it has grown by %d MiB", grown>>20)
			}
			t.Logf("%d MiB more at most", (most-before)>>20)
		})
	}
}

// TestBytesPassAsTheyCome lets an upstream send the next piece of an answer only
// after its client has read the last one: nothing is kept back to be sent with more.
func TestBytesPassAsTheyCome(t *testing.T) {
	s := newStage(t, "")
	pieces, isRead := []string{"{", `"type":"ADDED"`, "}", "\n", strings.Repeat("x", 70_000), "\n"}, make(chan bool)
	s.Answer = func(_ *Message, c *Connection) bool {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for _, piece := range pieces {
			if !<-isRead {
				return false
			}
			fmt.Fprintf(c, "%x\r\n%s\r\n", len(piece), piece)
		}
		<-isRead
		fmt.Fprint(c, "0\r\n\r\n")
		return true
	}
	for name, way := range s.ways() {
		t.Run(name, func(t *testing.T) {
			// The head comes alone: what follows waits for it.
			response := way.open(t)
			defer response.Body.Close()
			for i, piece := range pieces {
				isRead <- true
				got := make([]byte, len(piece))
				if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != piece {
					t.Fatalf("piece %d: %q, %v", i, got[:min(len(got), 40)], err)
				}
			}
			isRead <- true
			if rest, err := io.ReadAll(response.Body); err != nil || len(rest) > 0 {
				t.Errorf("behind the last piece: %q, %v", rest, err)
			}
		})
	}
}

// TestClosesTravel closes idle watches on one side, on the other, and on both at
// once: the other side learns of it, and nothing of them is left.
func TestClosesTravel(t *testing.T) {
	s := newStage(t, "")
	open, close := make(chan *Connection), make(chan bool)
	s.Answer = func(_ *Message, c *Connection) bool {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		open <- c
		if <-close {
			return false
		}
		_, err := c.Reader.ReadByte() // until it is closed
		if !errors.Is(err, io.EOF) {
			t.Errorf("upstream: %v", err)
		}
		return false
	}
	for name, way := range s.ways() {
		for _, side := range []string{"client", "upstream", "both"} {
			t.Run(name+", "+side, func(t *testing.T) {
				response := way.open(t)
				<-open
				if _, err := io.ReadFull(response.Body, make([]byte, 5)); err != nil {
					t.Fatal(err)
				}
				if side != "upstream" {
					response.Body.Close()
				}
				close <- side != "client"
				if side == "upstream" {
					if rest, err := io.ReadAll(response.Body); err == nil {
						t.Errorf("a broken answer ended well, with %q", rest)
					}
					response.Body.Close()
				}
				eventually(t, "it has ended on both sides", func() error {
					if n := s.Metric("ringside_requests_open"); n != 0 {
						return fmt.Errorf("%d requests are open", n)
					}
					return nil
				})
			})
		}
	}
}

// TestPeersAreProbed looks at the timers of an idle watch's connections: both are
// probed by the kernel while nothing is sent. TestBounded cuts links really, where it may.
func TestPeersAreProbed(t *testing.T) {
	s := newStage(t, "")
	open, end := make(chan *Connection), make(chan bool)
	s.Answer = func(_ *Message, c *Connection) bool {
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		open <- c
		<-end
		return false
	}
	defer close(end)
	connection, err := s.plain()
	must(t, err)
	defer connection.Close()
	fmt.Fprint(connection, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
	upstream := <-open
	for side, addresses := range map[string][2]string{
		"client":   {s.HTTP, connection.LocalAddr().String()},
		"upstream": {upstream.RemoteAddr().String(), upstream.LocalAddr().String()},
	} {
		eventually(t, "the "+side+"'s connection is probed", func() error {
			return isProbed(addresses[0], addresses[1])
		})
	}
}

// isProbed looks whether the keepalive timer of a connection runs, and is due soon.
func isProbed(local, remote string) error {
	const keepalive, ticksPerSecond = "02", 100
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return err
	}
	want := inHex(local) + " " + inHex(remote)
	for line := range bytes.Lines(table) {
		fields := strings.Fields(string(line))
		if len(fields) < 6 || fields[1]+" "+fields[2] != want {
			continue
		}
		var due int64
		timer, when, _ := strings.Cut(fields[5], ":")
		if _, err := fmt.Sscanf(when, "%x", &due); err != nil {
			return err
		}
		if timer != keepalive || due > 30*ticksPerSecond {
			return fmt.Errorf("its timer is %s, due in %s", timer, time.Duration(due)*time.Second/ticksPerSecond)
		}
		return nil
	}
	return fmt.Errorf("there is no connection %s", want)
}

// inHex is an address of IPv4 as /proc/net/tcp has it.
func inHex(address string) string {
	var a, b, c, d byte
	var port uint16
	_, _ = fmt.Sscanf(address, "%d.%d.%d.%d:%d", &a, &b, &c, &d, &port)
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", d, c, b, a, port)
}
