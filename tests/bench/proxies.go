package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/rig"
	"ringside.dev/ringside/tests/e2e/wire"
)

// proxy is one of those that are compared; pids is empty for a direct connection.
type proxy struct {
	name    string
	address string
	pids    func() []int
	stop    func()
}

// makeCertificate makes one for localhost, with its files: key and chain in one.
func makeCertificate(dir string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	all := append(certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := os.WriteFile(filepath.Join(dir, "all.pem"), all, 0o600); err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

func startRingside(dir, upstream string) (*proxy, error) {
	kubeconfig := wire.Kubeconfig("https://"+upstream,
		", certificate-authority: "+filepath.Join(dir, "all.pem"), "{token: x}")
	p, err := wire.StartProxy(context.Background(), os.Getenv("RINGSIDE"),
		wire.ProxyOptions{Dir: dir, Kubeconfig: kubeconfig})
	if err != nil {
		return nil, err
	}
	pids := func() []int { return []int{p.Process.Pid()} }
	return &proxy{"ringside", p.HTTPS, pids, func() { _ = p.Stop() }}, nil
}

// startOther runs a program with a configuration in which words in capitals stand
// for what is made here.
func startOther(dir, name, upstream, configuration string, argv ...string) (*proxy, error) {
	port, err := controlplane.FreePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	file := filepath.Join(dir, name+".conf")
	text := strings.NewReplacer("ADDRESS", address, "UPSTREAM", upstream, "DIR", dir).Replace(configuration)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	child, err := process.Start(name, filepath.Join(dir, name+".log"), nil, append(argv, file)...)
	if err != nil {
		return nil, err
	}
	err = rig.Wait(context.Background(), 20*time.Second, func(context.Context) error {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, child.Tail(20))
	}
	return &proxy{name, address, func() []int { return family(child.Pid()) }, child.Kill}, nil
}

// family is a process and its children.
func family(pid int) []int {
	pids := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for word := range strings.FieldsSeq(string(text)) {
		var child int
		if _, err := fmt.Sscan(word, &child); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

const haproxyConfiguration = `global
  nbthread 1
  maxconn 4096
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 10s
  timeout client 10m
  timeout server 10m
  http-reuse always
frontend in
  bind ADDRESS ssl crt DIR/all.pem alpn h2,http/1.1
  default_backend out
backend out
  server s UPSTREAM ssl verify none alpn http/1.1 pool-max-conn 512
`

const nginxConfiguration = `daemon off;
worker_processes 1;
error_log DIR/nginx-error.log;
pid DIR/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  keepalive_requests 1000000000;
  upstream out { server UPSTREAM; keepalive 512; keepalive_requests 1000000000; }
  server {
    listen ADDRESS ssl http2;
    ssl_certificate DIR/all.pem;
    ssl_certificate_key DIR/all.pem;
    location / {
      proxy_pass https://out;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 10m;
    }
  }
}
`
