package controlplane

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// Lag stands between an API server and etcd and holds back what etcd says. What
// the API server tells etcd goes through at once: it writes like any other, and
// sees the world as it was.
type Lag struct {
	delay    atomic.Int64 // ns
	listener net.Listener
	etcd     string // host:port
}

// Set changes how long etcd's answers and events are held back from now on.
func (l *Lag) Set(delay time.Duration) { l.delay.Store(int64(delay)) }

// Close ends it, and with it the API server's way to etcd.
func (l *Lag) Close() { l.listener.Close() }

// StartLaggingAPIServer runs a further API server, with a Lag of 0 to begin with.
func (c *ControlPlane) StartLaggingAPIServer(ctx context.Context) (*APIServer, *Lag, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	lag := &Lag{listener: listener, etcd: strings.TrimPrefix(c.etcd.url, "http://")}
	go lag.serve()
	server, err := c.startAPIServer(ctx, "http://"+listener.Addr().String())
	if err != nil {
		lag.Close()
		return nil, nil, err
	}
	return server, lag, nil
}

func (l *Lag) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.relay(client)
	}
}

type chunk struct {
	due  time.Time
	data []byte
}

func (l *Lag) relay(client net.Conn) {
	defer client.Close()
	etcd, err := net.Dial("tcp", l.etcd)
	if err != nil {
		fmt.Fprintf(client, "HTTP/1.1 502 %v\r\n\r\n", err)
		return
	}
	defer etcd.Close()
	go func() {
		_, _ = io.Copy(etcd, client)
		etcd.Close()
	}()
	chunks := make(chan chunk, 4096)
	go func() {
		defer close(chunks)
		for {
			buffer := make([]byte, 32<<10)
			n, err := etcd.Read(buffer)
			if n > 0 {
				chunks <- chunk{time.Now().Add(time.Duration(l.delay.Load())), buffer[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for chunk := range chunks {
		time.Sleep(time.Until(chunk.due))
		if _, err := client.Write(chunk.data); err != nil {
			etcd.Close() // the reader above ends, and closes chunks
		}
	}
}
