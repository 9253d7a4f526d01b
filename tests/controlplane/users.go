package controlplane

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Admin is the user who may do everything.
const Admin = "admin"

// User is somebody the API server knows by a bearer token.
type User struct {
	Name   string
	Groups []string

	token string
}

// Token is the bearer token of a user.
func (c *ControlPlane) Token(user string) string {
	u, ok := c.users[user]
	if !ok {
		panic("controlplane: unknown user " + user)
	}
	return u.token
}

// writeIdentities makes the token file, which API servers read once, at start,
// and the key that signs service account tokens.
func (c *ControlPlane) writeIdentities() error {
	if err := os.MkdirAll(c.options.Dir, 0o755); err != nil {
		return err
	}
	var lines strings.Builder
	admin := User{Name: Admin, Groups: []string{"system:masters"}}
	for _, user := range append([]User{admin}, c.options.Users...) {
		user.token = newToken()
		c.users[user.Name] = user
		fmt.Fprintf(&lines, "%s,%s,%s,%q\n",
			user.token, user.Name, user.Name, strings.Join(user.Groups, ","))
	}
	if err := os.WriteFile(c.tokenFile(), []byte(lines.String()), 0o600); err != nil {
		return err
	}
	return writeKey(c.serviceAccountKey())
}

func newToken() string {
	bytes := make([]byte, 20)
	_, _ = rand.Read(bytes) // never fails
	return hex.EncodeToString(bytes)
}

func writeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}

func (c *ControlPlane) tokenFile() string {
	return filepath.Join(c.options.Dir, "tokens.csv")
}

func (c *ControlPlane) serviceAccountKey() string {
	return filepath.Join(c.options.Dir, "service-account.key")
}

// Kubeconfig writes a kubeconfig with which user reaches this server, and
// returns its path.
func (s *APIServer) Kubeconfig(user string) (string, error) {
	path := filepath.Join(s.plane.options.Dir, "kubeconfigs", s.Name, user+".yaml")
	return path, WriteKubeconfig(path, s.URL, s.CAFile(), s.plane.Token(user))
}

// WriteKubeconfig writes a kubeconfig for a server, the file that holds its CA
// (empty for http) and a bearer token.
func WriteKubeconfig(path, server, caFile, token string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	ca := ""
	if caFile != "" {
		ca = "\n    certificate-authority: " + caFile
	}
	return replaceFile(path, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster:
    server: %s%s
users:
- name: test
  user:
    token: %s
contexts:
- name: test
  context:
    cluster: test
    user: test
`, server, ca, token))
}

// replaceFile writes a file that somebody may be reading: the old one, or the new.
func replaceFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(data); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
