package wire

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
)

// Upstream takes the API server's place. Ringside's own requests are answered
// 503, so that no ring comes about; all others are noted, and answered by Answer.
type Upstream struct {
	// Answer writes the answer to a connection; false closes that.
	Answer func(request *Message, connection *Connection) bool
	// OnHead is told of each request before its body is read; may be nil.
	OnHead func(request *Message, connection *Connection)

	mutex       sync.Mutex
	noted       []*Message
	connections map[*Connection]bool
	accepted    int
	listener    net.Listener
}

// Connection is one that was made to the upstream.
type Connection struct {
	net.Conn
	Reader *bufio.Reader
	TCP    *net.TCPConn
}

// Reset closes the connection by RST.
func (c *Connection) Reset() {
	_ = c.TCP.SetLinger(0)
	_ = c.TCP.Close()
}

// Listen serves on a port of its own on address until Close; config may be nil.
func (u *Upstream) Listen(address string, config *tls.Config) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	u.listener = listener
	u.connections = map[*Connection]bool{}
	go u.accept(config)
	return nil
}

// Address is where it listens.
func (u *Upstream) Address() string { return u.listener.Addr().String() }

// Close ends all connections.
func (u *Upstream) Close() {
	u.listener.Close()
	u.CloseConnections()
}

// CloseConnections ends those that are open now.
func (u *Upstream) CloseConnections() {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	for connection := range u.connections {
		connection.Close()
	}
}

// Noted are the requests that came since it was asked last.
func (u *Upstream) Noted() []*Message {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	noted := u.noted
	u.noted = nil
	return noted
}

// Open is how many connections there are now; Accepted how many there ever were.
func (u *Upstream) Open() int {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return len(u.connections)
}

func (u *Upstream) Accepted() int {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return u.accepted
}

func (u *Upstream) accept(config *tls.Config) {
	for {
		raw, err := u.listener.Accept()
		if err != nil {
			return
		}
		connection := &Connection{Conn: raw, TCP: raw.(*net.TCPConn)}
		if config != nil {
			connection.Conn = tls.Server(raw, config)
		}
		connection.Reader = bufio.NewReader(connection)
		u.mutex.Lock()
		u.connections[connection] = true
		u.accepted++
		u.mutex.Unlock()
		go u.serve(connection)
	}
}

func (u *Upstream) serve(connection *Connection) {
	defer func() {
		connection.Close()
		u.mutex.Lock()
		delete(u.connections, connection)
		u.mutex.Unlock()
	}()
	for u.serveOne(connection) {
	}
}

func (u *Upstream) serveOne(connection *Connection) bool {
	isOwn := false
	request, err := ReadRequest(connection.Reader, func(head *Message) {
		agent, _ := head.Fields.Get("User-Agent")
		isOwn = strings.HasPrefix(agent, "ringside/")
		if _, ok := head.Fields.Get("Expect"); ok {
			fmt.Fprint(connection, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		if !isOwn && u.OnHead != nil {
			u.OnHead(head, connection)
		}
	})
	if request == nil {
		return false
	}
	if isOwn {
		_, err := fmt.Fprint(connection, "HTTP/1.1 503 Not Here\r\nContent-Length: 0\r\n\r\n")
		return err == nil
	}
	if err != nil {
		request.Broken = err.Error()
	}
	u.mutex.Lock()
	u.noted = append(u.noted, request)
	u.mutex.Unlock()
	return err == nil && u.Answer(request, connection)
}
