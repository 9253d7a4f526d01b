package wire

import "strings"

// Pair is a request as the upstream got it and its answer as the client got it.
type Pair struct{ Sent, Got *Message }

// Exception is something about which a client or the API server can tell the
// proxy from a direct connection. What and Why stand in README.md as they stand
// here; a test compares them. Hide takes out of a pair what cannot be compared,
// nil where nothing of it is ever seen in a comparison.
type Exception struct {
	What, Why string
	Hide      func(*Pair)
}

// Exceptions are all that there are. What differs otherwise is a defect.
var Exceptions = []Exception{
	{"`Date` of an answer is the proxy's", "h2o says it itself",
		func(p *Pair) { p.Got.Fields = p.Got.Fields.Without("Date") }},
	{"Hop-by-hop fields (`Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Trailer`, `Transfer-Encoding`, `Upgrade`, `HTTP2-Settings`, and what `Connection` names) do not pass, but for `Connection` and `Upgrade` of a handshake",
		"RFC 9110, 7.6.1. `Authorization`, `Accept`, `Accept-Encoding`, `Content-Type`, `Content-Encoding`, `User-Agent` and `Impersonate-*` pass even if `Connection` names them",
		func(p *Pair) {
			p.Sent.Fields = withoutHopByHop(p.Sent.Fields)
			p.Got.Fields = withoutHopByHop(p.Got.Fields)
		}},
	{"`Host` is the API server's", "it is another server",
		func(p *Pair) { p.Sent.Fields = p.Sent.Fields.Without("Host") }},
	{"`Content-Length`, chunking and the HTTP version are said anew; trailers do not pass",
		"two connections",
		func(p *Pair) {
			p.Sent.Fields = p.Sent.Fields.Without("Content-Length")
			// A length that is said must be right; where it stands does not matter.
			if length, ok := p.Got.Fields.Get("Content-Length"); ok {
				p.Got.Fields = append(p.Got.Fields.Without("Content-Length"),
					Field{"Content-Length", length})
			}
			p.Sent.Framing, p.Sent.Trailers = "", nil
			if p.Got.Framing != "length" {
				p.Got.Framing = ""
			}
			p.Got.Trailers = nil
		}},
	{"`Expect` does not pass, nor do answers 1xx; a client that asks for 100 Continue gets it from the proxy",
		"the body is gathered first",
		func(p *Pair) {
			p.Sent.Fields = p.Sent.Fields.Without("Expect")
			p.Got.Before = nil
		}},
	{"A request body is gathered before it is sent, up to `limits.body`; beyond, 413, or REFUSED_STREAM by HTTP/2 for more than twice that", "h2o; the fence must read it", nil},
	{"A path with `//`, `.`, `..` or a broken escape, or an odd query, is 400 where it also has a `%` or names a sharded resource, or `leases` where there are `locks`", "who reads it differently would slip past the narrowing", nil},
	{"Refused with 400: at most 100 header fields in a request (h2o); a method, target or field with a character that breaks its line; folded fields; a body whose length is said twice or both as length and chunked; targets that are no path (`*`, `http://…`, CONNECT)", "bounds; request smuggling", nil},
	{"A request head above `limits.head` is 431, requests above `limits.memory` are 429, a connection above `limits.connections` is closed, as is one whose request takes more than 20 s to arrive, that arrives slowest when memory is short, that takes back more than 1,000 requests in 10 s, or says more than 4 MiB in 10 s that belongs to no request (HTTP/2's PING, SETTINGS, empty DATA and the like)", "bounds", nil},
	{"At most 128 header fields and 64 KiB of them in an answer; beyond, 503 or 504", "bounds", nil},
	{"A client or an API server that acknowledges nothing for 45 s, though it is asked to, is dead: what is connected to it ends", "it would be kept for a quarter of an hour, or for ever", nil},
	{"Towards the client, h2o's HTTP/2 limits: 100 streams a connection", "h2o", nil},
	{"Upgrades to `websocket` and `SPDY/3.1` alone, by HTTP/1.1 only; other offers are declined", "h2o; as every server may", nil},
	{"A tunnel has no half-close: when one side ends, both do", "h2o", nil},
	{"Proxies named in the environment (`HTTPS_PROXY`) are not used upstream", "the fence needs to know when bytes leave", nil},
	{"Client certificates do not reach the API server", "the proxy ends TLS", nil},
	{"No connection to the API server: a `Status` 503 with Retry-After, or 504 if a write may have been carried out", "there is no answer to pass on", nil},
	{"An answer that breaks upstream is cut, never ended well, but for one by TLS that has no length and is not chunked (no API server sends such)", "a truncated body must not look complete; libcurl takes an end without TLS's close_notify for one", nil},
}

var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
	"Transfer-Encoding", "Upgrade", "HTTP2-Settings",
}

var endToEnd = []string{
	"Authorization", "Accept", "Accept-Encoding", "Content-Type", "Content-Encoding",
	"User-Agent",
}

func withoutHopByHop(fields Fields) Fields {
	names := append([]string{}, hopByHop...)
	for _, field := range fields {
		if !strings.EqualFold(field.Name, "Connection") {
			continue
		}
		for name := range strings.SplitSeq(field.Value, ",") {
			name = strings.TrimSpace(name)
			if !isEndToEnd(name) {
				names = append(names, name)
			}
		}
	}
	return fields.Without(names...)
}

func isEndToEnd(name string) bool {
	for _, other := range endToEnd {
		if strings.EqualFold(name, other) {
			return true
		}
	}
	return strings.HasPrefix(strings.ToLower(name), "impersonate-")
}

// Hide applies all exceptions.
func (p *Pair) Hide() {
	for _, exception := range Exceptions {
		if exception.Hide != nil {
			exception.Hide(p)
		}
	}
}
