package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// The invariant bounded: whatever a client or the upstream does, it costs what it
// may and no more, the others are served, and a metric tells.
func TestBounded(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"a long head is 431":                            boundedHead,
		"a long body is 413":                            boundedBody,
		"connections have a limit":                      boundedConnections,
		"a process without descriptors recovers":        boundedDescriptors,
		"readers that stop hold up their own answers":   boundedReaders,
		"readers that are slow get all":                 boundedSlowReaders,
		"writers of one byte at a time are served":      boundedWriters,
		"a request that does not arrive ends":           boundedArrival,
		"a body that trickles by HTTP/2 ends":           boundedTrickle,
		"bodies of all clients have a limit":            boundedMemory,
		"what waits for upstream has a limit":           boundedWaiting,
		"a thousand watches of one client are served":   boundedWatches,
		"requests taken back again and again end":       boundedResets,
		"floods of frames end":                          boundedFloods,
		"what arrives by HTTP/2 is counted":             boundedArriving,
		"what is taken back half-way is no flood":       boundedTakenBack,
		"what comes and goes for long leaves nothing":   boundedChurn,
		"an answer's head has a limit":                  boundedAnswers,
		"clients that die without a word are let go":    boundedDeadClients,
		"a server that dies without a word is given up": boundedDeadServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

const limited = `ringside_limited_total{limit=%q}`

func (s *stage) wantMetric(t *testing.T, limit string, least int) {
	t.Helper()
	if n := s.Metric(fmt.Sprintf(limited, limit)); n < least {
		t.Errorf("the metric of %s is %d, not at least %d", limit, n, least)
	}
}

// stillServes checks that somebody else is served.
func (s *stage) stillServes(t *testing.T) {
	t.Helper()
	if got := s.get(t); got.Status() != 200 {
		t.Errorf("others are answered %s", show(got))
	}
}

func boundedHead(t *testing.T) {
	s := newStage(t, "limits: {head: 16Ki}\n")
	client2, err := NewClient2(s.Proxy)
	must(t, err)
	defer client2.Close()
	for _, size := range []int{15_000, 17_000, 100_000, 380_000} {
		status := 200
		if size > 16384 {
			status = 431
		}
		for _, request := range []*Message{
			{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}, {"X-Long", strings.Repeat("a", size)}}},
			{Line: "GET /" + strings.Repeat("a", size) + " HTTP/1.1", Fields: Fields{{"Host", "x"}}},
		} {
			client := &Client{Dial: s.plain}
			one, err := client.Do(request, 1)
			must(t, err)
			client.Close()
			two, err := client2.Do(request)
			must(t, err)
			if one.Status() != status || two.Status() != status {
				t.Errorf("%d bytes: answered %d and %d, not %d", size, one.Status(), two.Status(), status)
			}
		}
	}
	s.wantMetric(t, "head", 12)
}

func boundedBody(t *testing.T) {
	s := newStage(t, "limits: {body: 64Ki}\n")
	client2, err := NewClient2(s.Proxy)
	must(t, err)
	defer client2.Close()
	for _, size := range []int{65_536, 65_537, 130_000} {
		got, err := client2.Do(&Message{Line: "POST /x HTTP/1.1", Framing: "length", Body: make([]byte, size),
			Fields: Fields{{"Host", "x"}, {"Content-Length", fmt.Sprint(size)}}})
		must(t, err)
		if want := map[bool]int{true: 413, false: 200}[size > 65536]; got.Status() != want {
			t.Errorf("%d bytes, HTTP/2: answered %s, not %d", size, got.Line, want)
		}
	}
	for _, framing := range []string{"length", "chunked"} {
		for _, size := range []int{65_000, 66_000, 1 << 20} {
			request := &Message{Line: "POST /x HTTP/1.1", Framing: framing, Body: make([]byte, size),
				Fields: Fields{{"Host", "x"}, {"Content-Length", fmt.Sprint(size)}}}
			if framing == "chunked" {
				request.Fields[1] = Field{"Transfer-Encoding", "chunked"}
			}
			client := &Client{Dial: s.plain}
			got, err := client.Do(request, 10_000)
			must(t, err)
			client.Close()
			want := 200
			if size > 65536 {
				want = 413
			}
			if got.Status() != want {
				t.Errorf("%d bytes, %s: answered %s, not %d", size, framing, got.Line, want)
			}
		}
	}
	s.wantMetric(t, "body", 6)
}

func boundedConnections(t *testing.T) {
	s := newStage(t, "limits: {connections: 16}\n")
	var open []net.Conn
	for range 16 {
		connection, err := s.plain()
		must(t, err)
		open = append(open, connection)
	}
	eventually(t, "16 connections are open", func() error {
		if n := s.Metric("ringside_connections_open"); n != 16 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})
	one, err := s.plain()
	must(t, err)
	must(t, one.SetDeadline(time.Now().Add(Patience)))
	if _, err := one.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("one too many lives: %v", err)
	}
	one.Close()
	s.wantMetric(t, "connections", 1)
	for _, connection := range open {
		connection.Close()
	}
	eventually(t, "there is room again", func() error {
		if n := s.Metric("ringside_connections_open"); n != 0 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
	s.stillServes(t)
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

func boundedDescriptors(t *testing.T) {
	s := &stage{Upstream: &Upstream{Answer: answerOK}, t: t}
	must(t, s.Listen("127.0.0.1:0", nil))
	s.start(ProxyOptions{Kubeconfig: Kubeconfig("http://"+s.Address(), "", "{token: x}"),
		Prefix: []string{"prlimit", "--nofile=64:64"}})
	hold := make(chan bool)
	s.Answer = func(request *Message, c *Connection) bool {
		<-hold
		return answerOK(request, c)
	}
	const n = 100
	answers := make(chan string, n)
	for range n {
		go func() {
			client := &Client{Dial: s.plain}
			defer client.Close()
			got, err := client.Do(getX, 1)
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- fmt.Sprint(got.Status())
		}()
	}
	eventually(t, "no descriptor is left", func() error {
		// The admin port needs one too: it answers when some are free again.
		if n := s.FDs(); n < 60 {
			return fmt.Errorf("%d are open", n)
		}
		return nil
	})
	before := s.CPU()
	time.Sleep(500 * time.Millisecond)
	if used := s.CPU() - before; used > 250*time.Millisecond {
		t.Errorf("in half a second it used the processor for %s", used)
	}
	close(hold)
	count := map[string]int{}
	for range n {
		count[<-answers]++
	}
	t.Logf("answers: %v", count)
	if count["200"]+count["503"] != n || count["200"] == 0 {
		t.Errorf("answers are %v, not 200 or 503", count)
	}
	s.stillServes(t)
	s.wantMetric(t, "descriptors", 1)
}

func boundedReaders(t *testing.T) {
	s := newStage(t, "")
	var sent atomic.Int64
	piece := []byte("8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n")
	s.Answer = func(request *Message, c *Connection) bool {
		if !strings.Contains(request.Line, "large") {
			return answerOK(request, c)
		}
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for err == nil {
			var n int
			n, err = c.Write(piece)
			sent.Add(int64(n))
		}
		return false
	}
	const readers = 30
	for range readers / 2 {
		connection, err := s.tls()
		must(t, err)
		defer connection.Close()
		_, err = io.WriteString(connection, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		client2, err := NewClient2(s.Proxy)
		must(t, err)
		defer client2.Close()
		_, err = client2.Headers(PseudoFields("GET /large HTTP/1.1"), true)
		must(t, err)
		go func() { // frames but for DATA
			for {
				if frame, err := client2.ReadFrame(); err != nil || frame.Header().Type == http2.FrameData {
					return
				}
			}
		}()
	}
	last := int64(-1)
	eventually(t, "all upstreams are stopped", func() error {
		now := sent.Load()
		if now == last && now > 0 {
			return nil
		}
		last = now
		time.Sleep(300 * time.Millisecond)
		return fmt.Errorf("%d MiB were sent", now>>20)
	})
	// Ours, and what the kernel holds on two connections of loopback.
	if per := sent.Load() / readers; per > 12<<20 {
		t.Errorf("%d KiB were taken for each reader that stopped", per>>10)
	}
	t.Logf("%d KiB were taken for each", sent.Load()/readers>>10)
	s.stillServes(t)
}

// A slow reader gets every byte at its own pace, and costs no more than one that reads
// nothing; others do not wait for it.
func boundedSlowReaders(t *testing.T) {
	s := newStage(t, "")
	const size = 24 << 20
	large := strings.Repeat("0123456789abcdef", size/16)
	s.Answer = func(request *Message, c *Connection) bool {
		if !strings.Contains(request.Line, "large") {
			return answerOK(request, c)
		}
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, large)
		return err == nil
	}
	before, most := s.RSS(), 0
	for name, way := range s.ways() {
		response, err := way.client.Get(way.url + "/large")
		must(t, err)
		defer response.Body.Close()
		piece := make([]byte, 64<<10)
		for at := 0; at < size; at += len(piece) {
			if _, err := io.ReadFull(response.Body, piece); err != nil || string(piece) != large[at:at+len(piece)] {
				t.Fatalf("%s, behind %d bytes: another piece, or %v", name, at, err)
			}
			if at%(4<<20) == 0 { // so slow that all that holds something is full
				time.Sleep(50 * time.Millisecond)
				s.stillServes(t)
				most = max(most, s.RSS())
			}
		}
	}
	if grown := most - before; grown > 16<<20 {
		t.Errorf("it has grown by %d MiB", grown>>20)
	}
	t.Logf("%d MiB more at most", (most-before)>>20)
}

func boundedWriters(t *testing.T) {
	s := newStage(t, "")
	request := []byte("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
	for range 3 {
		connection, err := s.tls()
		must(t, err)
		defer connection.Close()
		for i := range request {
			_, err := connection.Write(request[i : i+1])
			must(t, err)
		}
		must(t, connection.SetDeadline(time.Now().Add(Patience)))
		answer, err := ReadAnswer(bufio.NewReader(connection), "POST")
		must(t, err)
		noted := s.Noted()
		if answer.Status() != 200 || len(noted) != 1 || string(noted[0].Body) != "hello" {
			t.Errorf("answered %s to %v", show(answer), noted)
		}
	}
}

func boundedArrival(t *testing.T) {
	s := newStage(t, "")
	var open []net.Conn
	for _, part := range []string{"G", "GET /x HTTP/1.1\r\nHost: x\r\nX-", "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel"} {
		for _, dial := range []func() (net.Conn, error){s.plain, s.tls} {
			connection, err := dial()
			must(t, err)
			defer connection.Close()
			_, err = io.WriteString(connection, part)
			must(t, err)
			open = append(open, connection)
		}
	}
	for _, hello := range []string{"", "\x16\x03\x01\x02\x00\x01"} { // no handshake, and the begin of one
		connection, err := net.Dial("tcp", s.HTTPS)
		must(t, err)
		defer connection.Close()
		_, err = io.WriteString(connection, hello)
		must(t, err)
		open = append(open, connection)
	}
	idle, err := s.plain()
	must(t, err)
	defer idle.Close()
	const size = 32 << 20
	s.Answer = func(request *Message, c *Connection) bool {
		if !strings.Contains(request.Line, "large") {
			return answerOK(request, c)
		}
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size))
		return err == nil
	}
	pausing, err := NewClient2(s.Proxy)
	must(t, err)
	defer pausing.Close()
	stream, err := pausing.Headers(PseudoFields("GET /large HTTP/1.1"), true)
	must(t, err)
	s.stillServes(t)
	for i, connection := range open {
		must(t, connection.SetDeadline(time.Now().Add(3*Patience)))
		if _, err := connection.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	s.wantMetric(t, "arrival", len(open))
	// Neither is who reads nothing of an answer for a while, nor who is idle.
	must(t, pausing.SetDeadline(time.Now().Add(Patience)))
	if got, err := pausing.read(stream, &sender{c: pausing, isOver: true}); err != nil || len(got.Body) != size {
		t.Errorf("who read nothing for a while: %v", err)
	}
	fmt.Fprint(idle, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, idle.SetDeadline(time.Now().Add(Patience)))
	if _, err := ReadAnswer(bufio.NewReader(idle), "GET"); err != nil {
		t.Errorf("an idle connection: %v", err)
	}
}

func boundedWatches(t *testing.T) {
	s := newStage(t, "")
	event := make(chan bool)
	s.Answer = func(request *Message, c *Connection) bool {
		if !strings.Contains(request.Line, "/watch") {
			return answerOK(request, c)
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		<-event
		_, _ = io.WriteString(c, "6\r\nevent\n\r\n0\r\n\r\n")
		return false
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: s.CA, ServerName: "localhost"},
		ForceAttemptHTTP2: true,
	}}
	const n = 1000
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	heads, bodies := make(chan error, n), make(chan error, n)
	for range n {
		go func() {
			request, _ := http.NewRequestWithContext(ctx, "GET", "https://"+s.HTTPS+"/watch", nil)
			response, err := client.Do(request)
			heads <- err
			if err != nil {
				return
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err == nil && (string(body) != "event\n" || response.ProtoMajor != 2) {
				err = fmt.Errorf("%s: %q", response.Proto, body)
			}
			bodies <- err
		}()
	}
	for range n {
		must(t, <-heads)
	}
	if open := s.Metric("ringside_requests_open"); open < n {
		t.Errorf("%d requests are open, not %d", open, n)
	}
	s.stillServes(t)
	accepted := s.Accepted()
	for range 50 {
		s.stillServes(t)
	}
	// Our own requests may need one, too.
	if made := s.Accepted() - accepted; made > 5 {
		t.Errorf("beside watches, 50 requests were sent on %d new connections", made)
	}
	close(event)
	for range n {
		must(t, <-bodies)
	}
	client.CloseIdleConnections()
	eventually(t, "all watches have ended", func() error {
		// Our own requests come and go.
		if open := s.Metric("ringside_requests_open"); open > 0 {
			return fmt.Errorf("%d are open", open)
		}
		return nil
	})
}

func boundedResets(t *testing.T) {
	s := newStage(t, "")
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	go func() { _, _ = io.Copy(io.Discard, client.Conn) }()
	began := time.Now()
	var sent int
	for err == nil && sent < 1_000_000 && time.Since(began) < Patience {
		must(t, client.SetWriteDeadline(time.Now().Add(Patience)))
		var stream uint32
		if stream, err = client.Headers(PseudoFields("GET /x HTTP/1.1"), true); err == nil {
			err = client.WriteRSTStream(stream, http2.ErrCodeCancel)
		}
		sent++
	}
	if err == nil {
		t.Errorf("%d requests were taken back, and the connection lives", sent)
	}
	t.Logf("%d requests, %s", sent, time.Since(began))
	s.wantMetric(t, "aborts", 1)
	s.stillServes(t)
}

// A day's worth of churn: requests of all kinds, clients that leave at any time,
// upstreams that break. At the end nothing is open, and memory does not grow.
func boundedChurn(t *testing.T) {
	s := newStage(t, "")
	var asked atomic.Int64
	s.Answer = func(request *Message, c *Connection) bool {
		n := asked.Add(1)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		if n%5 == 0 {
			c.Reset()
			return false
		}
		_, err := fmt.Fprintf(c, "4000\r\n%s\r\n0\r\n\r\n", strings.Repeat("x", 0x4000))
		return err == nil && n%7 != 0
	}
	round := func(i int) {
		dial := s.plain
		if i%3 == 0 {
			dial = s.tls
		}
		connection, err := dial()
		must(t, err)
		defer connection.Close()
		must(t, connection.SetDeadline(time.Now().Add(Patience)))
		fmt.Fprint(connection, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
		if i%2 == 0 {
			_, _ = ReadAnswer(bufio.NewReader(connection), "GET")
		}
	}
	settled := func() (int, int) {
		eventually(t, "all has ended", func() error {
			if n := s.Metric("ringside_requests_open") + s.Metric("ringside_connections_open"); n != 0 {
				return fmt.Errorf("%d requests and connections are open", n)
			}
			return nil
		})
		return s.RSS() >> 20, s.FDs()
	}
	// Allocators and caches fill up in the first.
	var rss, fds [3]int
	for k := range 3 {
		for i := range 300 {
			round(i)
		}
		rss[k], fds[k] = settled()
	}
	t.Logf("RSS %v MiB, descriptors %v", rss, fds)
	if fds[2] > fds[1]+10 {
		t.Errorf("descriptors: %v", fds)
	}
	if rss[2] > rss[1]+20 {
		t.Errorf("RSS: %v MiB", rss)
	}
}
