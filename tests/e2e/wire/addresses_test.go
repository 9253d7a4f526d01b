package wire

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// preload builds a library of testdata, and is the variable that has it loaded.
func preload(t *testing.T, name string) string {
	t.Helper()
	library := filepath.Join(t.TempDir(), name+".so")
	build := exec.Command("gcc", "-shared", "-fPIC", "-o", library, "testdata/"+name+".c")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return "LD_PRELOAD=" + library
}

// replica is one of the API servers behind a name. It answers with its address.
type replica struct {
	*Upstream
	address string
}

func (r *replica) start(t *testing.T) {
	t.Helper()
	r.Upstream = &Upstream{Answer: func(_ *Message, c *Connection) bool {
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(r.address), r.address)
		return err == nil
	}}
	eventually(t, "the address is free", func() error { return r.Listen(r.address, nil) })
}

// rolling is a proxy before the three addresses of a name.
type rolling struct {
	*stage
	names    string // the file of these
	replicas []*replica
}

func newRolling(t *testing.T) *rolling {
	t.Helper()
	hosts := []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}
	if listener, err := net.Listen("tcp", "[::1]:0"); err == nil {
		hosts[1] = "::1"
		listener.Close()
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	_, port, _ := net.SplitHostPort(free.Addr().String())
	free.Close()
	r := &rolling{stage: &stage{Upstream: &Upstream{}, t: t}, names: filepath.Join(t.TempDir(), "names")}
	for _, host := range hosts {
		r.replicas = append(r.replicas, &replica{address: net.JoinHostPort(host, port)})
	}
	r.resolve(t, hosts...)
	r.Proxy, err = StartProxy(t.Context(), releaseOf(t), ProxyOptions{
		Dir: t.TempDir(), Prefix: []string{"env", preload(t, "names"), "NAMES=" + r.names},
		Kubeconfig: Kubeconfig("http://api.test:"+port, "", "{token: x}")})
	must(t, err)
	t.Cleanup(func() { must(t, r.Stop()) })
	return r
}

func (r *rolling) resolve(t *testing.T, hosts ...string) {
	t.Helper()
	writeByRename(t, r.names, strings.Join(hosts, "\n")+"\n")
}

// wantFrom asks, and expects an answer of one of those who are there; a write that was
// answered has come to one of them, once.
func (r *rolling) wantFrom(t *testing.T, what string, there ...*replica) {
	t.Helper()
	for _, method := range []string{"GET", "POST"} {
		for _, replica := range there {
			replica.Noted()
		}
		client := &Client{Dial: r.plain}
		got, err := client.Do(&Message{Line: method + " /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}, 1)
		must(t, err)
		client.Close()
		sent := 0
		for _, replica := range there {
			n := len(replica.Noted())
			sent += n
			if n > 0 && string(got.Body) != replica.address {
				t.Errorf("%s: asked %s, answered %s", what, replica.address, show(got))
			}
		}
		if got.Status() != 200 || sent != 1 {
			t.Errorf("%s: %s was sent %d times: %s", what, method, sent, show(got))
		}
	}
}

// TestAddressesRoll takes away and brings back the three API servers of a name, one
// after the other, all but one, and all of them; then the name itself moves.
func TestAddressesRoll(t *testing.T) {
	r := newRolling(t)
	all := r.replicas
	for _, replica := range all {
		replica.start(t)
		defer func() { replica.Close() }()
	}
	r.wantFrom(t, "all are there", all...)
	for round := range 2 {
		for i, gone := range all {
			gone.Close()
			r.wantFrom(t, fmt.Sprintf("round %d, without %s", round, gone.address), all[(i+1)%3], all[(i+2)%3])
			gone.start(t)
		}
	}
	for _, last := range all {
		for _, replica := range all {
			if replica != last {
				replica.Close()
			}
		}
		r.wantFrom(t, "only "+last.address+" is there", last)
		last.Close()
		if got := r.get(t); got.Status() != 503 {
			t.Errorf("nobody is there: %s", show(got))
		}
		for _, replica := range all {
			replica.start(t)
		}
	}
	for _, replica := range all {
		replica.Close()
	}
	_, port, _ := net.SplitHostPort(all[0].address)
	moved := &replica{address: "127.0.0.9:" + port}
	moved.start(t)
	defer moved.Close()
	r.resolve(t, "127.0.0.9")
	eventually(t, "the name's new address is asked", func() error {
		if got := r.get(t); got.Status() != 200 {
			return fmt.Errorf("%s", show(got))
		}
		return nil
	})
	r.wantFrom(t, "the name has moved", moved)
}

// A name server that does not answer holds nobody up: who gives up is let go, others are
// served, and the proxy ends when it is asked to.
func TestALookupWithoutAnEndIsNotWaitedFor(t *testing.T) {
	names := filepath.Join(t.TempDir(), "names")
	must(t, syscall.Mkfifo(names, 0o600)) // who opens it waits for a writer
	p, err := StartProxy(t.Context(), releaseOf(t), ProxyOptions{
		Dir: t.TempDir(), Prefix: []string{"env", preload(t, "names"), "NAMES=" + names},
		Kubeconfig: Kubeconfig("http://api.test:80", "", "{token: x}")})
	must(t, err)
	t.Cleanup(func() { must(t, p.Stop()) })
	open := func(want int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d requests are open", want), func() error {
			if n := p.Metric("ringside_requests_open"); n != want {
				return fmt.Errorf("%d are", n)
			}
			return nil
		})
	}
	open(0)
	connection, err := p.Dial()
	must(t, err)
	defer connection.Close()
	_, err = fmt.Fprint(connection, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
	must(t, err)
	open(1)
	connection.Close()
	open(0)
}
