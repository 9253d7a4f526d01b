package clients

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ringside.dev/ringside/tests/controlplane"
	"ringside.dev/ringside/tests/e2e/harness"
	"ringside.dev/ringside/tests/e2e/rig"
)

// side is one of the two ways on which the same commands are run: straight to
// the API server and through a member, each in a namespace of its own.
type side struct {
	t                     *testing.T
	ring                  *harness.Ring
	kubeconfig, namespace string
}

const fooYAML = `
apiVersion: samplecontroller.k8s.io/v1alpha1
kind: Foo
metadata: {name: one, annotations: {note: first}}
spec: {deploymentName: one, replicas: 1}
`

const configMapYAML = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: plain}, data: {key: value}}
`

const deploymentYAML = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: one
  ownerReferences:
  - {apiVersion: samplecontroller.k8s.io/v1alpha1, kind: Foo, name: one, uid: UID, controller: true}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: web, image: web}]}
`

var kubectlSteps = []struct{ stdin, command string }{
	{fooYAML, "apply -f -"},
	{fooYAML, "apply -f -"}, // unchanged
	{strings.Replace(fooYAML, "replicas: 1", "replicas: 2", 1), "apply -f -"},
	{configMapYAML, "apply -f -"},
	{deploymentYAML, "apply -f -"},
	{"", "get foos"},
	{"", "get foos -o wide"},
	{"", "get foos -o yaml"},
	{"", "get foo one -o json"},
	{"", "get foo none"},
	{"", "get deployments -o wide"},
	{"", "get deployments -o yaml"},
	{"", "get deployment one --show-labels"},
	{"", "get configmaps -o yaml"},
	{"", "get foos,deployments,configmaps -o name"},
	{"", "describe foo one"},
	{"", "patch foo one --type=merge -p {\"spec\":{\"replicas\":3}}"},
	{"", "patch foo one --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":4}]"},
	{"", "patch foo one --type=merge -p {\"spec\":{\"replicas\":11}}"}, // invalid
	{"", "patch deployment one -p {\"spec\":{\"replicas\":2}}"},
	{"", "scale deployment one --replicas=5"},
	{"", "annotate foo one note=second --overwrite"},
	{"", "label configmap plain colour=red"},
	{fooYAML, "apply --server-side --field-manager=other -f -"}, // conflicts
	{fooYAML, "apply --server-side --field-manager=other --force-conflicts -f -"},
	{configMapYAML, "apply --server-side --field-manager=other -f -"},
	{"", "get foo one -o yaml"},
	{"", "get deployment one -o yaml"},
	{"", "explain foo.spec"},
	{"", "auth can-i delete foos"},
	{"", "diff -f /nonexistent"},
	{"", "delete deployment one"},
	{"", "delete foo one"},
	{"", "delete configmap plain"},
	{"", "get foos,deployments"},
}

func TestKubectlPrintsThroughTheProxyWhatItPrintsDirectly(t *testing.T) {
	direct, proxied := kubectlSides(t, "kubectl")
	for _, step := range kubectlSteps {
		t.Run(step.command, func(t *testing.T) {
			want := direct.run(step.stdin, step.command)
			got := proxied.run(step.stdin, step.command)
			if want != got {
				t.Errorf("directly:\n%s\nthrough the proxy:\n%s", want, got)
			}
		})
	}
}

func kubectlSides(t *testing.T, name string) (direct, proxied *side) {
	ring := harness.NewRing(t, name, 1, nil)
	ring.Start("a")
	ring.WaitActive("a")
	cluster := harness.Cluster()
	// Neither is the ring's own namespace, where its ConfigMap and Leases are.
	one, two := name+"-direct", name+"-proxied"
	harness.Must(t, cluster.CreateNamespace(t.Context(), one))
	harness.Must(t, cluster.CreateNamespace(t.Context(), two))
	direct = &side{t, ring, harness.Must1(cluster.API.Kubeconfig(controlplane.Admin))(t), one}
	proxied = &side{t, ring, harness.Must1(ring.Members["a"].Kubeconfig(controlplane.Admin))(t), two}
	return direct, proxied
}

// run gives what kubectl printed, with what must differ made equal.
func (s *side) run(stdin, command string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), harness.Patience)
	defer cancel()
	if strings.Contains(stdin, "UID") {
		stdin = strings.Replace(stdin, "UID", s.fooUID(), 1)
	}
	cmd := s.command(ctx, command)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.CombinedOutput()
	s.waitLabelled()
	return s.normalise(fmt.Sprintf("%s(%v)", output, err))
}

func (s *side) command(ctx context.Context, command string) *exec.Cmd {
	args := append([]string{"--namespace", s.namespace}, strings.Fields(command)...)
	return harness.Cluster().KubectlCommand(ctx, s.kubeconfig, args...)
}

func (s *side) fooUID() string {
	foo, err := harness.Cluster().Dynamic.Resource(rig.Foos).Namespace(s.namespace).
		Get(s.t.Context(), "one", metav1.GetOptions{})
	harness.Must(s.t, err)
	return string(foo.GetUID())
}

// waitLabelled waits until the coordinator has labelled what was just created:
// the next command must not race with it.
func (s *side) waitLabelled() {
	s.t.Helper()
	cluster := harness.Cluster()
	unlabelled := metav1.ListOptions{LabelSelector: "!" + s.ring.Label()}
	harness.Eventually(s.t, "all objects are labelled", func(ctx context.Context) error {
		foos, err := cluster.Dynamic.Resource(rig.Foos).Namespace(s.namespace).List(ctx, unlabelled)
		if err != nil {
			return err
		}
		deployments, err := cluster.Dynamic.Resource(rig.Deployments).Namespace(s.namespace).
			List(ctx, unlabelled)
		if err == nil && len(foos.Items)+len(deployments.Items) > 0 {
			return fmt.Errorf("%d Foos and %d Deployments are not",
				len(foos.Items), len(deployments.Items))
		}
		return err
	})
}

var normalisations = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`kubectl[a-z]*-(direct|proxied)`), "NAMESPACE"},
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UID"},
	{regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ`), "TIME"},
	{regexp.MustCompile(`(?i)(resource ?version"?: *)"?\d+"?`), "${1}VERSION"},
	{regexp.MustCompile(`(bucket\.ringside\.dev/[^"=:]+"?[=:] ?)"?\d+"?`), "${1}BUCKET"},
	{regexp.MustCompile(`\b\d+(ms|s|m)\b`), "AGE"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

func (s *side) normalise(text string) string {
	for _, n := range normalisations {
		text = n.pattern.ReplaceAllString(text, n.replacement)
	}
	return text
}

func TestKubectlWatchShowsThroughTheProxyWhatItShowsDirectly(t *testing.T) {
	direct, proxied := kubectlSides(t, "kubectlwatch")
	var seen [2][]string
	for i, s := range []*side{direct, proxied} {
		lines := s.watch("get foos --watch --output-watch-events " +
			`-o jsonpath={.type}{"/"}{.object.metadata.name}{"/"}{.object.spec.replicas}{"\n"}`)
		s.run(fooYAML, "apply -f -")
		s.run("", "patch foo one --type=merge -p {\"spec\":{\"replicas\":3}}")
		s.run("", "patch foo one --type=merge -p {\"spec\":{\"replicas\":4}}")
		s.run("", "delete foo one")
		seen[i] = withoutLabelling(lines("DELETED"))
	}
	if !slices.Equal(seen[0], seen[1]) {
		t.Errorf("directly: %q\nthrough the proxy: %q", seen[0], seen[1])
	}
}

// watch starts a command; what it returns reads its lines up to one that starts
// with last, and ends the command.
func (s *side) watch(command string) func(last string) []string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), harness.Patience)
	cmd := s.command(ctx, command)
	cmd.WaitDelay = time.Second
	stdout := harness.Must1(cmd.StdoutPipe())(s.t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	harness.Must(s.t, cmd.Start())
	return func(last string) []string {
		defer cancel()
		var lines []string
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			lines = append(lines, s.normalise(scanner.Text()))
			if strings.HasPrefix(scanner.Text(), last) {
				return lines
			}
		}
		s.t.Fatalf("%s ended after %q: %s", command, lines, stderr.String())
		return nil
	}
}

// withoutLabelling drops the event that shows the coordinator's label on a new
// object: through the proxy, an object appears with its label.
func withoutLabelling(lines []string) []string {
	var kept []string
	for _, line := range lines {
		_, object, _ := strings.Cut(line, "/")
		if strings.HasPrefix(line, "MODIFIED") && len(kept) > 0 && strings.HasSuffix(kept[len(kept)-1], object) {
			continue
		}
		kept = append(kept, line)
	}
	return kept
}
