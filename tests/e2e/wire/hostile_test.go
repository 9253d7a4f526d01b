package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// An inner request that would be smuggled if the outer one's end were misread.
const inner = "GET /inner HTTP/1.1\r\nHost: x\r\n\r\n"

// converse sends bytes and reads answers until the connection is closed, or as
// many as are expected.
func converse(t *testing.T, dial func() (net.Conn, error), bytes string) (statuses []int) {
	t.Helper()
	connection, err := dial()
	must(t, err)
	defer connection.Close()
	must(t, connection.SetDeadline(time.Now().Add(Patience)))
	// What follows says that the connection was not given up.
	_, _ = io.WriteString(connection, bytes)
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	reader := bufio.NewReader(connection)
	for {
		answer, err := ReadAnswer(reader, "GET")
		if err != nil {
			return statuses
		}
		statuses = append(statuses, answer.Status())
		if answer.Framing == "close" || closes(answer) {
			return statuses
		}
	}
}

// Requests that two servers could read in two ways are refused, and their
// connection is closed; nothing of them reaches the API server.
func TestHostileRequestsAreRefused(t *testing.T) {
	s := newStage(t, "")
	post := "POST /outer HTTP/1.1\r\nHost: x\r\n"
	for name, bytes := range map[string]string{
		"two lengths":                   post + "Content-Length: 0\r\nContent-Length: 32\r\n\r\n" + inner,
		"two lengths, the other way":    post + "Content-Length: 32\r\nContent-Length: 0\r\n\r\n" + inner,
		"lengths in one line":           post + "Content-Length: 0, 32\r\n\r\n" + inner,
		"length and chunked":            post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"chunked and length":            post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + inner,
		"chunked twice":                 post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"another coding":                post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + inner,
		"a coding that looks chunked":   post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
		"chunked and identity":          post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
		"chunked in HTTP/1.0":           "POST /outer HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"a length with a sign":          post + "Content-Length: +32\r\n\r\n" + inner,
		"a negative length":             post + "Content-Length: -1\r\n\r\n" + inner,
		"a hexadecimal length":          post + "Content-Length: 0x20\r\n\r\n" + inner,
		"a length that overflows":       post + "Content-Length: 18446744073709551617\r\n\r\n" + inner,
		"a space before the colon":      post + "Content-Length : 32\r\n\r\n" + inner,
		"a space before chunked's":      post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner,
		"a folded field":                post + "Content-Length: 0\r\nX: a\r\n b\r\n\r\n" + inner,
		"a folded length":               post + "Content-Length: 0\r\n 32\r\n\r\n" + inner,
		"a folded coding":               post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + inner,
		"a broken chunk":                post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + inner,
		"NUL in a value":                post + "X: a\x00b\r\nContent-Length: 0\r\n\r\n" + inner,
		"NUL in a name":                 post + "X\x00: b\r\nContent-Length: 0\r\n\r\n" + inner,
		"NUL in the target":             "GET /a\x00b HTTP/1.1\r\nHost: x\r\n\r\n" + inner,
		"a carriage return in a value":  post + "X: a\rY: b\r\nContent-Length: 0\r\n\r\n" + inner,
		"a line without a colon":        post + "nonsense\r\nContent-Length: 0\r\n\r\n" + inner,
		"a line without a name":         post + ": x\r\nContent-Length: 0\r\n\r\n" + inner,
		"a first line that is a folded": post + " X: y\r\nContent-Length: 0\r\n\r\n" + inner,
		"no version":                    "GET /outer\r\nHost: x\r\n\r\n" + inner,
		"another version":               "GET /outer HTTP/3.0\r\nHost: x\r\n\r\n" + inner,
		"spaces in the target":          "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" + inner,
		"no HTTP":                       "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n" + inner,
		"101 fields":                    post + strings.Repeat("A: b\r\n", 101) + "\r\n" + inner,
		"a request line without end":    "GET /" + strings.Repeat("a", 500_000),
	} {
		for way, dial := range map[string]func() (net.Conn, error){"http": s.plain, "https": s.tls} {
			t.Run(name+" by "+way, func(t *testing.T) {
				statuses := converse(t, dial, bytes)
				if len(statuses) > 1 || (len(statuses) == 1 && statuses[0]/100 != 4) {
					t.Errorf("answered %v", statuses)
				}
				for _, request := range s.Noted() {
					t.Errorf("upstream got %s", show(request))
				}
			})
		}
	}
}

// Requests that mean something else to a proxy than to a server are answered 400;
// the connection lives on, and what follows is another request.
func TestHostileTargetsAreRefused(t *testing.T) {
	s := newStage(t, "")
	for _, line := range []string{
		"GET http://example/inner HTTP/1.1", "GET https://127.0.0.1/api HTTP/1.1",
		"CONNECT example:443 HTTP/1.1", "CONNECT /api HTTP/1.1x", "OPTIONS * HTTP/1.1",
		"GET api HTTP/1.1", "GET ?x HTTP/1.1", "GET /a//%2e%2e/foos HTTP/1.1",
	} {
		statuses := converse(t, s.plain, line+"\r\nHost: x\r\n\r\n")
		if len(statuses) != 1 || statuses[0] != 400 {
			t.Errorf("%s: answered %v", line, statuses)
		}
		for _, request := range s.Noted() {
			t.Errorf("upstream got %s", show(request))
		}
	}
}

// What Connection names is dropped, unless the request's meaning rests on it.
func TestConnectionCannotRemoveWhatCounts(t *testing.T) {
	s := newStage(t, "")
	client := &Client{Dial: s.plain}
	defer client.Close()
	request := &Message{Line: "GET /x HTTP/1.1", Fields: Fields{
		{"Host", "x"}, {"Connection", "authorization, Impersonate-User,accept , x-mine"},
		{"Authorization", "Bearer theirs"}, {"Impersonate-User", "jane"}, {"Accept", "a/b"}, {"X-Mine", "x"},
	}}
	_, err := client.Do(request, 1)
	must(t, err)
	noted := s.Noted()
	if len(noted) != 1 {
		t.Fatalf("upstream got %d requests", len(noted))
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer theirs", "Impersonate-User": "jane", "Accept": "a/b", "X-Mine": "",
	} {
		if got, _ := noted[0].Fields.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}

// The same by HTTP/2, where lines are made of what a client says in frames.
func TestHostileFramesAreRefused(t *testing.T) {
	s := newStage(t, "")
	get := PseudoFields("GET /x HTTP/1.1")
	with := func(change func(Fields) Fields) Fields { return change(append(Fields{}, get...)) }
	set := func(i int, value string) Fields {
		return with(func(f Fields) Fields { f[i].Value = value; return f })
	}
	add := func(name, value string) Fields {
		return with(func(f Fields) Fields { return append(f, Field{name, value}) })
	}
	for name, fields := range map[string]Fields{
		"a line break in the path":      set(3, "/x HTTP/1.1\r\nX: y"),
		"a request in the path":         set(3, "/x HTTP/1.1\r\nHost: x\r\n\r\nDELETE /inner"),
		"a space in the path":           set(3, "/x y"),
		"NUL in the path":               set(3, "/x\x00"),
		"an empty path":                 set(3, ""),
		"an absolute path":              set(3, "https://example/x"),
		"a line break in the method":    set(0, "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
		"a space in the method":         set(0, "GET /inner"),
		"an empty method":               set(0, ""),
		"no path":                       with(func(f Fields) Fields { return f[:3] }),
		"no method":                     with(func(f Fields) Fields { return f[1:] }),
		"no scheme":                     with(func(f Fields) Fields { return append(f[:1], f[2:]...) }),
		"a second path":                 add(":path", "/inner"),
		"a second method":               add(":method", "DELETE"),
		"an unknown pseudo-field":       add(":odd", "x"),
		"a pseudo-field behind a field": with(func(f Fields) Fields { return append(f[:3], Field{"x", "y"}, f[3]) }),
		"an answer's pseudo-field":      add(":status", "200"),
		"CONNECT":                       with(func(f Fields) Fields { return Fields{{":method", "CONNECT"}, {":authority", "x:1"}} }),
		"connection":                    add("connection", "close"),
		"transfer-encoding":             add("transfer-encoding", "chunked"),
		"upgrade":                       add("upgrade", "websocket"),
		"te":                            add("te", "gzip"),
		"an upper-case name":            add("X-Odd", "y"),
		"a space in a name":             add("content-length ", "5"),
		"a colon in a name":             add("x:y", "z"),
		"an empty name":                 add("", "z"),
		"a line break in a name":        add("x\r\ny", "z"),
		"a line break in a value":       add("x", "y\r\nz: 1"),
		"a newline in a value":          add("x", "y\nz: 1"),
		"NUL in a value":                add("x", "y\x00"),
		"a length that is none":         add("content-length", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			client, err := NewClient2(s.Proxy)
			must(t, err)
			defer client.Close()
			must(t, client.SetDeadline(time.Now().Add(Patience)))
			stream, err := client.Headers(fields, true)
			must(t, err)
			answer, err := client.read(stream, &sender{c: client, isOver: true})
			if err == nil && answer.Broken == "" && answer.Status()/100 != 4 {
				t.Errorf("answered %s", show(answer))
			}
			for _, request := range s.Noted() {
				t.Errorf("upstream got %s", show(request))
			}
		})
	}
	// As for the API server, no body is no body, whatever is said of its length.
	client, err := NewClient2(s.Proxy)
	must(t, err)
	defer client.Close()
	answer, err := client.Do(&Message{Line: "GET /x HTTP/1.1", Fields: Fields{{"Content-Length", "5"}}})
	must(t, err)
	noted := s.Noted()
	if answer.Status() != 200 || len(noted) != 1 || len(noted[0].Fields) != 1 {
		t.Errorf("a length without a body: %s\nupstream got %v", show(answer), noted)
	}
	for name, sizes := range map[string][2]int{"a body longer than its length": {3, 5}, "a shorter one": {5, 3}} {
		t.Run(name, func(t *testing.T) {
			client, err := NewClient2(s.Proxy)
			must(t, err)
			defer client.Close()
			must(t, client.SetDeadline(time.Now().Add(Patience)))
			stream, err := client.Headers(append(PseudoFields("POST /x HTTP/1.1"),
				Field{"content-length", fmt.Sprint(sizes[0])}), false)
			must(t, err)
			must(t, client.WriteData(stream, true, make([]byte, sizes[1])))
			answer, err := client.read(stream, &sender{c: client, isOver: true})
			if err == nil && answer.Broken == "" && answer.Status()/100 != 4 {
				t.Errorf("answered %s", show(answer))
			}
			for _, request := range s.Noted() {
				t.Errorf("upstream got %s", show(request))
			}
		})
	}
}
