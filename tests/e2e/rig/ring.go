package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FooResources is the ring of the sample-controller.
const FooResources = `
  - group: samplecontroller.k8s.io
    resource: foos
    owns:
      - {group: apps, resource: deployments}
`

// DeploymentResources is the ring of kube-controller-manager: Deployments, whose
// ReplicaSets own Pods: two of its controllers, in protobuf, three levels deep.
const DeploymentResources = `
  - group: apps
    resource: deployments
    owns:
      - group: apps
        resource: replicasets
        owns:
          - {group: "", resource: pods}
`

// Ring is a ring's configuration: one file, which all its members read.
type Ring struct {
	Name      string
	Namespace string // of its Leases and assignment
	Shards    int
	Resources string // the YAML under `resources:`
	Extra     string // further YAML
	// ResourcesOf is in place of Resources in the file of a member of its own: what
	// members need not agree on may differ.
	ResourcesOf map[string]string
	// Lease times; short ones, so that tests need not wait long.
	Duration, Renew, Margin time.Duration

	cluster *Cluster
	dir     string
	version int
}

// NewRing is a ring of Foos, with its namespace, its configuration file and the
// members' rights. Change its fields and call Write for another configuration.
func (c *Cluster) NewRing(ctx context.Context, name string, shards int) (*Ring, error) {
	r := &Ring{
		Name:      name,
		Namespace: name,
		Shards:    shards,
		Resources: FooResources,
		Duration:  3 * time.Second,
		Renew:     500 * time.Millisecond,
		Margin:    time.Second,
		cluster:   c,
		dir:       filepath.Join(c.Dir, "ring-"+name),
	}
	if err := r.Prepare(ctx); err != nil {
		return nil, err
	}
	return r, r.Write()
}

// Prepare makes the ring's namespace and the members' rights.
func (r *Ring) Prepare(ctx context.Context) error {
	if err := r.cluster.CreateNamespace(ctx, r.Namespace); err != nil {
		return err
	}
	return r.applyRBAC(ctx)
}

// CreateNamespace creates a namespace, unless it is there.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := c.Kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// applyRBAC gives the members' users what deploy/rbac.yaml says, no more.
func (r *Ring) applyRBAC(ctx context.Context) error {
	yaml, err := os.ReadFile(repositoryFile("deploy/rbac.yaml"))
	if err != nil {
		return err
	}
	all := string(yaml)
	for _, id := range MemberIDs {
		all += roleBinding("ringside-foos", MemberUser(id))
		all += clusterRoleBinding("ringside-foos", MemberUser(id))
	}
	return r.cluster.Apply(ctx, all, "--namespace="+r.Namespace)
}

// File is the path that members are given.
func (r *Ring) File() string { return filepath.Join(r.dir, "ring.yaml") }

// FileOf is the path that the member of that id is given.
func (r *Ring) FileOf(id string) string {
	if _, ok := r.ResourcesOf[id]; ok {
		return filepath.Join(r.dir, id+".yaml")
	}
	return r.File()
}

// SetShards changes the number of active members.
func (r *Ring) SetShards(shards int) error {
	r.Shards = shards
	return r.Write()
}

// WriteTo writes the configuration into another folder, from now on.
func (r *Ring) WriteTo(dir string) error {
	r.dir, r.version = dir, 0
	return r.Write()
}

// Write writes the configuration the way the kubelet updates a ConfigMap volume:
// ring.yaml is a link to ..data/ring.yaml, and ..data, a link to a folder, is
// replaced by a rename.
func (r *Ring) Write() error {
	r.version++
	folder := fmt.Sprintf("..version-%d", r.version)
	if err := os.MkdirAll(filepath.Join(r.dir, folder), 0o755); err != nil {
		return err
	}
	files := map[string]string{r.File(): r.YAML()}
	for id, resources := range r.ResourcesOf {
		files[r.FileOf(id)] = r.yaml(resources)
	}
	for file, yaml := range files {
		path := filepath.Join(r.dir, folder, filepath.Base(file))
		if err := os.WriteFile(path, []byte(yaml), 0o644); err != nil {
			return err
		}
	}
	temporary, data := filepath.Join(r.dir, "..data_tmp"), filepath.Join(r.dir, "..data")
	if err := os.Symlink(folder, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, data); err != nil {
		return err
	}
	for file := range files {
		if err := link(filepath.Join("..data", filepath.Base(file)), file); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(r.dir, fmt.Sprintf("..version-%d", r.version-1)))
}

// link makes a symbolic link, unless it is there.
func link(target, path string) error {
	if err := os.Symlink(target, path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// YAML is the configuration.
func (r *Ring) YAML() string { return r.yaml(r.Resources) }

func (r *Ring) yaml(resources string) string {
	return fmt.Sprintf(`ring: %s
shards: %d
namespace: %s
lease: {duration: %dms, renew: %dms, margin: %dms}
log: {level: debug}
resources:%s
%s`, r.Name, r.Shards, r.Namespace,
		r.Duration.Milliseconds(), r.Renew.Milliseconds(), r.Margin.Milliseconds(),
		strings.TrimRight(resources, "\n "), r.Extra)
}

// Label is the key of the bucket label.
func (r *Ring) Label() string { return "bucket.ringside.dev/" + r.Name }
