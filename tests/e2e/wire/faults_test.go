package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ends are the ways in which an upstream's connection can end.
var ends = map[string]func(*Connection){
	"a close": func(c *Connection) { c.Close() },
	"a reset": func(c *Connection) { c.Reset() },
}

// faulty are answers to be cut at every byte.
var faulty = map[string]string{
	"a list by length": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n" +
		`{"kind":"List","items":[]`,
	"a list by chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"e;x=y\r\n{\"kind\":\"List\"\r\n0b\r\n,\"items\":[]\r\n1\r\n}\r\n0\r\n\r\n",
	"bytes by chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n1\r\n\n\r\n0\r\n\r\n",
	"a watch": "HTTP/1.1 200 OK\r\nContent-Type: application/json;stream=watch\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"13\r\n{\"type\":\"ADDED\"}\r\n\n\r\n13\r\n{\"type\":\"DELETED\"}\n\r\n0\r\nX-Trailer: t\r\n\r\n",
	"an answer after 1xx": "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
		"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno\n",
}

// TestUpstreamCutAtEveryByte cuts answers at each of their bytes: what the client
// gets is whole only if the upstream's answer was, and each request is sent once.
func TestUpstreamCutAtEveryByte(t *testing.T) {
	s := newStage(t, "")
	for name, answer := range faulty {
		for way, end := range ends {
			t.Run(name+" by "+way, func(t *testing.T) { s.cutEverywhere(t, answer, end) })
		}
	}
}

func (s *stage) cutEverywhere(t *testing.T, answer string, end func(*Connection)) {
	whole, err := ReadAnswer(bufio.NewReader(strings.NewReader(answer)), "POST")
	must(t, err)
	client2, err := NewClient2(s.Proxy)
	must(t, err)
	defer client2.Close()
	request := &Message{Line: "POST /x HTTP/1.1", Body: []byte("body"), Framing: "length",
		Fields: Fields{{"Host", "x"}, {"Content-Length", "4"}}}
	for n := range len(answer) {
		s.Answer = func(_ *Message, c *Connection) bool {
			_, _ = io.WriteString(c, answer[:n])
			end(c)
			return false
		}
		client := &Client{Dial: s.plain}
		one, err := client.Do(request, 1)
		must(t, err)
		client.Close()
		two, err := client2.Do(request)
		must(t, err)
		if noted := s.Noted(); len(noted) != 2 {
			t.Fatalf("byte %d: two requests were sent as %d", n, len(noted))
		}
		for _, got := range []*Message{one, two} {
			checkCut(t, len(answer)-n, whole, got)
		}
	}
}

// checkCut looks at what became of an answer without its last bytes.
func checkCut(t *testing.T, missing int, whole, got *Message) {
	t.Helper()
	switch {
	case got.Status() == 504:
		if _, ok := got.Fields.Get("Retry-After"); ok {
			t.Errorf("without %d: a write that may have been carried out is to be tried again", missing)
		}
	case got.Status() != whole.Status():
		t.Errorf("without %d: %s", missing, show(got))
	case got.Broken == "" && missing == 1 && bytes.Equal(got.Body, whole.Body):
		// The newline behind the last of all chunks.
	case got.Broken == "":
		t.Errorf("without %d: a part looks whole: %s", missing, show(got))
	case !bytes.HasPrefix(whole.Body, got.Body):
		t.Errorf("without %d: %q is no part of the body", missing, got.Body)
	}
}

// TestUpstreamInPieces sends answers a byte at a time.
func TestUpstreamInPieces(t *testing.T) {
	s := newStage(t, "")
	client := &Client{Dial: s.tls}
	defer client.Close()
	client2, err := NewClient2(s.Proxy)
	must(t, err)
	defer client2.Close()
	for name, answer := range faulty {
		s.Answer = func(_ *Message, c *Connection) bool {
			must(t, c.TCP.SetNoDelay(true))
			for i := range len(answer) {
				if _, err := io.WriteString(c, answer[i:i+1]); err != nil {
					return false
				}
			}
			return !strings.Contains(name, "by length") // it is one byte short
		}
		if strings.Contains(name, "by length") {
			continue
		}
		whole, err := ReadAnswer(bufio.NewReader(strings.NewReader(answer)), "GET")
		must(t, err)
		request := &Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}
		one, err := client.Do(request, 1)
		must(t, err)
		two, err := client2.Do(request)
		must(t, err)
		for _, got := range []*Message{one, two} {
			if got.Status() != whole.Status() || got.Broken != "" || !bytes.Equal(got.Body, whole.Body) {
				t.Errorf("%s: %s", name, show(got))
			}
		}
	}
}

// TestNothingIsSentTwice lets kept connections die at the worst moments: when the
// next request is on its way. Only safe requests may be tried again.
func TestNothingIsSentTwice(t *testing.T) {
	s := newStage(t, "")
	client := &Client{Dial: s.plain}
	defer client.Close()
	count := map[string]int{}
	var mutex sync.Mutex
	s.OnHead = func(head *Message, c *Connection) {
		id, _ := head.Fields.Get("X-Id")
		mutex.Lock()
		defer mutex.Unlock()
		count[id]++
		if strings.HasSuffix(id, "dies") && count[id] == 1 {
			c.Reset()
		}
	}
	for i, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "GET", "HEAD"} {
		for _, end := range []string{"lives", "dies"} {
			id := fmt.Sprint(method, i, end)
			request := &Message{Line: method + " /x HTTP/1.1", Fields: Fields{{"Host", "x"}, {"X-Id", id}}}
			if method[0] == 'P' {
				request.Framing, request.Body = "length", []byte("body")
				request.Fields = append(request.Fields, Field{"Content-Length", "4"})
			}
			got, err := client.Do(request, 1)
			must(t, err)
			isSafe := method == "GET" || method == "HEAD"
			switch {
			case end == "lives" && (got.Status() != 200 || count[id] != 1):
				t.Errorf("%s: sent %d times, answered %s", id, count[id], got.Line)
			case end == "dies" && !isSafe && (got.Status() != 504 || count[id] != 1):
				t.Errorf("%s: sent %d times, answered %s", id, count[id], got.Line)
			case end == "dies" && isSafe && (got.Status() == 200) != (count[id] == 2):
				t.Errorf("%s: sent %d times, answered %s", id, count[id], got.Line)
			}
		}
	}
}

// TestUpstreamStallsAreTheClients checks that a stalled upstream holds up its own
// client alone, and that a client that gives up ends its upstream's connection.
func TestUpstreamStallsAreTheClients(t *testing.T) {
	s := newStage(t, "")
	stalled := make(chan *Connection, 8)
	s.Answer = func(request *Message, c *Connection) bool {
		if !strings.Contains(request.Line, "stall") {
			return answerOK(request, c)
		}
		_, part, _ := strings.Cut(request.Line, "stall")
		switch part[0] {
		case '1':
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-")
		case '2':
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
		}
		stalled <- c
		_, _ = c.Reader.ReadByte() // until it is closed
		return false
	}
	var open []net.Conn
	for i := range 3 {
		for _, dial := range []func() (net.Conn, error){s.plain, s.tls} {
			connection, err := dial()
			must(t, err)
			open = append(open, connection)
			fmt.Fprintf(connection, "GET /stall%d HTTP/1.1\r\nHost: x\r\n\r\n", i)
			<-stalled
		}
	}
	client := &Client{Dial: s.plain}
	got, err := client.Do(&Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}, 1)
	must(t, err)
	client.Close()
	if got.Status() != 200 {
		t.Errorf("beside stalled ones: %s", show(got))
	}
	before := s.Open()
	for _, connection := range open {
		connection.Close()
	}
	eventually(t, "the stalled connections end with their clients", func() error {
		if left := s.Open(); left > before-len(open) {
			return fmt.Errorf("%d of %d connections are open", left, before)
		}
		return nil
	})
}

// TestRefusalsPass checks that 429 and 503 of the API server are the client's
// business: they pass with their Retry-After and nothing is tried again.
func TestRefusalsPass(t *testing.T) {
	s := newStage(t, "")
	var asked atomic.Int32
	for _, line := range []string{"429 Too Many Requests", "503 Service Unavailable", "504 Gateway Timeout"} {
		s.Answer = func(_ *Message, c *Connection) bool {
			asked.Add(1)
			_, err := fmt.Fprintf(c, "HTTP/1.1 %s\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy", line)
			return err == nil
		}
		client := &Client{Dial: s.plain}
		got, err := client.Do(&Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}, 1)
		must(t, err)
		client.Close()
		after, _ := got.Fields.Get("Retry-After")
		if got.Line != "HTTP/1.1 "+line || after != "7" || string(got.Body) != "busy" || asked.Swap(0) != 1 {
			t.Errorf("%s: %s", line, show(got))
		}
	}
}

func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	eventuallyIn(t, Patience, what, check)
}

func eventuallyIn(t testing.TB, patience time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
