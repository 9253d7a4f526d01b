package wire

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// deadAfter is how long a peer may be silent though it is asked, see
// proxy/net/liveness.h; looks come every few seconds, and a new connection may be
// tried for ten.
const deadAfter = 45*time.Second + 30*time.Second

// newNetworkStage is a stage of three namespaces.
func newNetworkStage(t *testing.T) (*stage, *network) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("SKIPPED: a link can be cut with ip(8) only: install iproute2 (tests/setup.sh e2e)")
	}
	n, err := newNetwork()
	if err != nil {
		t.Skipf("SKIPPED: a link can be cut by who may make network namespaces only (root does): %v", err)
	}
	t.Cleanup(n.Close)
	s := &stage{Upstream: &Upstream{}, t: t}
	must(t, n.server.do(func() error { return s.Listen(serverHost+":0", nil) }))
	s.Answer = answerOK
	s.start(ProxyOptions{
		Kubeconfig: Kubeconfig("http://"+s.Address(), "", "{token: x}"),
		Prefix:     []string{"nsenter", "--net=" + n.proxy.path()},
		Dial:       n.proxy.Dial,
	})
	return s, n
}

// talk is a request that is under way when a link is cut.
type talk struct {
	name string
	path string
	by   string // h2, or http/1.1 by TLS; "" is plain
	says string // what the client says after the cut
}

// talks are watches and tunnels, idle ones and others. /late has something to say to
// its client after the cut.
var talks = []talk{
	{"an idle watch", "/idle", "", ""},
	{"an idle watch by TLS", "/idle", "http/1.1", ""},
	{"an idle watch by HTTP/2", "/idle", "h2", ""},
	{"a watch with an event", "/late", "", ""},
	{"an idle tunnel", "/tunnel", "", ""},
	{"a tunnel with an answer", "/tunnel/late", "", ""},
	{"a tunnel with a question", "/tunnel", "", "question"},
}

// deadStage answers talks. Of these, begun says how many have been asked, and ended
// how many upstream knows to have ended.
type deadStage struct {
	*stage
	*network
	begun, ended atomic.Int32
	isCut        chan bool // closed then
	both         chan bool // of those who wait for each other
}

func newDeadStage(t *testing.T) *deadStage {
	s, n := newNetworkStage(t)
	d := &deadStage{stage: s, network: n, isCut: make(chan bool), both: make(chan bool)}
	d.Upstream.Answer = func(request *Message, c *Connection) bool {
		line := strings.Fields(request.Line)[1]
		isTunnel := strings.HasPrefix(line, "/tunnel")
		switch {
		case isTunnel:
			fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst")
		case line == "/idle" || line == "/late":
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		default:
			if line == "/both" {
				d.both <- true
			}
			return answerOK(request, c)
		}
		d.begun.Add(1)
		if strings.HasSuffix(line, "/late") {
			<-d.isCut
			fmt.Fprint(c, "4\r\nlate\r\n")
		}
		_, _ = io.Copy(io.Discard, c.Reader) // until it ends
		d.ended.Add(1)
		return false
	}
	return d
}

// begin starts a talk and waits until the first of its answer has come.
func (d *deadStage) begin(t *testing.T, talk talk, dial func(string, string) (net.Conn, error)) net.Conn {
	t.Helper()
	address := d.HTTP
	if talk.by != "" {
		address = d.HTTPS
	}
	connection, err := dial("tcp", address)
	must(t, err)
	t.Cleanup(func() { connection.Close() })
	must(t, connection.SetDeadline(time.Now().Add(Patience)))
	if talk.by != "" {
		connection = tls.Client(connection, &tls.Config{RootCAs: d.CA, ServerName: "localhost", NextProtos: []string{talk.by}})
	}
	upgrade := ""
	if strings.HasPrefix(talk.path, "/tunnel") {
		upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	}
	if talk.by == "h2" {
		client, err := NewClient2On(connection)
		must(t, err)
		_, err = client.Headers(PseudoFields("GET "+talk.path+" HTTP/1.1"), true)
		must(t, err)
		must(t, client.readTo(http2.FrameData))
		connection = client
	} else {
		fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", talk.path, upgrade)
		reader := bufio.NewReader(connection)
		for got := ""; !strings.Contains(got, "first"); {
			line, err := reader.ReadString('t')
			must(t, err)
			got = line
		}
	}
	must(t, connection.SetDeadline(time.Time{}))
	return connection
}

func (d *deadStage) cutLink(t *testing.T, side *namespace) {
	t.Helper()
	eventually(t, "all have been asked", func() error {
		if n := int(d.begun.Load()); n != len(talks) {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
	must(t, d.cut(side))
	close(d.isCut)
}

// settle waits until nothing of what was under way is left.
func (d *deadStage) settle(t *testing.T, what string, least time.Time, check func() error) {
	t.Helper()
	eventuallyIn(t, deadAfter, what, check)
	if took := time.Since(least); took < 10*time.Second {
		t.Errorf("%s after %s: not by the silence", what, took)
	}
}

func (d *deadStage) wantGauge(name string, want int) error {
	if n := d.Metric(name); n != want {
		return fmt.Errorf("%s is %d", name, n)
	}
	return nil
}

// boundedDeadClients cuts the link between clients and the proxy. Nothing tells: but
// what they have asked for ends upstream, and nothing of them is kept.
func boundedDeadClients(t *testing.T) {
	d := newDeadStage(t)
	for _, talk := range talks {
		connection := d.begin(t, talk, d.client.Dial)
		if talk.says != "" {
			go func() {
				<-d.isCut
				_, _ = io.WriteString(connection, talk.says)
			}()
		}
	}
	idle, err := d.client.Dial("tcp", d.HTTP)
	must(t, err)
	defer idle.Close()
	eventually(t, "one connection more is open", func() error {
		return d.wantGauge("ringside_connections_open", len(talks)+1)
	})
	before := d.FDs()
	d.cutLink(t, d.client)
	began := time.Now()
	d.settle(t, "upstream was told", began, func() error {
		if n := int(d.ended.Load()); n != len(talks) {
			return fmt.Errorf("%d of %d have ended", n, len(talks))
		}
		return nil
	})
	eventually(t, "nothing of them is left", func() error {
		for _, gauge := range []string{"ringside_requests_open", "ringside_connections_open"} {
			if err := d.wantGauge(gauge, 0); err != nil {
				return err
			}
		}
		if n := d.FDs(); n > before-2*len(talks) {
			return fmt.Errorf("%d of %d descriptors are open", n, before)
		}
		return nil
	})
	t.Logf("after %s", time.Since(began))
	// Each was found, also those that had nothing to say and nothing to be told.
	if n := d.Metric(`ringside_limited_total{limit="dead"}`); n != len(talks)+1 {
		t.Errorf("%d were counted", n)
	}
	// Those who are not behind that link are served.
	if got := d.get(t); got.Status() != 200 {
		t.Errorf("others are answered %s", show(got))
	}
}

// readTo reads frames up to one of a type.
func (c *Client2) readTo(wanted http2.FrameType) error {
	for {
		frame, err := c.ReadFrame()
		if err != nil || frame.Header().Type == wanted {
			return err
		}
	}
}

// seeEnd waits for the end of a talk; an answer that is broken off is none that ends well.
func seeEnd(connection net.Conn) error {
	if client, ok := connection.(*Client2); ok {
		return client.readTo(http2.FrameRSTStream)
	}
	rest, err := io.ReadAll(connection)
	if isTimeout(err) || strings.HasSuffix(string(rest), "0\r\n\r\n") {
		return fmt.Errorf("%v behind %q", err, rest)
	}
	return nil
}

// boundedDeadServer cuts the link to the API server. Clients see an end of what they
// watch, requests on connections that were kept are answered, and nothing is kept.
func boundedDeadServer(t *testing.T) {
	d := newDeadStage(t)
	ends := make(chan string, len(talks))
	for _, talk := range talks {
		connection := d.begin(t, talk, d.proxy.Dial)
		go func() {
			if talk.says != "" {
				<-d.isCut
				_, _ = io.WriteString(connection, talk.says)
			}
			_ = connection.SetDeadline(time.Now().Add(deadAfter + Patience))
			if err := seeEnd(connection); err != nil {
				ends <- fmt.Sprintf("%s: %v", talk.name, err)
				return
			}
			ends <- ""
		}()
	}
	d.keepTwo(t)
	d.cutLink(t, d.server)
	began := time.Now()
	answers := make(chan string, 2)
	for method, want := range map[string]int{"GET": 503, "POST": 504} {
		go func() {
			client := &Client{Dial: d.plain, Patience: deadAfter}
			defer client.Close()
			got, err := client.Do(&Message{Line: method + " /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}, 1)
			if err != nil || got.Status() != want {
				answers <- fmt.Sprintf("%s: %v, %v", method, got, err)
				return
			}
			answers <- ""
		}()
	}
	for range len(talks) {
		if problem := <-ends; problem != "" {
			t.Error(problem)
		}
	}
	if took := time.Since(began); took > deadAfter || took < 10*time.Second {
		t.Errorf("they saw it after %s", took)
	}
	t.Logf("after %s", time.Since(began))
	for range 2 {
		if problem := <-answers; problem != "" {
			t.Error(problem)
		}
	}
	eventually(t, "nothing of them is left", func() error { return d.wantGauge("ringside_requests_open", 0) })
	// It is found again.
	must(t, d.server.ip("link set proxy up"))
	eventually(t, "the API server is back", func() error {
		if got := d.get(t); got.Status() != 200 {
			return fmt.Errorf("%s", show(got))
		}
		return nil
	})
}

// keepTwo has the proxy keep two connections upstream for requests to come.
func (d *deadStage) keepTwo(t *testing.T) {
	t.Helper()
	done := make(chan error)
	for range 2 {
		go func() {
			client := &Client{Dial: d.plain}
			defer client.Close()
			got, err := client.Do(&Message{Line: "GET /both HTTP/1.1", Fields: Fields{{"Host", "x"}}}, 1)
			if err == nil && got.Status() != 200 {
				err = fmt.Errorf("answered %s", show(got))
			}
			done <- err
		}()
	}
	<-d.both
	<-d.both
	for range 2 {
		must(t, <-done)
	}
}
