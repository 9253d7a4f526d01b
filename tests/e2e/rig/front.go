package rig

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"ringside.dev/ringside/tests/controlplane"
)

// Front stands before an API server and lets it fail: every request is shown to a
// Fault first, which may answer it, or delay it and let it pass.
type Front struct {
	server *httptest.Server
	dir    string
	plane  *Cluster
	fault  atomic.Pointer[Fault]
}

// Clients break off; that is no news.
var silence = log.New(io.Discard, "", 0)

// Fault says whether it has answered the request.
type Fault func(http.ResponseWriter, *http.Request) bool

// StartFront starts a front before the first API server.
func (c *Cluster) StartFront(name string) (*Front, error) { return c.StartSplitFront(name, c.API) }

// StartSplitFront starts a front before two API servers, as behind a load balancer:
// what members ask for themselves goes to the first one, all else to the other one.
func (c *Cluster) StartSplitFront(name string, other *controlplane.APIServer) (*Front, error) {
	own, err := reverseProxy(c.API)
	if err != nil {
		return nil, err
	}
	others, err := reverseProxy(other)
	if err != nil {
		return nil, err
	}
	f := &Front{dir: filepath.Join(c.Dir, "front-"+name), plane: c}
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fault := f.fault.Load(); fault != nil && (*fault)(w, r) {
			return
		}
		if IsOwn(r) {
			own.ServeHTTP(w, r)
		} else {
			others.ServeHTTP(w, r)
		}
	}))
	f.server.Config.ErrorLog = silence
	f.server.StartTLS()
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, err
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.server.Certificate().Raw})
	return f, os.WriteFile(f.ca(), ca, 0o644)
}

// IsOwn says whether a member asks for itself, not for a client.
func IsOwn(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "ringside/") }

func reverseProxy(server *controlplane.APIServer) (http.Handler, error) {
	target, err := url.Parse(server.URL)
	if err != nil {
		return nil, err
	}
	client, err := server.HTTPClient()
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = client.Transport
	proxy.FlushInterval = -1 // watches
	proxy.ErrorLog = silence
	return proxy, nil
}

func (f *Front) ca() string { return filepath.Join(f.dir, "ca.crt") }

// Set replaces the fault; nil lets everything pass.
func (f *Front) Set(fault Fault) {
	if fault == nil {
		f.fault.Store(nil)
	} else {
		f.fault.Store(&fault)
	}
}

// Kubeconfig writes a kubeconfig with which user reaches the API server this way.
func (f *Front) Kubeconfig(user string) (string, error) {
	path := filepath.Join(f.dir, user+".yaml")
	return path, controlplane.WriteKubeconfig(path, f.server.URL, f.ca(), f.plane.Token(user))
}

// Close ends it, and what is under way through it.
func (f *Front) Close() {
	f.server.CloseClientConnections()
	f.server.Close()
}

// TooManyRequests is how flow control of the API server refuses.
func TooManyRequests(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", fmt.Sprint(seconds))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusTooManyRequests)
	fmt.Fprintln(w, "Too many requests, please try again later.")
}
