package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kubectl runs kubectl with a kubeconfig and returns what it printed.
func (c *ControlPlane) Kubectl(ctx context.Context, kubeconfig string, args ...string) (string, error) {
	return c.KubectlStdin(ctx, kubeconfig, "", args...)
}

// KubectlStdin is Kubectl with something to read, for `apply -f -`.
func (c *ControlPlane) KubectlStdin(ctx context.Context, kubeconfig, stdin string,
	args ...string) (string, error) {
	cmd := c.KubectlCommand(ctx, kubeconfig, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w: %s",
			strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// KubectlCommand is kubectl, ready to start, with a cache of its own: what the
// developer's kubectl remembers of other clusters must not matter.
func (c *ControlPlane) KubectlCommand(ctx context.Context, kubeconfig string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Binary("kubectl"), args...)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+kubeconfig,
		"KUBECACHEDIR="+filepath.Join(c.options.Dir, "kubectl-cache"),
		"KUBERC=off")
	return cmd
}

// Apply applies YAML as the administrator.
func (c *ControlPlane) Apply(ctx context.Context, yaml string, args ...string) error {
	kubeconfig, err := c.API.Kubeconfig(Admin)
	if err != nil {
		return err
	}
	args = append([]string{"apply", "-f", "-"}, args...)
	_, err = c.KubectlStdin(ctx, kubeconfig, yaml, args...)
	return err
}
