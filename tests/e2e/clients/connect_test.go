package clients

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ringside.dev/ringside/tests/e2e/harness"
)

// protocols are the two that kubectl can speak: SPDY goes by an upgrade of its own,
// or, as WebSocket's messages, by another.
var protocols = map[string][]string{
	"WebSocket": {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true", "KUBECTL_PORT_FORWARD_WEBSOCKETS=true"},
	"SPDY":      {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "KUBECTL_PORT_FORWARD_WEBSOCKETS=false"},
}

// TestExecAttachPortForwardAndCopyAreTunnelled lets kubectl do what needs a
// connection to a Pod, directly and through a member, before a stub kubelet.
func TestExecAttachPortForwardAndCopyAreTunnelled(t *testing.T) {
	direct, proxied := kubectlSides(t, "connect")
	kubelet := startKubelet(t)
	kubelet.addPod(t, direct.namespace, "pod")
	proxied.namespace = direct.namespace
	for name, environment := range protocols {
		t.Run(name, func(t *testing.T) {
			for what, test := range map[string]func(*testing.T, *shell){
				"exec": execs, "attach": attaches, "copy": copies, "forward": forwards,
			} {
				t.Run(what, func(t *testing.T) {
					before := proxied.tunnels()
					test(t, &shell{proxied, environment})
					if proxied.tunnels() == before {
						t.Error("nothing was tunnelled")
					}
				})
			}
			t.Run("as directly", func(t *testing.T) {
				for _, command := range []string{"exec pod -- sh -c echo\x00out;echo\x00err>&2;exit\x003",
					"exec pod -- none", "exec none -- true", "attach none", "cp none:/x /dev/null", "logs -f pod"} {
					want, wantErr := (&shell{direct, environment}).run(t, nil, command)
					got, gotErr := (&shell{proxied, environment}).run(t, nil, command)
					if want != got || fmt.Sprint(wantErr) != fmt.Sprint(gotErr) {
						t.Errorf("%q: directly %q, %v; through the proxy %q, %v", command, want, wantErr, got, gotErr)
					}
				}
			})
		})
	}
	for _, what := range []string{"exec", "attach", "portForward", "logs"} {
		if kubelet.count(what) == 0 {
			t.Errorf("the kubelet was never asked for %s", what)
		}
	}
}

func (s *side) tunnels() int {
	return s.ring.Members["a"].Metric(`ringside_requests_total{result="tunnelled"}`)
}

// shell runs kubectl on a side by one of the protocols.
type shell struct {
	side        *side
	environment []string
}

// command splits at spaces; \x00 stands for one inside of an argument.
func (s *shell) command(ctx context.Context, text string) *exec.Cmd {
	args := []string{"--namespace", s.side.namespace}
	for _, arg := range strings.Fields(text) {
		args = append(args, strings.ReplaceAll(arg, "\x00", " "))
	}
	command := harness.Cluster().KubectlCommand(ctx, s.side.kubeconfig, args...)
	command.Env = append(command.Env, s.environment...)
	return command
}

func (s *shell) run(t *testing.T, stdin []byte, text string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	command := s.command(ctx, text)
	command.Stdin = bytes.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	return stdout.String() + "|" + stderr.String(), err
}

func blob(size int) []byte {
	bytes, random := make([]byte, size), rand.NewChaCha8([32]byte{byte(size)})
	_, _ = random.Read(bytes)
	return bytes
}

func execs(t *testing.T, s *shell) {
	output, err := s.run(t, nil, "exec pod -- sh -c echo\x00out;echo\x00err>&2;exit\x003")
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 3 || !strings.HasPrefix(output, "out\n|err\n") {
		t.Errorf("%q, %v", output, err)
	}
	// Both ways at once, and the end of one before that of the other.
	in := blob(3 << 20)
	output, err = s.run(t, in, "exec -i pod -- sh -c cat;echo\x00over")
	if err != nil || output != string(in)+"over\n|" {
		t.Errorf("%d bytes came back as %d: %v", len(in), len(output), err)
	}
}

func attaches(t *testing.T, s *shell) {
	in := blob(100_000)
	output, err := s.run(t, in, "attach -q -i pod")
	if err != nil || !strings.HasPrefix(output, string(in)) {
		t.Errorf("%d bytes came back as %d: %v", len(in), len(output), err)
	}
}

func copies(t *testing.T, s *shell) {
	dir, want := t.TempDir(), blob(2<<20)
	harness.Must(t, os.WriteFile(filepath.Join(dir, "here"), want, 0o600))
	for _, command := range []string{
		fmt.Sprintf("cp %s/here pod:%s/there", dir, dir), fmt.Sprintf("cp pod:%s/there %s/back", dir, dir),
	} {
		if output, err := s.run(t, nil, command); err != nil {
			t.Errorf("%s: %s: %v", command, output, err)
		}
	}
	for _, name := range []string{"there", "back"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(want, got) {
			t.Errorf("%s has %d bytes: %v", name, len(got), err)
		}
	}
}

// forwards has clients that end their half first, and read the answer then.
func forwards(t *testing.T, s *shell) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	harness.Must(t, err)
	defer backend.Close()
	go func() {
		for {
			connection, err := backend.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	_, port, _ := net.SplitHostPort(backend.Addr().String())
	command := s.command(ctx, "port-forward pod :"+port)
	stdout, err := command.StdoutPipe()
	harness.Must(t, err)
	harness.Must(t, command.Start())
	defer func() { _ = command.Wait() }()
	defer cancel()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	harness.Must(t, err)
	var local int
	if _, err := fmt.Sscanf(line, "Forwarding from 127.0.0.1:%d", &local); err != nil {
		t.Fatalf("it said %q", line)
	}
	var group sync.WaitGroup
	for i := range 5 {
		group.Go(func() {
			if err := echoed(fmt.Sprintf("127.0.0.1:%d", local), blob(100_000+i)); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if ctx.Err() != nil {
		t.Error("they ended when kubectl did")
	}
}

func echoed(address string, want []byte) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		_, _ = connection.Write(want)
		_ = connection.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(connection)
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("%d bytes came back as %d", len(want), len(got))
	}
	return err
}
