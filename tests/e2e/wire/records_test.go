package wire

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// cutter stands before an upstream and looks at nothing: of what comes back on a
// connection it passes so many bytes, then closes it without a word of TLS.
type cutter struct {
	net.Listener
	target string
	left   atomic.Int64 // of the next connection
	passed atomic.Int64 // of the last one
}

func (c *cutter) serve() {
	for {
		client, err := c.Accept()
		if err != nil {
			return
		}
		go c.pass(client)
	}
}

func (c *cutter) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { _, _ = io.Copy(server, client) }()
	n, _ := io.CopyN(client, server, c.left.Load())
	c.passed.Store(n)
}

// TestUpstreamCutAtEveryByteOfTLS cuts connections inside their handshake and inside
// the records of an answer: a request that has left is not sent again, one that has
// not is told to come again, and a part of an answer does not look whole.
func TestUpstreamCutAtEveryByteOfTLS(t *testing.T) {
	for name, answer := range map[string]string{
		"by length": "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nanswer",
		"by chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n6\r\nanswer\r\n0\r\n\r\n",
		"by close":  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nanswer",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cutEveryRecord(t, answer)
		})
	}
}

func cutEveryRecord(t *testing.T, answer string) {
	ca := newAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	ca.write(t, file)
	s := &stage{Upstream: &Upstream{}, t: t}
	// Small records, so that a cut may fall between them, also inside the body: what is
	// cut inside a record is lost with all of it.
	s.Answer = func(_ *Message, c *Connection) bool {
		for rest := answer; rest != ""; {
			n := min(len(rest), 4)
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				return false
			}
			rest = rest[n:]
		}
		return false
	}
	certificate := ca.sign(t, "localhost", time.Now().Add(time.Hour))
	must(t, s.Listen("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{*certificate}}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	cut := &cutter{Listener: listener, target: s.Address()}
	cut.left.Store(1 << 20)
	go cut.serve()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.start(ProxyOptions{Kubeconfig: Kubeconfig("https://localhost:"+port, ", certificate-authority: "+file, "{token: x}")})
	whole, err := ReadAnswer(bufio.NewReader(strings.NewReader(answer)), "POST")
	must(t, err)
	request := &Message{Line: "POST /x HTTP/1.1", Body: []byte("body"), Framing: "length",
		Fields: Fields{{"Host", "x"}, {"Content-Length", "4"}}}
	ask := func() (*Message, int) {
		client := &Client{Dial: s.plain}
		defer client.Close()
		got, err := client.Do(request, 1)
		must(t, err)
		return got, len(s.Noted())
	}
	got, sent := ask()
	if got.Status() != 200 || string(got.Body) != "answer" || sent != 1 {
		t.Fatalf("uncut: %s, sent %d times", show(got), sent)
	}
	all := cut.passed.Load()
	for n := int64(0); n < all; n++ {
		// The answer's records, each byte of the last ones; a signature's length
		// varies, and the handshake is a few large records.
		if n < all-400 && n%29 != 0 {
			continue
		}
		cut.left.Store(n)
		got, sent := ask()
		switch {
		case sent > 1:
			t.Fatalf("%d of %d bytes: sent %d times", n, all, sent)
		case got.Status() == 503 && sent > 0:
			t.Errorf("%d of %d bytes: sent, and to be sent again", n, all)
		case got.Status() == 503 || got.Status() == 504:
		case got.Status() != 200 || !strings.HasPrefix("answer", string(got.Body)):
			t.Errorf("%d of %d bytes: %s", n, all, show(got))
		case whole.Framing == "close": // see Exceptions
		case got.Broken == "" && string(got.Body) != "answer":
			t.Errorf("%d of %d bytes: a part looks whole: %s", n, all, show(got))
		}
	}
}
