// Package rig assembles what the end-to-end tests and the demo run: a control
// plane, rings of Ringside members, and unmodified controllers behind them.
// It knows nothing of testing.
package rig

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"ringside.dev/ringside/tests/controlplane"
)

//go:embed manifests/crd.yaml
var fooCRD string

//go:embed manifests/sample-controller-rbac.yaml
var sampleControllerRBAC string

// MemberIDs are the ids that members may have: each has a user of its own for
// the member ("member-a") and for the controller behind it ("controller-a").
var MemberIDs = []string{"a", "b", "c", "d", "e", "f"}

// Nobody is a user without any rights.
const Nobody = "nobody"

// MemberUser is the user as whom the member of that id acts for itself.
func MemberUser(id string) string { return "member-" + id }

// ControllerUser is the user of the controller behind the member of that id.
func ControllerUser(id string) string { return "controller-" + id }

// Cluster is a control plane that knows Foos, with an administrator's clients.
type Cluster struct {
	*controlplane.ControlPlane
	*Clients

	Dir      string
	Ringside string // the binary
}

// Clients are the usual clients of one user at one address.
type Clients struct {
	Config   *rest.Config
	Kube     *kubernetes.Clientset
	Dynamic  *dynamic.DynamicClient
	Metadata metadata.Interface
}

// StartCluster starts a control plane in dir and installs the Foo CRD and the
// roles of the sample-controller.
func StartCluster(ctx context.Context, dir string) (*Cluster, error) {
	return StartClusterWith(ctx, dir, nil)
}

// StartClusterWith is StartCluster with another control plane, unless change is nil.
func StartClusterWith(ctx context.Context, dir string, change func(*controlplane.Options)) (*Cluster, error) {
	binary, err := findRingside()
	if err != nil {
		return nil, err
	}
	users := []controlplane.User{{Name: Nobody}}
	for _, id := range MemberIDs {
		users = append(users, controlplane.User{Name: MemberUser(id)},
			controlplane.User{Name: ControllerUser(id)})
	}
	options := controlplane.Options{Dir: dir, Users: users}
	if change != nil {
		change(&options)
	}
	plane, err := controlplane.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	c := &Cluster{ControlPlane: plane, Dir: dir, Ringside: binary}
	if err := c.install(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) install(ctx context.Context) error {
	kubeconfig, err := c.API.Kubeconfig(controlplane.Admin)
	if err != nil {
		return err
	}
	if c.Clients, err = NewClients(kubeconfig); err != nil {
		return err
	}
	if err := c.Apply(ctx, fooCRD); err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, kubeconfig, "wait", "--for=condition=Established",
		"crd/foos.samplecontroller.k8s.io")
	if err != nil {
		return err
	}
	return c.applyControllerRBAC(ctx)
}

func (c *Cluster) applyControllerRBAC(ctx context.Context) error {
	yaml := sampleControllerRBAC
	for _, id := range MemberIDs {
		yaml += clusterRoleBinding("sample-controller", ControllerUser(id))
	}
	return c.Apply(ctx, yaml)
}

func clusterRoleBinding(role, user string) string {
	return fmt.Sprintf(`
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: %[1]s-%[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, role, user)
}

func roleBinding(role, user string) string {
	return fmt.Sprintf(`
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %[1]s-%[2]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[2]s}]
`, role, user)
}

// NewClients reads a kubeconfig. The clients have no rate limit of their own.
func NewClients(kubeconfig string) (*Clients, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	c := &Clients{Config: config}
	if c.Kube, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if c.Dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	c.Metadata, err = metadata.NewForConfig(config)
	return c, err
}

// findRingside takes $RINGSIDE, or the sanitized build in this work tree.
func findRingside() (string, error) {
	path := os.Getenv("RINGSIDE")
	if path == "" {
		path = repositoryFile("build/sanitize/ringside")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the proxy is not built (RINGSIDE=%s): %w", path, err)
	}
	return path, nil
}

// repositoryFile is the path of a file given relative to the repository's root.
func repositoryFile(name string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../..", name)
}
