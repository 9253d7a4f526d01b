package wire

import (
	"bufio"
	"net"
	"strings"
	"time"
)

// Patience is how long a client waits for bytes.
const Patience = 20 * time.Second

// Client speaks HTTP/1.1 by hand, one request after the other, on connections
// that it makes as it needs them.
type Client struct {
	Dial     func() (net.Conn, error)
	Patience time.Duration // 0: that of all

	connection net.Conn
	reader     *bufio.Reader
}

// Close ends the connection, if there is one.
func (c *Client) Close() {
	if c.connection != nil {
		c.connection.Close()
	}
	c.connection = nil
}

// Do sends a request, with Host, and reads the answer.
func (c *Client) Do(request *Message, chunk int) (*Message, error) {
	if c.connection == nil {
		connection, err := c.Dial()
		if err != nil {
			return nil, err
		}
		c.connection, c.reader = connection, bufio.NewReader(connection)
	}
	patience := c.Patience
	if patience == 0 {
		patience = Patience
	}
	if err := c.connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	// In the background: an answer may come, and have to be read, before that.
	go func(connection net.Conn) { _, _ = connection.Write(request.Bytes(chunk)) }(c.connection)
	method, _, _ := strings.Cut(request.Line, " ")
	answer, err := ReadAnswer(c.reader, method)
	if err != nil || answer.Framing == "close" || answer.Broken != "" || closes(answer) {
		c.Close()
	}
	return answer, err
}

func closes(m *Message) bool {
	value, _ := m.Fields.Get("Connection")
	return strings.EqualFold(value, "close")
}
