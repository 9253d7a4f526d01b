// Package wire looks at the bytes on both sides of a proxy: clients that speak
// HTTP by hand before it, and behind it an upstream that notes what it is sent
// and answers what it was told to. It needs no Kubernetes.
package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Field is a header field as it stands on the wire.
type Field struct{ Name, Value string }

// Fields keeps the order, the repetitions and the case of names.
type Fields []Field

// Get is the first value of a name.
func (f Fields) Get(name string) (string, bool) {
	for _, field := range f {
		if strings.EqualFold(field.Name, name) {
			return field.Value, true
		}
	}
	return "", false
}

// Without leaves out the fields of some names.
func (f Fields) Without(names ...string) Fields {
	var kept Fields
next:
	for _, field := range f {
		for _, name := range names {
			if strings.EqualFold(field.Name, name) {
				continue next
			}
		}
		kept = append(kept, field)
	}
	return kept
}

// LowerCase is how HTTP/2 writes names.
func (f Fields) LowerCase() Fields {
	lower := Fields{}
	for _, field := range f {
		lower = append(lower, Field{strings.ToLower(field.Name), field.Value})
	}
	return lower
}

// Message is a request or an answer.
type Message struct {
	Line     string // the first one, without its end
	Fields   Fields
	Body     []byte
	Framing  string // "", length, chunked, close
	Trailers Fields
	Before   []string // the first lines of 1xx answers that came before
	Broken   string   // how the body ended, if not well
}

// Status is an answer's.
func (m *Message) Status() int {
	if len(m.Line) < 12 {
		return 0
	}
	status, _ := strconv.Atoi(m.Line[9:12])
	return status
}

// Head is the message's head, as bytes.
func (m *Message) Head() []byte {
	var out bytes.Buffer
	out.WriteString(m.Line + "\r\n")
	for _, field := range m.Fields {
		out.WriteString(field.Name + ": " + field.Value + "\r\n")
	}
	out.WriteString("\r\n")
	return out.Bytes()
}

// Bytes is the whole message; a chunked body in chunks of at most chunk bytes.
func (m *Message) Bytes(chunk int) []byte {
	out := bytes.NewBuffer(m.Head())
	if m.Framing != "chunked" {
		out.Write(m.Body)
		return out.Bytes()
	}
	for rest := m.Body; len(rest) > 0; {
		n := min(chunk, len(rest))
		fmt.Fprintf(out, "%x;a=b\r\n%s\r\n", n, rest[:n])
		rest = rest[n:]
	}
	out.WriteString("0\r\n")
	for _, field := range m.Trailers {
		out.WriteString(field.Name + ": " + field.Value + "\r\n")
	}
	out.WriteString("\r\n")
	return out.Bytes()
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), err
}

func readFields(r *bufio.Reader) (Fields, error) {
	var fields Fields
	for {
		line, err := readLine(r)
		if err != nil || line == "" {
			return fields, err
		}
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, Field{name, strings.Trim(value, " \t")})
	}
}

func readHead(r *bufio.Reader) (*Message, error) {
	line, err := readLine(r)
	if err != nil {
		return nil, err
	}
	fields, err := readFields(r)
	return &Message{Line: line, Fields: fields}, err
}

// ReadRequest reads a request; onHead is told when its head has come.
func ReadRequest(r *bufio.Reader, onHead func(*Message)) (*Message, error) {
	m, err := readHead(r)
	if err != nil {
		return nil, err
	}
	onHead(m)
	return m, m.readBody(r, "")
}

// ReadAnswer reads the answer to a request of that method. What is wrong with
// its body is told by Broken; err is for an answer that has no head.
func ReadAnswer(r *bufio.Reader, method string) (*Message, error) {
	var before []string
	for {
		m, err := readHead(r)
		if err != nil {
			return nil, err
		}
		if status := m.Status(); status >= 100 && status < 200 && status != 101 {
			before = append(before, m.Line)
			continue
		}
		m.Before = before
		status := m.Status()
		if method == "HEAD" || status == 101 || status == 204 || status == 304 {
			return m, nil
		}
		if err := m.readBody(r, "close"); err != nil {
			m.Broken = err.Error()
		}
		return m, nil
	}
}

func (m *Message) readBody(r *bufio.Reader, otherwise string) error {
	if coding, ok := m.Fields.Get("Transfer-Encoding"); ok {
		if !strings.EqualFold(coding, "chunked") {
			return fmt.Errorf("transfer coding %q", coding)
		}
		m.Framing = "chunked"
		return m.readChunks(r)
	}
	if length, ok := m.Fields.Get("Content-Length"); ok {
		n, err := strconv.Atoi(length)
		if err != nil {
			return err
		}
		m.Framing = "length"
		m.Body = make([]byte, n)
		n, err = io.ReadFull(r, m.Body)
		m.Body = m.Body[:n]
		return err
	}
	m.Framing = otherwise
	if otherwise == "" {
		return nil
	}
	var err error
	m.Body, err = io.ReadAll(r)
	return err
}

func (m *Message) readChunks(r *bufio.Reader) error {
	for {
		line, err := readLine(r)
		if err != nil {
			return fmt.Errorf("in a chunk's head: %w", err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(size, 16, 31)
		if err != nil {
			return err
		}
		if n == 0 {
			m.Trailers, err = readFields(r)
			return err
		}
		chunk := make([]byte, n+2)
		got, err := io.ReadFull(r, chunk)
		m.Body = append(m.Body, chunk[:min(got, int(n))]...)
		if err != nil {
			return fmt.Errorf("in a chunk: %w", err)
		}
		if string(chunk[n:]) != "\r\n" {
			return fmt.Errorf("a chunk ends with %q", chunk[n:])
		}
	}
}
