package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

var requests = 1500

func init() {
	if n, err := strconv.Atoi(os.Getenv("REQUESTS")); err == nil {
		requests = n
	}
}

// script is what a case's upstream answers, and in which pieces.
type script struct {
	answer *Message
	chunk  int
}

func (s *script) play(request *Message, c *Connection) bool {
	for _, line := range s.answer.Before {
		fmt.Fprintf(c, "%s\r\n\r\n", line)
	}
	if _, err := c.Write(s.answer.Bytes(s.chunk)); err != nil {
		return false
	}
	return s.answer.Framing != "close" && !closes(s.answer)
}

// one sends a request by a client, and tells what was seen on both sides.
func (s *stage) one(t *testing.T, client *Client, request *Message, chunk int) *Pair {
	t.Helper()
	got, err := client.Do(request, chunk)
	noted := s.Noted()
	if err != nil || len(noted) != 1 {
		answer := ""
		if got != nil {
			answer = show(got)
		}
		t.Fatalf("%s: upstream got %d requests, the client: %v\n%s\n%s", show(request), len(noted), err, answer, s.Process.Tail(3))
	}
	pair := &Pair{noted[0], got}
	pair.Hide()
	return pair
}

func show(m *Message) string {
	return fmt.Sprintf("%s%q\nbody: %d bytes, %s, %s, %v, %q", bytes.ReplaceAll(m.Head(), []byte("\r"), nil),
		m.Trailers, len(m.Body), m.Framing, m.Broken, m.Before, m.Body[:min(60, len(m.Body))])
}

func compare(t *testing.T, what string, want, got *Message) {
	t.Helper()
	if bytes.Equal(want.Head(), got.Head()) && bytes.Equal(want.Body, got.Body) &&
		want.Framing == got.Framing && want.Broken == got.Broken &&
		fmt.Sprint(want.Trailers, want.Before) == fmt.Sprint(got.Trailers, got.Before) {
		return
	}
	t.Errorf("%s: directly\n%s\nthrough the proxy\n%s", what, show(want), show(got))
}

// seedOf is $SEED, or another each time.
func seedOf(t *testing.T) uint64 {
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("SEED=%d", seed)
	return seed
}

// The invariant transparent: what each side sees does not depend on whether the
// proxy stands between them, byte by byte, except for what Exceptions say.
func TestTransparent(t *testing.T) {
	s := newStage(t, "")
	seed := seedOf(t)
	ways := map[string]func() (net.Conn, error){"http": s.plain, "https": s.tls}
	for name, dial := range ways {
		t.Run("HTTP/1.1 by "+name, func(t *testing.T) {
			random := Random{rand.New(rand.NewPCG(seed, 1))}
			direct, through := &Client{Dial: s.direct}, &Client{Dial: dial}
			defer direct.Close()
			defer through.Close()
			for i := 0; i < requests && !t.Failed(); i++ {
				request := random.Request()
				request.Fields = append(request.Fields, Field{"Host", "example"})
				chunk := 1 + random.IntN(70_000)
				script := &script{random.Answer(request), 1 + random.IntN(100_000)}
				s.Answer = script.play
				want := s.one(t, direct, request, chunk)
				got := s.one(t, through, request, chunk)
				compare(t, fmt.Sprintf("request %d as upstream saw it", i), want.Sent, got.Sent)
				compare(t, fmt.Sprintf("answer %d as the client saw it", i), want.Got, got.Got)
			}
		})
	}
	t.Run("HTTP/2", func(t *testing.T) {
		random := Random{rand.New(rand.NewPCG(seed, 2))}
		direct := &Client{Dial: s.direct}
		defer direct.Close()
		client, err := NewClient2(s.Proxy)
		must(t, err)
		defer client.Close()
		for i := 0; i < requests && !t.Failed(); i++ {
			request := random.Request()
			script := &script{random.Answer(request), 1 + random.IntN(100_000)}
			s.Answer = script.play
			request.Fields = append(request.Fields, Field{"Host", "example"})
			want := s.one(t, direct, request, 1<<20)
			request.Fields = request.Fields.Without("Host")
			got := s.two(t, client, request)
			lower(want)
			lower(got)
			compare(t, fmt.Sprintf("request %d as upstream saw it", i), want.Sent, got.Sent)
			compare(t, fmt.Sprintf("answer %d as the client saw it", i), want.Got, got.Got)
		}
	})
}

// lower is what HTTP/2 cannot say of a pair.
func lower(p *Pair) {
	p.Sent.Fields = p.Sent.Fields.LowerCase()
	p.Got.Fields = p.Got.Fields.LowerCase()
	p.Got.Framing = ""
	p.Got.Line = fmt.Sprintf("HTTP/2.0 %d", p.Got.Status())
}

// two is one by HTTP/2.
func (s *stage) two(t *testing.T, client *Client2, request *Message) *Pair {
	t.Helper()
	got, err := client.Do(request)
	noted := s.Noted()
	if err != nil || len(noted) != 1 {
		answer := ""
		if got != nil {
			answer = show(got)
		}
		t.Fatalf("%s: upstream got %d requests, the client: %v\n%s\n%s", show(request), len(noted), err, answer, s.Process.Tail(3))
	}
	pair := &Pair{noted[0], got}
	pair.Hide()
	return pair
}

// What stands in README.md is what the tests take for granted, no more, no less.
func TestExceptionsStandInTheManual(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	must(t, err)
	_, section, found := strings.Cut(string(text), "### Exceptions from \"transparent\"")
	if !found {
		t.Fatal("README.md has no such section")
	}
	var rows []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if strings.HasPrefix(line, "| ") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	want := []string{"| what | why |"}
	for _, exception := range Exceptions {
		want = append(want, "| "+exception.What+" | "+exception.Why+" |")
	}
	for i := range max(len(rows), len(want)) {
		if i >= len(rows) || i >= len(want) || rows[i] != want[i] {
			t.Fatalf("row %d: README.md has %q, the code %q", i, rows[min(i, len(rows)):], want[min(i, len(want)):])
		}
	}
}
