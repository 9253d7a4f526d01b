package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/controlplane/process"
)

// Member is one running proxy.
type Member struct {
	ID      string
	Ring    *Ring
	Process *process.Process

	HTTPS string // https://127.0.0.1:port
	HTTP  string // http://127.0.0.1:port
	Admin string // http://127.0.0.1:port
	CA    string // file

	argv, env []string
}

// MemberOptions are what one member does differently from the others.
type MemberOptions struct {
	Upstream *controlplane.APIServer // nil: the first API server
	Flags    []string
	Env      []string
}

// StartMember starts a member and returns at once.
func (r *Ring) StartMember(id string, options MemberOptions) (*Member, error) {
	upstream := options.Upstream
	if upstream == nil {
		upstream = r.cluster.API
	}
	kubeconfig, err := upstream.Kubeconfig(MemberUser(id))
	if err != nil {
		return nil, err
	}
	m := &Member{ID: id, Ring: r, CA: filepath.Join(r.dir, id+"-ca.crt"), env: options.Env}
	var addresses [3]string
	for i := range addresses {
		port, err := controlplane.FreePort()
		if err != nil {
			return nil, err
		}
		addresses[i] = fmt.Sprintf("127.0.0.1:%d", port)
	}
	m.HTTPS = "https://" + addresses[0]
	m.HTTP = "http://" + addresses[1]
	m.Admin = "http://" + addresses[2]
	m.argv = append([]string{
		r.cluster.Ringside, "run", r.FileOf(id),
		"--member", id,
		"--https", addresses[0], "--http", addresses[1], "--admin", addresses[2],
		"--kubeconfig", kubeconfig,
		"--write-ca", m.CA,
		// Clients read the CA once; one that a restart replaced, they do not see.
		"--tls-keep", filepath.Join(r.dir, id+"-tls.pem"),
	}, options.Flags...)
	return m, m.Start()
}

// Start starts a member that has ended, with the same flags and addresses.
func (m *Member) Start() (err error) {
	name := fmt.Sprintf("ringside %s.%s", m.Ring.Name, m.ID)
	m.Process, err = process.Start(name, filepath.Join(m.Ring.dir, m.ID+".log"), m.env, m.argv...)
	return err
}

// Kubeconfig writes a kubeconfig with which user reaches the API server through
// this member, by TLS. The member must have written its CA.
func (m *Member) Kubeconfig(user string) (string, error) {
	path := filepath.Join(m.Ring.dir, fmt.Sprintf("%s-%s.yaml", m.ID, user))
	token := m.Ring.cluster.Token(user)
	return path, controlplane.WriteKubeconfig(path, m.HTTPS, m.CA, token)
}

// Clients are user's clients through this member.
func (m *Member) Clients(user string) (*Clients, error) {
	kubeconfig, err := m.Kubeconfig(user)
	if err != nil {
		return nil, err
	}
	return NewClients(kubeconfig)
}

// StartSampleController runs the unmodified sample-controller behind the member.
func (m *Member) StartSampleController() (*process.Process, error) {
	kubeconfig, err := m.Kubeconfig(ControllerUser(m.ID))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("sample-controller %s.%s", m.Ring.Name, m.ID)
	log := filepath.Join(m.Ring.dir, m.ID+"-controller.log")
	return process.Start(name, log, nil,
		m.Ring.cluster.Binary("sample-controller"), "-kubeconfig", kubeconfig)
}

// Status is what a member says of itself and the ring at /ring.
type Status struct {
	Ring        string           `json:"ring"`
	Member      string           `json:"member"`
	Identity    string           `json:"identity"`
	State       string           `json:"state"` // active, standby, waiting, not-ready, right-lost, leaving
	Reason      string           `json:"reason"`
	Epoch       int64            `json:"epoch"`
	Coordinator string           `json:"coordinator"`
	Controller  string           `json:"controller"` // alive, or what is wrong with it
	Buckets     int              `json:"buckets"`
	Owned       string           `json:"owned"`
	OwnedCount  int              `json:"owned_count"`
	RightMS     int64            `json:"right_ms"`
	Members     []PeerStatus     `json:"members"`
	Locks       []LockStatus     `json:"locks"`
	Resources   []ResourceStatus `json:"resources"`
}

// LockStatus is a real lock, as the member knows it.
type LockStatus struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Holder    string `json:"holder"`
	State     string `json:"state"` // held, foreign, free, unknown
}

// PeerStatus is a member as another one sees it.
type PeerStatus struct {
	Identity string `json:"identity"`
	State    string `json:"state"` // alive, silent, ended, released
	Active   bool   `json:"active"`
	Buckets  int    `json:"buckets"`
}

// ResourceStatus is a sharded resource at one member.
type ResourceStatus struct {
	Resource string `json:"resource"`
	Role     string `json:"role"`
	Floor    string `json:"floor"`
	State    string `json:"state"` // serving, changing, held
	View     string `json:"view"`  // the buckets that clients are shown
	Sessions int    `json:"sessions"`
}

// OwnedBuckets parses Owned.
func (s *Status) OwnedBuckets() (Buckets, error) { return ParseBuckets(s.Owned) }

// Status asks /ring.
func (m *Member) Status(ctx context.Context) (*Status, error) {
	body, err := m.AdminGet(ctx, "/ring")
	if err != nil {
		return nil, err
	}
	status := &Status{}
	if err := json.Unmarshal(body, status); err != nil {
		return nil, fmt.Errorf("/ring of %s: %w: %s", m.ID, err, body)
	}
	return status, nil
}

// Ready says whether /readyz answers 200, and why not.
func (m *Member) Ready(ctx context.Context) error {
	_, err := m.AdminGet(ctx, "/readyz")
	return err
}

// AdminGet reads a page of the admin port. Anything but 200 is an error.
func (m *Member) AdminGet(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Admin+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s of %s: %s: %s", path, m.ID, response.Status, body)
	}
	return body, err
}
