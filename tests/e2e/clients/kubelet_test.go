package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/apimachinery/pkg/util/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"

	"ringside.dev/ringside/tests/e2e/harness"
)

// kubelet stands where a node's kubelet does, as far as its streams go: what is
// run in a container runs on this machine, what is forwarded to a Pod's port goes
// to a port of this machine.
type kubelet struct {
	*httptest.Server

	mutex sync.Mutex
	asked map[string]int // how often, by what
}

func startKubelet(t *testing.T) *kubelet {
	k := &kubelet{asked: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/", k.noting("exec", k.exec))
	mux.HandleFunc("/attach/", k.noting("attach", k.attach))
	mux.HandleFunc("/portForward/", k.noting("portForward", k.forward))
	mux.HandleFunc("/containerLogs/", k.noting("logs", k.logs))
	k.Server = httptest.NewTLSServer(mux)
	t.Cleanup(k.CloseClientConnections)
	return k
}

func (k *kubelet) noting(what string, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		k.mutex.Lock()
		k.asked[what]++
		k.mutex.Unlock()
		handler(w, r)
	}
}

func (k *kubelet) count(what string) int {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.asked[what]
}

// addPod makes a node of this kubelet, and a Pod that runs on it.
func (k *kubelet) addPod(t *testing.T, namespace, name string) {
	t.Helper()
	kube := harness.Cluster().Kube
	host, text, err := net.SplitHostPort(k.Listener.Addr().String())
	harness.Must(t, err)
	port, err := strconv.Atoi(text)
	harness.Must(t, err)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-" + namespace}}
	node, err = kube.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{})
	harness.Must(t, err)
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: host}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(port)
	_, err = kube.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{})
	harness.Must(t, err)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: corev1.PodSpec{NodeName: node.Name,
			Containers: []corev1.Container{{Name: "shell", Image: "shell", Stdin: true}}},
	}
	pod, err = kube.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	harness.Must(t, err)
	pod.Status.Phase = corev1.PodRunning
	_, err = kube.CoreV1().Pods(namespace).UpdateStatus(t.Context(), pod, metav1.UpdateOptions{})
	harness.Must(t, err)
	t.Cleanup(func() {
		ctx, now := context.Background(), metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
		_ = kube.CoreV1().Pods(namespace).Delete(ctx, name, now)
		_ = kube.CoreV1().Nodes().Delete(ctx, node.Name, now)
	})
}

// streams takes those that a remote command has, by their type.
func streams(w http.ResponseWriter, r *http.Request) (httpstream.Connection, map[string]httpstream.Stream) {
	want := map[string]bool{corev1.StreamTypeError: true}
	for parameter, name := range map[string]string{"input": corev1.StreamTypeStdin,
		"output": corev1.StreamTypeStdout, "error": corev1.StreamTypeStderr} {
		if r.URL.Query().Get(parameter) == "1" {
			want[name] = true
		}
	}
	if _, err := httpstream.Handshake(r, w, []string{remotecommand.StreamProtocolV4Name}); err != nil {
		return nil, nil
	}
	arrived := make(chan httpstream.Stream, 8)
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		arrived <- s
		return nil
	})
	if connection == nil {
		return nil, nil
	}
	have := map[string]httpstream.Stream{}
	deadline := time.After(harness.Patience)
	for len(have) < len(want) {
		select {
		case stream := <-arrived:
			have[stream.Headers().Get(corev1.StreamType)] = stream
		case <-deadline:
			connection.Close()
			return nil, nil
		}
	}
	return connection, have
}

func (k *kubelet) exec(w http.ResponseWriter, r *http.Request) {
	connection, have := streams(w, r)
	if connection == nil {
		return
	}
	defer connection.Close()
	argv := r.URL.Query()["command"]
	command := exec.Command(argv[0], argv[1:]...)
	if stdin := have[corev1.StreamTypeStdin]; stdin != nil {
		// Not as Stdin: Wait would wait for the client to end it.
		pipe, _ := command.StdinPipe()
		go func() {
			_, _ = io.Copy(pipe, stdin)
			pipe.Close()
		}()
	}
	if stdout := have[corev1.StreamTypeStdout]; stdout != nil {
		command.Stdout = stdout
	}
	if stderr := have[corev1.StreamTypeStderr]; stderr != nil {
		command.Stderr = stderr
	}
	status := metav1.Status{Status: metav1.StatusSuccess}
	var exit *exec.ExitError
	if err := command.Run(); errors.As(err, &exit) {
		status = metav1.Status{Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Message: err.Error(), Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{
				Type: remotecommand.ExitCodeCauseType, Message: fmt.Sprint(exit.ExitCode())}}}}
	} else if err != nil {
		status = metav1.Status{Status: metav1.StatusFailure, Message: err.Error()}
	}
	_ = json.NewEncoder(have[corev1.StreamTypeError]).Encode(status)
}

// attach is to a process that says what it is told.
func (k *kubelet) attach(w http.ResponseWriter, r *http.Request) {
	connection, have := streams(w, r)
	if connection == nil {
		return
	}
	defer connection.Close()
	_, _ = io.Copy(have[corev1.StreamTypeStdout], have[corev1.StreamTypeStdin])
	_ = json.NewEncoder(have[corev1.StreamTypeError]).Encode(metav1.Status{Status: metav1.StatusSuccess})
}

func (k *kubelet) forward(w http.ResponseWriter, r *http.Request) {
	if _, err := httpstream.Handshake(r, w, []string{portforward.PortForwardV1Name}); err != nil {
		return
	}
	var complaints sync.Map // streams, by the request that they belong to
	connection := spdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, replySent <-chan struct{}) error {
		id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
		if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
			complaints.Store(id, s)
			return nil
		}
		go func() {
			forwardTo(s.Headers().Get(corev1.PortHeader), s, replySent)
			if complaint, ok := complaints.LoadAndDelete(id); ok {
				complaint.(httpstream.Stream).Close()
			}
		}()
		return nil
	})
	if connection != nil {
		<-connection.CloseChan()
	}
}

func forwardTo(port string, stream httpstream.Stream, replySent <-chan struct{}) {
	<-replySent
	defer stream.Close()
	backend, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return
	}
	defer backend.Close()
	back := make(chan bool)
	go func() {
		_, _ = io.Copy(stream, backend)
		stream.Close()
		close(back)
	}()
	_, _ = io.Copy(backend, stream)
	_ = backend.(*net.TCPConn).CloseWrite()
	<-back
}

// logs are lines that come one by one, as long as somebody follows them.
func (k *kubelet) logs(w http.ResponseWriter, r *http.Request) {
	for i := 0; r.Context().Err() == nil && i < 5; i++ {
		fmt.Fprintf(w, "line %d %s\n", i, strings.Repeat(".", i*1000))
		w.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}
