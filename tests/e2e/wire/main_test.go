package wire

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
)

// binary is the proxy under test.
func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("RINGSIDE")
	if path == "" {
		path = "../../../build/sanitize/ringside"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the proxy is not built: %v", err)
	}
	return path
}

// stage is an upstream and a proxy before it; both end with the test.
type stage struct {
	*Upstream
	*Proxy
	t testing.TB
}

func newStage(t testing.TB, extra string) *stage {
	t.Helper()
	s := &stage{Upstream: &Upstream{}, t: t}
	s.Answer = answerOK
	must(t, s.Listen("127.0.0.1:0", nil))
	s.start(ProxyOptions{
		Kubeconfig: Kubeconfig("http://"+s.Address(), "", "{token: own}"), Extra: extra,
	})
	return s
}

func (s *stage) start(options ProxyOptions) {
	s.t.Helper()
	options.Dir = s.t.TempDir()
	proxy, err := StartProxy(context.Background(), binary(s.t), options)
	must(s.t, err)
	s.Proxy = proxy
	s.t.Cleanup(func() {
		if err := proxy.Stop(); err != nil || strings.Contains(proxy.Process.Output(), "Sanitizer") {
			s.t.Errorf("the proxy ended badly: %v\n%s", err, proxy.Process.Tail(60))
		}
		s.Upstream.Close()
	})
}

func answerOK(request *Message, c *Connection) bool {
	_, err := c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	return err == nil
}

func (s *stage) direct() (net.Conn, error) { return net.Dial("tcp", s.Address()) }
func (s *stage) plain() (net.Conn, error)  { return s.Dial() }
func (s *stage) tls() (net.Conn, error)    { return s.Dial("http/1.1") }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
