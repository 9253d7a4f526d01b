package wire

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Recorder stands before a server, passes on what it is asked by HTTP/1.1, and
// keeps requests and answers as they stood on the wire.
type Recorder struct {
	Server string      // its address
	Trust  *tls.Config // of the server
	Own    *tls.Config // towards clients

	listener net.Listener
	mutex    sync.Mutex
	recorded []Recorded
}

// Recorded is a request and the answer to it.
type Recorded struct{ Request, Answer *Message }

// Listen serves on a port of its own on address until Close.
func (r *Recorder) Listen(address string) (err error) {
	r.Own.NextProtos = []string{"http/1.1"}
	if r.listener, err = tls.Listen("tcp", address, r.Own); err != nil {
		return err
	}
	go func() {
		for {
			client, err := r.listener.Accept()
			if err != nil {
				return
			}
			go r.serve(client)
		}
	}()
	return nil
}

// Address is where it listens.
func (r *Recorder) Address() string { return r.listener.Addr().String() }

// Close ends it.
func (r *Recorder) Close() { r.listener.Close() }

// Take gives what was recorded since it was called last.
func (r *Recorder) Take() []Recorded {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	recorded := r.recorded
	r.recorded = nil
	return recorded
}

func (r *Recorder) serve(client net.Conn) {
	defer client.Close()
	server, err := tls.Dial("tcp", r.Server, r.Trust)
	if err != nil {
		return
	}
	defer server.Close()
	fromClient, fromServer := bufio.NewReader(client), bufio.NewReader(server)
	for r.pass(client, server, fromClient, fromServer) == nil {
	}
}

func (r *Recorder) pass(client, server net.Conn, fromClient, fromServer *bufio.Reader) error {
	request, err := ReadRequest(fromClient, func(head *Message) {
		if _, ok := head.Fields.Get("Expect"); ok {
			fmt.Fprint(client, "HTTP/1.1 100 Continue\r\n\r\n")
		}
	})
	if err != nil {
		return err
	}
	if _, err = server.Write(request.Bytes(1 << 20)); err != nil {
		return err
	}
	method, _, _ := strings.Cut(request.Line, " ")
	answer, err := ReadAnswer(fromServer, method)
	if err != nil {
		return err
	}
	r.mutex.Lock()
	r.recorded = append(r.recorded, Recorded{request, answer})
	r.mutex.Unlock()
	if _, err = client.Write(answer.Bytes(1 << 20)); err == nil && closes(answer) {
		err = net.ErrClosed
	}
	return err
}
