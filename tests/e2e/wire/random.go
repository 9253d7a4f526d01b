package wire

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Random makes requests and answers that are odd, and still HTTP.
type Random struct{ *rand.Rand }

func pick[T any](r Random, from ...T) T { return from[r.IntN(len(from))] }

// What an encoded path is made of, and what a plain one is. Both at once can be
// read in more than one way: see Exceptions.
var (
	encoded = []string{"api", "v1", "a%2Fb", "c%2fd", "%C3%A9", "%7e", "a%20b", "%2525", "x", "%2A"}
	plain   = []string{
		"api", "v1", "apis", "namespaces", "default", "pods", "..", ".", "", "é", "a+b", "a:b", "@",
		"!$&'()*,=", ";x=1", "~", "watch", "proxy", "metrics", "\\", "|", "^", "`", "{}", "\"", "<>",
	}
)

// Target is a path and query that is about no sharded resource.
func (r Random) Target() string {
	isEncoded := r.IntN(3) == 0
	path := ""
	for range 1 + r.IntN(6) {
		if isEncoded {
			path += "/" + pick(r, encoded...)
		} else {
			path += "/" + pick(r, plain...)
		}
	}
	if r.IntN(4) == 0 {
		path += "/"
	}
	if r.IntN(3) > 0 {
		return path
	}
	parts := []string{"a=b", "a=", "=", "a=%2B+%20", "labelSelector=x%21%3Dy", "watch=", "limit=500", "a=b=c"}
	if !isEncoded {
		parts = append(parts, "a", "a=b", "labelSelector=x!=y", "é=ü", "", "%zz=1", "x;y", "?", "//", "watch=1")
	}
	var query []string
	for range r.IntN(6) {
		query = append(query, pick(r, parts...))
	}
	return path + "?" + strings.Join(query, "&")
}

func (r Random) value() string {
	switch r.IntN(8) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("long ", 1+r.IntN(800)) + "end"
	case 2:
		return "caf\xc3\xa9 \xe9"
	case 3:
		return "a\tb  c"
	case 4:
		return `299 - "deprecated, and \"so\" on" "date"`
	default:
		return fmt.Sprintf("v%d", r.IntN(1000))
	}
}

func (r Random) fields(names ...string) Fields {
	fields := Fields{}
	for range r.IntN(12) {
		name := pick(r, names...)
		if r.IntN(2) == 0 {
			name = pick(r, "X-Odd", "x-odd", "X-ODD", "x!#$%&'*+-.^_`|~9", "Z", "Kubectl-Command")
		}
		fields = append(fields, Field{name, r.value()})
	}
	return fields
}

// Blob is a body of a random size, mostly small.
func (r Random) Blob() []byte {
	size := pick(r, 0, 1, 2, 100, 1000, 4096, 16384, 65535, 65536, 65537, 200_000)
	if r.IntN(3) > 0 {
		size = r.IntN(600)
	}
	if r.IntN(300) == 0 {
		size = 3 << 20
	}
	blob := make([]byte, size)
	for i := range blob {
		blob[i] = byte(r.Uint32())
	}
	return blob
}

// Request makes one; its Host is the last thing to be added.
func (r Random) Request() *Message {
	method := pick(r, "GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "get")
	m := &Message{
		Line: method + " " + r.Target() + " HTTP/1.1",
		Fields: r.fields("Accept", "Accept-Encoding", "Content-Type", "User-Agent",
			"Authorization", "If-None-Match", "Range", "Via", "X-Forwarded-For", "Origin",
			"Impersonate-User", "Impersonate-Extra-x", "Accept-Language", "Cache-Control", "Referer",
			"Audit-ID", "Date", "Server", "Content-Encoding", "If-Match", "Max-Forwards", "Forwarded"),
	}
	switch r.IntN(12) {
	case 0:
		m.Fields = append(m.Fields, Field{"Connection", "x-odd, keep-alive"})
	case 1:
		m.Fields = append(m.Fields, Field{"Connection", "Keep-Alive, authorization, Accept"}, Field{"Keep-Alive", "5"})
	case 2:
		m.Fields = append(m.Fields, Field{"TE", "trailers"}, Field{"Proxy-Connection", "x"})
	case 3:
		m.Fields = append(m.Fields, Field{"Upgrade", "h2c"}, Field{"HTTP2-Settings", "AAMAAABk"},
			Field{"Connection", "keep-alive, Upgrade, HTTP2-Settings"})
	}
	if method == "HEAD" || (method == "GET" && r.IntN(5) > 0) || r.IntN(4) == 0 {
		return m
	}
	m.Body = r.Blob()
	m.Framing = pick(r, "length", "length", "chunked")
	if m.Framing == "length" {
		m.Fields = append(m.Fields, Field{"Content-Length", fmt.Sprint(len(m.Body))})
	} else {
		m.Fields = append(m.Fields, Field{"Transfer-Encoding", "chunked"})
		if r.IntN(3) == 0 {
			m.Fields = append(m.Fields, Field{"Trailer", "X-Trailer"})
			m.Trailers = Fields{{"X-Trailer", "t"}}
		}
	}
	if r.IntN(6) == 0 {
		m.Fields = append(m.Fields, Field{"Expect", "100-continue"})
	}
	return m
}

// Answer makes one to a request.
func (r Random) Answer(request *Message) *Message {
	status := pick(r, 200, 200, 200, 200, 201, 202, 203, 204, 206, 299, 301, 302, 304, 400, 401, 403,
		404, 405, 406, 409, 410, 412, 413, 415, 416, 418, 422, 429, 431, 500, 501, 502, 503, 504, 599)
	m := &Message{
		Line: fmt.Sprintf("HTTP/1.1 %d %s", status, pick(r, "OK", "Not Found", "Odd  Phrase", "Ünicode", "x")),
		Fields: r.fields("Content-Type", "Warning", "Content-Encoding", "Cache-Control", "Vary",
			"Audit-Id", "X-Kubernetes-Pf-Flowschema-Uid", "Retry-After", "Location", "Server", "Set-Cookie",
			"Www-Authenticate", "Etag", "Last-Modified", "Allow", "Content-Range", "Accept-Ranges", "Link"),
	}
	m.Fields = append(m.Fields, Field{"Date", "Thu, 01 Jan 1970 00:00:00 GMT"})
	for range r.IntN(3) * r.IntN(2) {
		m.Before = append(m.Before, pick(r, "HTTP/1.1 103 Early Hints\r\nLink: x", "HTTP/1.1 100 Continue",
			"HTTP/1.1 102 Processing"))
	}
	method, _, _ := strings.Cut(request.Line, " ")
	if method == "HEAD" || status == 204 || status == 304 {
		if status != 204 && r.IntN(2) == 0 {
			m.Fields = append(m.Fields, Field{"Content-Length", fmt.Sprint(r.IntN(5000))})
		}
		return m
	}
	m.Body = r.Blob()
	m.Framing = pick(r, "length", "chunked", "chunked", "close")
	switch m.Framing {
	case "length":
		m.Fields = append(m.Fields, Field{"Content-Length", fmt.Sprint(len(m.Body))})
	case "chunked":
		m.Fields = append(m.Fields, Field{"Transfer-Encoding", "chunked"})
		if r.IntN(4) == 0 {
			m.Trailers = Fields{{"X-Trailer", "t"}}
		}
	}
	if r.IntN(10) == 0 {
		m.Fields = append(m.Fields, Field{"Connection", pick(r, "close", "x-odd", "keep-alive")})
	}
	return m
}
