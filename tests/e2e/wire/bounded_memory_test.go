package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

const memoryLimit = 64 << 20

// A body that comes a byte a second is no slower to arrive by HTTP/2, also beside
// requests that are served.
func boundedTrickle(t *testing.T) {
	s := newStage(t, "")
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	idle, err := NewClient2(s.Proxy)
	must(t, err)
	defer idle.Close()
	if got, err := idle.Do(getX); err != nil || got.Status() != 200 {
		t.Fatalf("the idle one: %v, %v", got, err)
	}
	stream, err := client.Headers(PseudoFields("POST /x HTTP/1.1"), false)
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		must(t, client.SetReadDeadline(time.Now().Add(3*Patience)))
		_, err := io.Copy(io.Discard, client.Conn)
		ended <- err
	}()
	began := time.Now()
	for over := false; !over && time.Since(began) < 3*Patience; {
		_ = client.WriteData(stream, false, []byte("a"))
		if other, err := client.Headers(PseudoFields("GET /y HTTP/1.1"), true); err == nil && other < stream {
			t.Fatal("streams are numbered upwards")
		}
		select {
		case err := <-ended:
			over = true
			if isTimeout(err) {
				t.Errorf("after %s it lives", time.Since(began))
			}
		case <-time.After(time.Second):
		}
	}
	if took := time.Since(began); took < 15*time.Second {
		t.Errorf("it ended after %s", took)
	}
	s.wantMetric(t, "arrival", 1)
	if got, err := idle.Do(getX); err != nil || got.Status() != 200 {
		t.Errorf("the idle one: %v, %v", got, err)
	}
}

// Many clients send large bodies and do not go on: together they hold what
// limits.memory says, and who sends at once is served.
func boundedMemory(t *testing.T) {
	s := newStage(t, "limits: {memory: 64Mi}\n")
	s.stillServes(t)
	before := s.RSS()
	const clients, size = 100, 3 << 20
	body := make([]byte, size)
	var open []net.Conn
	for i := range clients {
		if i%2 == 0 {
			connection, err := s.tls()
			must(t, err)
			defer connection.Close()
			open = append(open, connection)
			go func() {
				_, _ = fmt.Fprintf(connection, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size)
				_, _ = connection.Write(body[1:])
			}()
			continue
		}
		client, err := NewClient2(s.Proxy)
		must(t, err)
		defer client.Close()
		go func() { _, _ = io.Copy(io.Discard, client.Conn) }()
		go func() {
			stream, err := client.Headers(PseudoFields("POST /x HTTP/1.1"), false)
			for rest := size - 1; err == nil && rest > 0; rest -= 16384 {
				err = client.WriteData(stream, false, body[:min(rest, 16384)])
			}
		}()
	}
	// 300 MiB are sent, 64 may be held: most have to go.
	eventually(t, "what is too much is closed", func() error {
		if n := s.Metric(fmt.Sprintf(limited, "memory")); n < clients/2 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
	grown := s.RSS() - before
	t.Logf("%d MiB more, %d closed", grown>>20, s.Metric(fmt.Sprintf(limited, "memory")))
	if grown > 3*memoryLimit { // what is freed is not given back at once
		t.Errorf("it has grown by %d MiB", grown>>20)
	}
	eventually(t, "the rest is within the limit", func() error {
		if held := s.Metric("ringside_memory_bytes"); held < size || held > memoryLimit/2 {
			return fmt.Errorf("%d are held", held)
		}
		return nil
	})
	s.stillServes(t)
	// Those that were let wait are not forgotten.
	served := 0
	for _, connection := range open {
		must(t, connection.SetDeadline(time.Now().Add(Patience)))
		if _, err := connection.Write(body[:1]); err != nil {
			continue
		}
		if answer, err := ReadAnswer(bufio.NewReader(connection), "POST"); err == nil && answer.Status() == 200 {
			served++
		}
	}
	if served == 0 {
		t.Error("nobody was left to be served")
	}
}

// Requests that have arrived and wait for the API server: some wait, the others
// are told to come again, and those were not sent.
func boundedWaiting(t *testing.T) {
	s := newStage(t, "limits: {memory: 64Mi}\n")
	s.stillServes(t)
	s.Noted()
	hold := make(chan bool)
	s.Answer = func(request *Message, c *Connection) bool {
		<-hold
		return answerOK(request, c)
	}
	var begun atomic.Int32
	s.OnHead = func(*Message, *Connection) { begun.Add(1) }
	const clients = 30
	answers := make(chan *Message, clients)
	request := &Message{Line: "POST /x HTTP/1.1", Framing: "length", Body: make([]byte, 3<<20),
		Fields: Fields{{"Host", "x"}, {"Content-Length", fmt.Sprint(3 << 20)}}}
	for i := range clients {
		go func() { answers <- s.by(t, i, request) }()
		eventually(t, "it waits or is refused", func() error {
			if n := int(begun.Load()) + len(answers); n <= i {
				return fmt.Errorf("%d are", n)
			}
			return nil
		})
	}
	held := s.Metric("ringside_memory_bytes")
	if held < memoryLimit || held > 2*memoryLimit {
		t.Errorf("%d MiB are held", held>>20)
	}
	close(hold)
	count := map[int]int{}
	for range clients {
		got := <-answers
		count[got.Status()]++
		if after, _ := got.Fields.Get("Retry-After"); got.Status() == 429 && after != "1" {
			t.Errorf("it says nothing about when to come again: %s", show(got))
		}
	}
	if sent := len(s.Noted()); count[200] != sent || count[200]+count[429] != clients {
		t.Errorf("answers are %v, and %d were sent", count, sent)
	}
	if count[429] < clients/2 || count[200] < 8 {
		t.Errorf("answers are %v", count)
	}
	t.Logf("answers %v, %d MiB were held", count, held>>20)
	eventually(t, "nothing is held", func() error {
		if held := s.Metric("ringside_memory_bytes"); held > 1<<20 {
			return fmt.Errorf("%d bytes are", held)
		}
		return nil
	})
	s.wantMetric(t, "memory", clients/2)
	s.stillServes(t)
}

// by sends it by one of the ways there are.
func (s *stage) by(t *testing.T, way int, request *Message) *Message {
	var got *Message
	var err error
	if way%2 == 0 {
		client := &Client{Dial: s.plain}
		defer client.Close()
		got, err = client.Do(request, len(request.Body))
	} else {
		var client *Client2
		if client, err = NewClient2(s.Proxy); err == nil {
			defer client.Close()
			got, err = client.Do(request)
		}
	}
	if err != nil {
		t.Errorf("client %d: %v", way, err)
		return &Message{Line: "HTTP/1.1 000 none"}
	}
	return got
}
