package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
	"ringside.dev/ringside/tests/e2e/rig"
)

// Proxy is a Ringside whose ring never comes about: what is not about the ring
// goes through it all the same.
type Proxy struct {
	Process            *process.Process
	HTTPS, HTTP, Admin string // addresses
	CA                 *x509.CertPool

	dial func(network, address string) (net.Conn, error)
}

// ProxyOptions say what a proxy stands before, and how it is run.
type ProxyOptions struct {
	Dir        string
	Kubeconfig string   // of the upstream; the file's text
	Extra      string   // YAML
	Prefix     []string // a program that runs it: prlimit, valgrind

	// Dial connects to where it runs; nil: net.Dial.
	Dial func(network, address string) (net.Conn, error)
}

// Kubeconfig is one for a server by URL; user is YAML, such as {token: x}.
func Kubeconfig(server, cluster, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: %q%s}}]
users: [{name: u, user: %s}]
contexts: [{name: c, context: {cluster: c, user: u, namespace: default}}]
`, server, cluster, user)
}

const ringYAML = `ring: wire
shards: 1
resources:%s
log: {level: info}
%s`

// StartProxy starts one and waits until it answers.
func StartProxy(ctx context.Context, binary string, options ProxyOptions) (*Proxy, error) {
	p := &Proxy{dial: options.Dial}
	if p.dial == nil {
		p.dial = net.Dial
	}
	for _, address := range []*string{&p.HTTPS, &p.HTTP, &p.Admin} {
		port, err := controlplane.FreePort()
		if err != nil {
			return nil, err
		}
		*address = fmt.Sprintf("127.0.0.1:%d", port)
	}
	at := func(name string) string { return filepath.Join(options.Dir, name) }
	yaml := fmt.Sprintf(ringYAML, strings.TrimRight(rig.FooResources, "\n"), options.Extra)
	if err := os.WriteFile(at("ring.yaml"), []byte(yaml), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(at("kubeconfig"), []byte(options.Kubeconfig), 0o600); err != nil {
		return nil, err
	}
	argv := append(append([]string{}, options.Prefix...),
		binary, "run", at("ring.yaml"), "--member", "wire", "--kubeconfig", at("kubeconfig"),
		"--https", p.HTTPS, "--http", p.HTTP, "--admin", p.Admin, "--write-ca", at("ca.crt"))
	var err error
	if p.Process, err = process.Start("ringside", at("ringside.log"), sanitizer(), argv...); err != nil {
		return nil, err
	}
	err = rig.Wait(ctx, 60*time.Second, func(context.Context) error {
		_, err := p.admin("/healthz")
		return err
	})
	if err != nil {
		p.Process.Kill()
		return nil, err
	}
	pem, err := os.ReadFile(at("ca.crt"))
	p.CA = x509.NewCertPool()
	p.CA.AppendCertsFromPEM(pem)
	return p, err
}

// Freed memory is not held back, so that RSS means something.
func sanitizer() []string {
	return []string{"ASAN_OPTIONS=quarantine_size_mb=4:" + os.Getenv("ASAN_OPTIONS")}
}

func (p *Proxy) admin(path string) ([]byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{Dial: p.dial, DisableKeepAlives: true}}
	response, err := client.Get("http://" + p.Admin + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// Metric is the value of a metric, with its labels as they are printed; -1 where
// there is none.
func (p *Proxy) Metric(name string) int {
	text, err := p.admin("/metrics")
	if err != nil {
		return -1
	}
	for line := range bytes.Lines(text) {
		if value, ok := strings.CutPrefix(string(line), name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err == nil {
				return int(n)
			}
		}
	}
	return -1
}

// Stop asks it to end; an error says how it ended if not well.
func (p *Proxy) Stop() error {
	if !p.Process.Stop(60 * time.Second) {
		return fmt.Errorf("it did not end when it was asked to")
	}
	return p.Process.Err()
}

// Dial connects by TLS, with protocols for ALPN, or plainly where there are none.
func (p *Proxy) Dial(protocols ...string) (net.Conn, error) {
	if len(protocols) == 0 {
		return p.dial("tcp", p.HTTP)
	}
	connection, err := p.dial("tcp", p.HTTPS)
	if err != nil {
		return nil, err
	}
	client := tls.Client(connection, &tls.Config{
		RootCAs: p.CA, NextProtos: protocols, ServerName: "localhost",
	})
	return client, client.Handshake()
}

// RSS is its resident memory in bytes; FDs how many descriptors it has.
func (p *Proxy) RSS() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid()))
	for line := range bytes.Lines(text) {
		if value, ok := strings.CutPrefix(string(line), "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n * 1024
		}
	}
	return -1
}

func (p *Proxy) FDs() int {
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid()))
	return len(names)
}

// CPU is the processor time that it has used.
func (p *Proxy) CPU() time.Duration { return CPUOf(p.Process.Pid()) }

// CPUOf is the same of any process.
func CPUOf(pid int) time.Duration {
	const ticksPerSecond = 100 // sysconf(_SC_CLK_TCK) everywhere
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// Alive says whether it still runs.
func (p *Proxy) Alive() bool { return p.Process.Running() && syscall.Kill(p.Process.Pid(), 0) == nil }
