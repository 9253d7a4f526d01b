package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ringside.dev/ringside/tests/controlplane/process"
)

// APIServer is one kube-apiserver. It can be ended and started again: it comes
// back with the same address, certificate and audit log.
type APIServer struct {
	Name string
	URL  string

	etcd    string // URL
	port    int
	plane   *ControlPlane
	process *process.Process
}

// Pid is that of its process.
func (s *APIServer) Pid() int { return s.process.Pid() }

// StartAPIServer runs a further API server on the same etcd, as in a control
// plane of more than one machine.
func (c *ControlPlane) StartAPIServer(ctx context.Context) (*APIServer, error) {
	return c.startAPIServer(ctx, c.etcd.url)
}

func (c *ControlPlane) startAPIServer(ctx context.Context, etcd string) (*APIServer, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	c.mutex.Lock()
	s := &APIServer{
		Name:  fmt.Sprintf("kube-apiserver-%d", len(c.servers)),
		URL:   "https://" + loopback(port),
		etcd:  etcd,
		port:  port,
		plane: c,
	}
	c.mutex.Unlock()
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.servers = append(c.servers, s)
	return s, nil
}

// Start runs a server that was killed, and returns when it is ready.
func (s *APIServer) Start(ctx context.Context) error {
	argv, err := s.flags()
	if err != nil {
		return err
	}
	s.process, err = process.Start(s.Name, s.plane.logFile(s.Name), nil, argv...)
	if err != nil {
		return err
	}
	if err := waitReady(ctx, s.process, s.ready); err != nil {
		s.process.Kill()
		return err
	}
	return nil
}

func (s *APIServer) flags() ([]string, error) {
	c := s.plane
	policy := filepath.Join(c.options.Dir, "audit-policy.yaml")
	// Metadata says who did what to which object and with what result. Bodies
	// would make the log hundreds of times larger; but what is written to
	// ConfigMaps and Leases is how the members of a ring come to terms.
	err := os.WriteFile(policy, []byte(`apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: RequestResponse
  verbs: [create, update, patch]
  resources:
  - {group: "", resources: [configmaps]}
  - {group: coordination.k8s.io, resources: [leases]}
`+c.options.auditRules()+`- level: Metadata
`), 0o644)
	return append([]string{
		c.Binary("kube-apiserver"),
		"--etcd-servers=" + s.etcd,
		fmt.Sprintf("--secure-port=%d", s.port),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // refuses a loopback address
		"--cert-dir=" + s.certDir(),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--token-auth-file=" + c.tokenFile(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.serviceAccountKey(),
		"--service-account-signing-key-file=" + c.serviceAccountKey(),
		"--disable-admission-plugins=ServiceAccount",
		"--audit-policy-file=" + policy,
		"--audit-log-path=" + s.auditLog(),
		"--audit-log-mode=blocking", // so that it is complete when an answer is sent
		"--profiling=false",
	}, c.options.APIServerFlags...), err
}

func (o *Options) auditRules() string {
	rules := ""
	for _, name := range o.AuditBodies {
		resource, group, _ := strings.Cut(name, ".")
		rules += fmt.Sprintf(`- level: Request
  verbs: [create, update, patch]
  resources: [{group: "%s", resources: ["%s", "%s/*"]}]
`, group, resource, resource)
	}
	return rules
}

// Kill ends the server at once, as a crash does.
func (s *APIServer) Kill() {
	if s.process != nil {
		s.process.Kill()
	}
}

// Process gives access to signals.
func (s *APIServer) Process() *process.Process { return s.process }

// CAFile holds the certificate that clients trust.
func (s *APIServer) CAFile() string { return filepath.Join(s.certDir(), "apiserver.crt") }

func (s *APIServer) certDir() string { return filepath.Join(s.plane.options.Dir, s.Name) }

func (s *APIServer) auditLog() string {
	return filepath.Join(s.plane.options.Dir, s.Name+"-audit.log")
}

// ready asks /readyz, which includes that RBAC's built-in roles exist.
func (s *APIServer) ready(ctx context.Context) error {
	client, err := s.HTTPClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.plane.Token(Admin))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz: %s", response.Status)
	}
	return nil
}

// HTTPClient is a plain client that trusts this server.
func (s *APIServer) HTTPClient() (*http.Client, error) { return TrustingClient(s.CAFile()) }

// TrustingClient is a plain HTTP client that trusts the CA in the PEM file.
func TrustingClient(caFile string) (*http.Client, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate", caFile)
	}
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}, nil
}

// Host is the server's address without a scheme.
func (s *APIServer) Host() string { return strings.TrimPrefix(s.URL, "https://") }
