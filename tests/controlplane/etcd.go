package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"

	"ringside.dev/ringside/tests/controlplane/process"
)

type etcd struct {
	process *process.Process
	url     string
}

func startEtcd(ctx context.Context, binary, dir string) (*etcd, error) {
	client, err := FreePort()
	if err != nil {
		return nil, err
	}
	peer, err := FreePort()
	if err != nil {
		return nil, err
	}
	clientURL, peerURL := "http://"+loopback(client), "http://"+loopback(peer)
	p, err := process.Start("etcd", filepath.Join(dir, "logs", "etcd.log"), nil, binary,
		"--name=test",
		"--data-dir="+filepath.Join(dir, "etcd"),
		"--listen-client-urls="+clientURL,
		"--advertise-client-urls="+clientURL,
		"--listen-peer-urls="+peerURL,
		"--initial-advertise-peer-urls="+peerURL,
		"--initial-cluster=test="+peerURL,
		"--unsafe-no-fsync", // what a test stores need not survive the machine
		"--log-level=warn",
	)
	if err != nil {
		return nil, err
	}
	e := &etcd{process: p, url: clientURL}
	err = waitReady(ctx, p, func(ctx context.Context) error {
		_, err := e.revision(ctx)
		return err
	})
	if err != nil {
		p.Kill()
		return nil, err
	}
	return e, nil
}

func (e *etcd) revision(ctx context.Context) (int64, error) {
	var answer struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	// Keys of the API server start with /registry; any read tells the revision.
	if err := e.post(ctx, "/v3/kv/range", map[string]any{"key": "AA=="}, &answer); err != nil {
		return 0, err
	}
	return strconv.ParseInt(answer.Header.Revision, 10, 64)
}

func (e *etcd) compact(ctx context.Context, revision int64) error {
	return e.post(ctx, "/v3/kv/compaction", map[string]any{
		"revision": strconv.FormatInt(revision, 10),
		"physical": true,
	}, nil)
}

// post calls etcd's JSON gateway, so that no client library is needed.
func (e *etcd) post(ctx context.Context, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("etcd %s: %s: %s", path, response.Status, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}
