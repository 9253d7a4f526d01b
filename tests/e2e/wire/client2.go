package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Client2 speaks HTTP/2 by hand: one connection, streams as they are asked for.
type Client2 struct {
	net.Conn
	*http2.Framer
	Next uint32 // the next stream's number

	encoder *hpack.Encoder
	block   bytes.Buffer
	window  int // of a new stream, towards the proxy
}

// NewClient2 connects to a proxy.
func NewClient2(p *Proxy) (*Client2, error) {
	connection, err := p.Dial("h2")
	if err != nil {
		return nil, err
	}
	return NewClient2On(connection)
}

// NewClient2On takes a connection by TLS.
func NewClient2On(connection net.Conn) (*Client2, error) {
	if err := connection.(*tls.Conn).Handshake(); err != nil {
		return nil, err
	}
	if protocol := connection.(*tls.Conn).ConnectionState().NegotiatedProtocol; protocol != "h2" {
		return nil, fmt.Errorf("the proxy speaks %q", protocol)
	}
	c := &Client2{Conn: connection, Framer: http2.NewFramer(connection, connection), Next: 1, window: 65535}
	c.encoder = hpack.NewEncoder(&c.block)
	c.Framer.AllowIllegalWrites = true
	c.ReadMetaHeaders = hpack.NewDecoder(65536, nil)
	c.SetMaxReadFrameSize(1 << 20)
	if _, err := io.WriteString(connection, http2.ClientPreface); err != nil {
		return nil, err
	}
	err := c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30},
		http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	if err == nil {
		err = c.WriteWindowUpdate(0, 1<<30)
	}
	return c, err
}

// Headers opens a stream with these fields, pseudo-fields among them.
func (c *Client2) Headers(fields Fields, ends bool) (uint32, error) {
	c.block.Reset()
	for _, field := range fields {
		if err := c.encoder.WriteField(hpack.HeaderField{Name: field.Name, Value: field.Value}); err != nil {
			return 0, err
		}
	}
	stream := c.Next
	c.Next += 2
	block := c.block.Bytes()
	n := min(len(block), 16384)
	err := c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: block[:n], EndStream: ends, EndHeaders: n == len(block),
	})
	for block = block[n:]; err == nil && len(block) > 0; block = block[n:] {
		n = min(len(block), 16384)
		err = c.WriteContinuation(stream, n == len(block), block[:n])
	}
	return stream, err
}

// PseudoFields are those of a request line.
func PseudoFields(line string) Fields {
	method, rest, _ := strings.Cut(line, " ")
	return Fields{{":method", method}, {":scheme", "https"}, {":authority", "example"},
		{":path", strings.TrimSuffix(rest, " HTTP/1.1")}}
}

// Do sends a request and reads its answer.
func (c *Client2) Do(request *Message) (*Message, error) {
	if err := c.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, err
	}
	fields := PseudoFields(request.Line)
	fields = append(fields, withoutHopByHop(request.Fields).Without("Host").LowerCase()...)
	hasBody := request.Framing != ""
	stream, err := c.Headers(fields, !hasBody)
	if err != nil {
		return nil, err
	}
	sender := &sender{c: c, stream: stream, rest: request.Body, window: c.window, isOver: !hasBody}
	if err := sender.send(); err != nil {
		return nil, err
	}
	return c.read(stream, sender)
}

// sender sends a body as the stream's window lets it; the connection's is larger.
type sender struct {
	c      *Client2
	stream uint32
	rest   []byte
	window int
	isOver bool
}

func (s *sender) send() error {
	for !s.isOver {
		n := min(len(s.rest), 16384, s.window)
		if n == 0 && len(s.rest) > 0 {
			return nil
		}
		s.window -= n
		s.isOver = n == len(s.rest)
		if err := s.c.WriteData(s.stream, s.isOver, s.rest[:n]); err != nil {
			return err
		}
		s.rest = s.rest[n:]
	}
	return nil
}

func (c *Client2) read(stream uint32, sender *sender) (*Message, error) {
	answer := &Message{}
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return nil, err
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if frame.IsAck() {
				continue
			}
			if size, ok := frame.Value(http2.SettingInitialWindowSize); ok {
				sender.window += int(size) - c.window
				c.window = int(size)
			}
			err = errors.Join(c.WriteSettingsAck(), sender.send())
			if err != nil {
				return nil, err
			}
		case *http2.PingFrame:
			if err := c.WritePing(true, frame.Data); err != nil {
				return nil, err
			}
		case *http2.WindowUpdateFrame:
			if frame.StreamID == stream {
				sender.window += int(frame.Increment)
				if err := sender.send(); err != nil {
					return nil, err
				}
			}
		case *http2.GoAwayFrame:
			return nil, fmt.Errorf("GOAWAY: %s", frame.ErrCode)
		case *http2.RSTStreamFrame:
			if frame.StreamID == stream {
				answer.Broken = frame.ErrCode.String()
				return answer, nil
			}
		case *http2.MetaHeadersFrame:
			if frame.StreamID != stream {
				continue
			}
			answer.Line = "HTTP/2.0 " + frame.PseudoValue("status")
			for _, field := range frame.RegularFields() {
				answer.Fields = append(answer.Fields, Field{field.Name, field.Value})
			}
			if frame.StreamEnded() {
				return answer, nil
			}
		case *http2.DataFrame:
			if frame.StreamID != stream {
				continue
			}
			answer.Body = append(answer.Body, frame.Data()...)
			if frame.StreamEnded() {
				return answer, nil
			}
			if n := len(frame.Data()); n > 0 {
				if err := c.WriteWindowUpdate(0, uint32(n)); err != nil {
					return nil, err
				}
			}
		}
	}
}
