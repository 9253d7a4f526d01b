package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringside.dev/ringside/tests/controlplane"
)

// recording is a control plane with a recorder in front of it.
type recording struct {
	*Recorder
	plane          *controlplane.ControlPlane
	kubeconfig, ca string
	url, token     string
	random         *rand.Rand
}

func newRecording(t *testing.T, seed uint64) *recording {
	t.Helper()
	dir := t.TempDir()
	plane, err := controlplane.Start(t.Context(), controlplane.Options{Dir: dir})
	must(t, err)
	t.Cleanup(plane.Stop)
	r := &recording{plane: plane, token: plane.Token(controlplane.Admin),
		ca: filepath.Join(dir, "front.crt"), kubeconfig: filepath.Join(dir, "front.yaml"),
		random: rand.New(rand.NewPCG(seed, 3))}
	own := newAuthority(t)
	own.write(t, r.ca)
	trusted, err := os.ReadFile(plane.API.CAFile())
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(trusted)
	r.Recorder = &Recorder{
		Server: plane.API.Host(), Trust: &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}},
		Own: &tls.Config{Certificates: []tls.Certificate{*own.sign(t, "localhost", own.certificate.NotAfter)}},
	}
	must(t, r.Listen("127.0.0.1:0"))
	t.Cleanup(r.Recorder.Close)
	_, port, _ := net.SplitHostPort(r.Address())
	r.url = "https://localhost:" + port
	must(t, controlplane.WriteKubeconfig(r.kubeconfig, r.url, r.ca, r.token))
	return r
}

// TestRecordedStreamsOfRealClients has kubectl, client-go and curl ask a real API
// server for what a seed says, and keeps the bytes. Then the same requests go to
// an upstream that gives the same answers, directly and through the proxy: what
// each side sees is compared byte by byte, as in TestTransparent.
func TestRecordedStreamsOfRealClients(t *testing.T) {
	seed := seedOf(t)
	r := newRecording(t, seed)
	streams := map[string][]Recorded{}
	for name, use := range map[string]func(*testing.T, *recording){
		"kubectl": useKubectl, "client-go": useClientGo, "curl": useCurl,
	} {
		began := time.Now()
		use(t, r)
		// What is about the ring may be answered otherwise: see tests/e2e/differential.
		if streams[name] = slices.DeleteFunc(r.Take(), isSharded); len(streams[name]) < 40 {
			t.Fatalf("%s asked %d times", name, len(streams[name]))
		}
		t.Logf("%s: %d requests in %s, %s", name, len(streams[name]), time.Since(began), kinds(streams[name]))
	}
	s := newStage(t, "")
	for name, stream := range streams {
		for way, dial := range map[string]func() (net.Conn, error){"http": s.plain, "https": s.tls} {
			t.Run(name+" by "+way, func(t *testing.T) { s.replay(t, stream, dial) })
		}
		t.Run(name+" by HTTP/2", func(t *testing.T) { s.replay2(t, stream) })
	}
}

func isSharded(recorded Recorded) bool {
	return strings.Contains(recorded.Request.Line, "/deployments") || strings.Contains(recorded.Request.Line, "/foos")
}

// kinds says what there is of everything.
func kinds(stream []Recorded) string {
	count := map[string]int{}
	for _, recorded := range stream {
		method, _, _ := strings.Cut(recorded.Request.Line, " ")
		coding, _ := recorded.Answer.Fields.Get("Content-Encoding")
		kind, _ := recorded.Request.Fields.Get("Content-Type")
		for _, what := range []string{method, fmt.Sprint(recorded.Answer.Status()), coding, recorded.Answer.Framing, kind} {
			if what != "" {
				count[what]++
			}
		}
	}
	return strings.TrimPrefix(fmt.Sprint(count), "map")
}

func (r Recorded) script(i int) *script { return &script{r.Answer, 1 + (i*7919)%100_000} }

func copyOf(m *Message) *Message {
	other := *m
	other.Fields = append(Fields{}, m.Fields...)
	return &other
}

func (s *stage) replay(t *testing.T, stream []Recorded, dial func() (net.Conn, error)) {
	direct, through := &Client{Dial: s.direct}, &Client{Dial: dial}
	defer direct.Close()
	defer through.Close()
	for i, recorded := range stream {
		s.Answer = recorded.script(i).play
		want := s.one(t, direct, copyOf(recorded.Request), 30_000)
		got := s.one(t, through, copyOf(recorded.Request), 30_000)
		compare(t, fmt.Sprintf("request %d as upstream saw it", i), want.Sent, got.Sent)
		compare(t, fmt.Sprintf("answer %d as the client saw it", i), want.Got, got.Got)
		if t.Failed() {
			return
		}
	}
}

func (s *stage) replay2(t *testing.T, stream []Recorded) {
	direct := &Client{Dial: s.direct}
	defer direct.Close()
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	for i, recorded := range stream {
		s.Answer = recorded.script(i).play
		want := s.one(t, direct, copyOf(recorded.Request), 30_000)
		request := copyOf(recorded.Request)
		request.Fields = request.Fields.Without("Host")
		got := s.two(t, client, request)
		lower(want)
		lower(got)
		compare(t, fmt.Sprintf("request %d as upstream saw it", i), want.Sent, got.Sent)
		compare(t, fmt.Sprintf("answer %d as the client saw it", i), want.Got, got.Got)
		if t.Failed() {
			return
		}
	}
}

const recordedYAML = `
{apiVersion: v1, kind: ConfigMap, metadata: {name: %[1]s, labels: {app: a}}, data: {key: "%[2]s"}}
---
{apiVersion: v1, kind: Service, metadata: {name: %[1]s}, spec: {ports: [{port: 80}]}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: %[1]s}, rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
`

var recordedCommands = []string{
	"get configmaps,services,roles", "get configmap NAME -o yaml", "get configmaps -A -o wide", "describe service NAME",
	"get all", "get events --sort-by=.lastTimestamp", "api-resources", "api-versions", "version -o json",
	"annotate configmap NAME note=ü --overwrite", "label service NAME colour=red", "explain configmap.data",
	"patch configmap NAME --type=merge -p {\"data\":{\"x\":\"y\"}}", "get configmap none", "auth can-i --list",
	"patch role NAME --type=json -p [{\"op\":\"add\",\"path\":\"/rules/0/verbs/-\",\"value\":\"list\"}]",
	"get configmaps -l app!=b,app -o name", "get namespaces --chunk-size=1", "delete service NAME --ignore-not-found --wait=false",
	"get --raw /metrics", "get --raw /readyz?verbose", "get --raw /openapi/v3", "create configmap NAME-2 --from-literal=a=b",
	"create token default --duration=10m", "cluster-info", "diff -f -",
	"apply --server-side --force-conflicts -f -", "delete configmap NAME-2 --wait=false", "get secrets -o json",
}

// useKubectl runs commands in an order of the seed's.
func useKubectl(t *testing.T, r *recording) {
	for i := range 40 {
		command := recordedCommands[r.random.IntN(len(recordedCommands))]
		if i%8 == 0 {
			command = "apply -f -"
		}
		name := fmt.Sprintf("name-%d", i/8)
		ctx, cancel := context.WithTimeout(t.Context(), Patience)
		// What it says to errors is not of interest here.
		_, _ = r.plane.KubectlStdin(ctx, r.kubeconfig, fmt.Sprintf(recordedYAML, name, fmt.Sprint(i)),
			strings.Fields(strings.ReplaceAll(command, "NAME", name))...)
		cancel()
	}
}

// useCurl asks with odd options: it sends what it is told to.
func useCurl(t *testing.T, r *recording) {
	curl, err := exec.LookPath("curl")
	must(t, err)
	large := filepath.Join(t.TempDir(), "large")
	must(t, os.WriteFile(large, []byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"curl"},"data":{"a":"`+
		strings.Repeat("x", 1<<20+100_000)+`"}}`), 0o600)) // above 1 MiB curl waits for 100 Continue
	small := `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"curl-"}}`
	configMaps := "/api/v1/namespaces/default/configmaps"
	asked := [][]string{
		{configMaps, "-I"}, {configMaps + "?limit=1&limit=2&x=&=y&a+b=%20"}, {configMaps, "--compressed"},
		{configMaps + "/", "-H", "Accept: application/json;as=Table;g=meta.k8s.io;v=v1, */*"},
		{configMaps, "-H", "Content-Type: application/json", "--data-binary", "@" + large},
		{configMaps, "-H", "Content-Type: application/json", "-H", "Transfer-Encoding: chunked", "-d", small},
		{configMaps, "-H", "Content-Type: application/json", "-H", "Expect: 100-continue", "-d", small},
		{configMaps, "-H", "Content-Type: text/odd", "-d", "not JSON"}, {configMaps, "-X", "POST"},
		{configMaps + "/none", "-X", "DELETE", "-H", "X-Repeated: one", "-H", "X-Repeated: two", "-H", "X-Empty;"},
		{configMaps + "?watch=1&timeoutSeconds=1"}, {"/%61pi/v1", "--path-as-is"}, {"/openapi/v2", "--compressed"},
		{"/healthz", "-X", "OPTIONS"}, {"/api", "-X", "PUT", "-d", ""}, {"/", "-H", "Accept:"}, {"/version", "-A", ""},
		{"/api/v1/pods?fieldSelector=spec.nodeName%3D,status.phase!%3DRunning"},
		{configMaps, "-r", "0-10", "-e", "https://example/", "-H", "If-None-Match: \"x\""},
		{configMaps, "-X", "PATCH", "-H", "Content-Type: application/apply-patch+yaml", "--data-binary", "a: é"},
	}
	for range 60 {
		arguments := asked[r.random.IntN(len(asked))]
		arguments = append([]string{"-s", "-o", "/dev/null", "--max-time", "10", "--cacert", r.ca,
			"-H", "Authorization: Bearer " + r.token, r.url + arguments[0]}, arguments[1:]...)
		if output, err := exec.CommandContext(t.Context(), curl, arguments...).CombinedOutput(); err != nil {
			t.Errorf("curl %q: %v: %s", arguments, err, output)
		}
	}
}
