package wire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// flood is what a client says again and again, behind what it says first.
type flood struct {
	name  string
	first func(c *Client2) error
	again func(f *http2.Framer) error
	limit string // the metric that counts it

	isAnswered bool // each time: who does not read that is one more case
}

// open asks for something with a body, and does not send that.
func open(c *Client2) error {
	_, err := c.Headers(PseudoFields("POST /x HTTP/1.1"), false)
	return err
}

// ask has an answer: its stream is closed then.
func ask(c *Client2) error {
	_, err := c.Do(getX)
	return err
}

// headless begins a head that goes on.
func headless(c *Client2) error {
	return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}, EndStream: true})
}

func nothing(*Client2) error { return nil }

// floods are all that HTTP/2 lets a client say for ever.
func floods() []flood {
	next := uint32(1)
	return []flood{
		{"CONTINUATION", headless,
			func(f *http2.Framer) error { return f.WriteContinuation(1, false, make([]byte, 16000)) }, "streams", false},
		{"empty CONTINUATION", headless,
			func(f *http2.Framer) error { return f.WriteContinuation(1, false, nil) }, "frames", false},
		{"PING", nothing,
			func(f *http2.Framer) error { return f.WritePing(false, [8]byte{}) }, "frames", true},
		{"SETTINGS", nothing,
			func(f *http2.Framer) error { return f.WriteSettings() }, "frames", true},
		{"SETTINGS that change the window", nothing, func(f *http2.Framer) error {
			next ^= 2
			return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535 + next})
		}, "frames", false},
		{"WINDOW_UPDATE", nothing,
			func(f *http2.Framer) error { return f.WriteWindowUpdate(0, 1) }, "frames", false},
		{"WINDOW_UPDATE of nothing", ask, // of a stream, it is answered by RST_STREAM
			func(f *http2.Framer) error { return f.WriteWindowUpdate(1, 0) }, "frames", true},
		{"empty DATA", open,
			func(f *http2.Framer) error { return f.WriteData(1, false, nil) }, "frames", false},
		{"DATA behind the end", ask,
			func(f *http2.Framer) error { return f.WriteData(1, false, nil) }, "frames", true},
		{"RST_STREAM", ask,
			func(f *http2.Framer) error { return f.WriteRSTStream(1, http2.ErrCodeCancel) }, "frames", false},
		{"PRIORITY", ask,
			func(f *http2.Framer) error { return f.WritePriority(1, http2.PriorityParam{Weight: 3}) }, "frames", false},
		{"frames of no type", nothing,
			func(f *http2.Framer) error { return f.WriteRawFrame(0xbe, 0, 0, nil) }, "frames", false},
		{"requests that are taken back before they are whole", nothing, func(f *http2.Framer) error {
			head := http2.HeadersFrameParam{StreamID: next, EndHeaders: true, BlockFragment: []byte{0x83, 0x87, 0x84}}
			next += 2
			if err := f.WriteHeaders(head); err != nil {
				return err
			}
			return f.WriteRSTStream(next-2, http2.ErrCodeCancel)
		}, "frames", false},
	}
}

// A client that says what belongs to no request, for ever, is let go, whether it reads
// what it is answered or not; that costs little, and others are served.
func boundedFloods(t *testing.T) {
	s := newStage(t, "limits: {body: 64Ki}\n")
	s.stillServes(t)
	before := s.RSS()
	for _, isRead := range []bool{true, false} {
		for _, flood := range floods() {
			if !isRead && !flood.isAnswered {
				continue
			}
			name := fmt.Sprintf("%s, answers read: %v", flood.name, isRead)
			counted := s.Metric(fmt.Sprintf(limited, flood.limit))
			sent, err := s.flood(t, flood, isRead)
			grown := (s.RSS() - before) >> 20
			t.Logf("%s: %d KiB, then %v; %d MiB more", name, sent>>10, err, grown)
			if err == nil || isTimeout(err) {
				t.Errorf("%s: %d KiB, and the connection lives", name, sent>>10)
			}
			if grown > 60 {
				t.Errorf("%s: it has grown by %d MiB", name, grown)
			}
			if s.Metric(fmt.Sprintf(limited, flood.limit)) == counted {
				t.Errorf("%s: it was not counted as one of %s", name, flood.limit)
			}
			s.stillServes(t)
		}
	}
}

// flood sends until it is stopped: how much, and how.
func (s *stage) flood(t *testing.T, flood flood, isRead bool) (sent int, err error) {
	t.Helper()
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	must(t, flood.first(client))
	must(t, client.SetDeadline(time.Now().Add(Patience)))
	if isRead {
		go func() { _, _ = io.Copy(io.Discard, client.Conn) }()
	}
	// Many frames in a write: they are to flood it, not us.
	var frames bytes.Buffer
	framer := http2.NewFramer(&frames, nil)
	framer.AllowIllegalWrites = true
	for err == nil && sent < 1<<30 {
		frames.Reset()
		for frames.Len() < 16000 {
			must(t, flood.again(framer))
		}
		var n int
		n, err = client.Write(frames.Bytes())
		sent += n
	}
	return sent, err
}

// Bodies that are taken back half-way, and windows that are opened again and again, are
// no flood: the others on that connection go on.
func boundedTakenBack(t *testing.T) {
	s := newStage(t, "")
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	for range 3 {
		stream, err := client.Headers(PseudoFields("POST /x HTTP/1.1"), false)
		must(t, err)
		for range 60 {
			must(t, client.WriteData(stream, false, make([]byte, 16384)))
		}
		must(t, client.WriteRSTStream(stream, http2.ErrCodeCancel))
	}
	s.Answer = func(_ *Message, c *Connection) bool {
		_, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", 64<<20, strings.Repeat("x", 64<<20))
		return err == nil
	}
	for range 3 { // each with a WINDOW_UPDATE for each frame
		if got, err := client.Do(getX); err != nil || len(got.Body) != 64<<20 {
			t.Fatalf("%v", err)
		}
	}
	if n := s.Metric(fmt.Sprintf(limited, "frames")); n != 0 {
		t.Errorf("%d were closed", n)
	}
}

// What a body holds that arrives by HTTP/2 is known, though h2o does not say.
func boundedArriving(t *testing.T) {
	s := newStage(t, "")
	const size = 3 << 20
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	for range 3 { // whole ones are none
		if got, err := client.Do(&Message{Line: "POST /x HTTP/1.1", Framing: "length", Body: make([]byte, size),
			Fields: Fields{{"Host", "x"}, {"Content-Length", fmt.Sprint(size)}}}); err != nil || got.Status() != 200 {
			t.Fatalf("%v, %v", got, err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, client.Conn) }()
	stream, err := client.Headers(PseudoFields("POST /x HTTP/1.1"), false)
	must(t, err)
	for range size / 16384 {
		must(t, client.WriteData(stream, false, make([]byte, 16384)))
	}
	eventually(t, "it is counted", func() error {
		if held := s.Metric("ringside_memory_bytes"); held < size-size/8 || held > size+size/8 {
			return fmt.Errorf("%d are held", held)
		}
		return nil
	})
	must(t, client.WriteData(stream, true, nil))
	eventually(t, "it is whole", func() error {
		if held := s.Metric("ringside_memory_bytes"); held > size/8 {
			return fmt.Errorf("%d are held", held)
		}
		return nil
	})
}

// boundedAnswers: heads of the API server's answers, whatever they are long by.
func boundedAnswers(t *testing.T) {
	s := newStage(t, "")
	const ok = "Content-Length: 2\r\n\r\nok"
	early := "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	n := 0
	for name, answer := range map[string]string{
		"fields":        "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 129) + ok,
		"bytes":         "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 70_000) + "\r\n" + ok,
		"early answers": strings.Repeat(early, 66_000/len(early)) + strings.Repeat("HTTP/1.1 100\r\n\r\n", 1000) + "HTTP/1.1 200 OK\r\n" + ok,
	} {
		s.Answer = func(_ *Message, c *Connection) bool {
			_, _ = io.WriteString(c, answer)
			return false
		}
		for _, upgrade := range []string{"", "websocket"} {
			request := &Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Host", "x"}}}
			if upgrade != "" {
				request.Fields = append(request.Fields, Field{"Connection", "Upgrade"}, Field{"Upgrade", upgrade})
			}
			client := &Client{Dial: s.plain}
			got, err := client.Do(request, 1)
			must(t, err)
			client.Close()
			if got.Status() != 503 && got.Status() != 504 {
				t.Errorf("too many %s %s: %s", name, upgrade, show(got))
			}
			n++
		}
	}
	s.wantMetric(t, "answer", n)
	s.Answer = answerOK
	s.stillServes(t)
}
