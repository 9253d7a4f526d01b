package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates of servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), IsCA: true, BasicConstraintsValid: true,
		Subject:   pkix.Name{CommonName: "an authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	must(t, err)
	a.certificate, err = x509.ParseCertificate(der)
	must(t, err)
	return a
}

// write puts its certificate into a file, as the kubelet does: by a rename.
func (a *authority) write(t testing.TB, path string) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	writeByRename(t, path, string(text))
}

func writeByRename(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path+".new", []byte(text), 0o600))
	must(t, os.Rename(path+".new", path))
}

// sign makes a certificate for a name that ends at some time.
func (a *authority) sign(t testing.TB, name string, end time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	must(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var getX = &Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}

// get asks through the proxy on a connection of its own.
func (s *stage) get(t *testing.T) *Message {
	t.Helper()
	client := &Client{Dial: s.plain}
	defer client.Close()
	got, err := client.Do(getX, 1)
	must(t, err)
	return got
}

// TestRotation changes the API server's certificate, its CA and our token while
// the proxy runs: what is new is trusted and used at once, what is old or expired
// is not.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "token")
	first, second := newAuthority(t), newAuthority(t)
	first.write(t, ca)
	writeByRename(t, token, "first")
	later := time.Now().Add(time.Hour)
	var certificate atomic.Pointer[tls.Certificate]
	certificate.Store(first.sign(t, "localhost", later))
	s := &stage{Upstream: &Upstream{Answer: answerOK}, t: t}
	must(t, s.Listen("127.0.0.1:0", &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return certificate.Load(), nil },
	}))
	_, port, _ := net.SplitHostPort(s.Address())
	s.start(ProxyOptions{
		Kubeconfig: Kubeconfig("https://localhost:"+port, ", certificate-authority: "+ca, "{tokenFile: "+token+"}"),
		Extra:      "upstream: {credentials: own}\n",
	})
	check := func(what string, status int, token string) {
		t.Helper()
		got := s.get(t)
		noted := s.Noted()
		if got.Status() != status || (len(noted) == 1) != (status == 200) {
			t.Errorf("%s: upstream got %d requests, the client %s\n%s", what, len(noted), show(got), got.Body)
		} else if status == 200 {
			if value, _ := noted[0].Fields.Get("Authorization"); value != "Bearer "+token {
				t.Errorf("%s: sent %q", what, value)
			}
		} else if !strings.Contains(string(got.Body), "certificate") {
			t.Errorf("%s: said %s", what, got.Body)
		}
	}
	check("at first", 200, "first")
	writeByRename(t, token, "second")
	check("with another token", 200, "second")
	certificate.Store(first.sign(t, "localhost", later))
	s.CloseConnections()
	check("with another certificate", 200, "second")
	certificate.Store(first.sign(t, "localhost", time.Now().Add(-time.Minute)))
	s.CloseConnections()
	check("with an expired certificate", 503, "")
	certificate.Store(first.sign(t, "elsewhere", later))
	check("with another's certificate", 503, "")
	certificate.Store(second.sign(t, "localhost", later))
	check("with a certificate of a CA that is not known yet", 503, "")
	second.write(t, ca)
	check("with another CA", 200, "second")
	certificate.Store(first.sign(t, "localhost", later))
	s.CloseConnections()
	check("with a certificate of the former CA", 503, "")
}
