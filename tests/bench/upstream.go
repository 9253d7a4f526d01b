package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// upstream takes the API server's place: small objects, lists of any size, and
// watches to which events are given out in turn.
type upstream struct {
	address string
	small   []byte
	list    []byte
	mutex   sync.Mutex
	watches []chan []byte
}

func startUpstream(certificate tls.Certificate) (*upstream, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{
		address: listener.Addr().String(),
		small:   bytes.Repeat([]byte("x"), 1024),
		list:    bytes.Repeat([]byte("y"), 1<<20),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(u.small)
	})
	mux.HandleFunc("/list", u.serveList)
	mux.HandleFunc("/watch", u.serveWatch)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	server := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return u, nil
}

func (u *upstream) serveList(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("mib"))
	for range n {
		if _, err := w.Write(u.list); err != nil {
			return
		}
	}
}

func (u *upstream) serveWatch(w http.ResponseWriter, r *http.Request) {
	events := make(chan []byte, 16)
	u.mutex.Lock()
	u.watches = append(u.watches, events)
	u.mutex.Unlock()
	flusher := w.(http.Flusher)
	// nginx keeps the head to itself until something follows.
	fmt.Fprintln(w, bookmark)
	flusher.Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case event := <-events:
			if _, err := w.Write(event); err != nil {
				return
			}
			flusher.Flush()
		}
	}
}

// takeWatches gives those that were opened since it was asked last.
func (u *upstream) takeWatches() []chan []byte {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	watches := u.watches
	u.watches = nil
	return watches
}

// bookmark is the line with which a watch begins.
const bookmark = "0"

// feed sends events to the watches in turn, each with the time at which it left.
func feed(ctx context.Context, watches []chan []byte, perSecond, count int) {
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	padding := bytes.Repeat([]byte(" "), 1000)
	for i := range count {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		watches[i%len(watches)] <- fmt.Appendf(nil, "%d%s\n", time.Now().UnixNano(), padding)
	}
}
