package rig

import (
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ringside.dev/ringside/tests/controlplane"
)

// Link is the network between one member and an API server: bytes, relayed. It
// delays them, or loses them, as networks do: what is lost stays lost, and who had
// a connection learns of it when the network is mended.
type Link struct {
	listener net.Listener
	target   string // host:port
	plane    *Cluster
	dir      string

	mutex sync.Mutex
	delay time.Duration
	// What is lost on the way to the API server, and on the way back.
	lost  [2]bool
	pairs map[*linked]bool
}

// linked is one connection. A broken one has lost bytes: nothing passes any more.
type linked struct {
	ends   [2]net.Conn // the member's, the API server's
	broken [2]bool
}

// StartLink starts a link to the first API server.
func (c *Cluster) StartLink(name string) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{
		listener: listener,
		target:   c.API.Host(),
		plane:    c,
		dir:      filepath.Join(c.Dir, "link-"+name),
		pairs:    map[*linked]bool{},
	}
	go l.serve()
	return l, os.MkdirAll(l.dir, 0o755)
}

// Kubeconfig writes a kubeconfig with which user reaches the API server this way.
func (l *Link) Kubeconfig(user string) (string, error) {
	path := filepath.Join(l.dir, user+".yaml")
	url := "https://" + l.listener.Addr().String()
	return path, controlplane.WriteKubeconfig(path, url, l.plane.API.CAFile(), l.plane.Token(user))
}

// Close ends it, and what is under way.
func (l *Link) Close() {
	l.listener.Close()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for pair := range l.pairs {
		pair.reset()
	}
}

// Delay holds back each byte, in both directions, from now on.
func (l *Link) Delay(delay time.Duration) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.delay = delay
}

// Cut loses what goes there, what comes back, or both. A connection that has lost
// something is reset when the link is mended, as its ends would find out then.
func (l *Link) Cut(there, back bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lost = [2]bool{there, back}
	for pair := range l.pairs {
		pair.broken[0] = pair.broken[0] || there
		pair.broken[1] = pair.broken[1] || back
	}
}

// Mend lets bytes pass again, without delay.
func (l *Link) Mend() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.delay, l.lost = 0, [2]bool{}
	for pair := range l.pairs {
		if pair.broken[0] || pair.broken[1] {
			pair.reset()
		}
	}
}

func (p *linked) reset() {
	for _, end := range p.ends {
		if tcp, ok := end.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		end.Close()
	}
}

func (l *Link) serve() {
	for {
		member, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.relay(member)
	}
}

func (l *Link) relay(member net.Conn) {
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		// What a server that is down answers: a reset.
		(&linked{ends: [2]net.Conn{member, member}}).reset()
		return
	}
	l.mutex.Lock()
	pair := &linked{ends: [2]net.Conn{member, server}, broken: l.lost}
	l.pairs[pair] = true
	l.mutex.Unlock()
	var group sync.WaitGroup
	for way := range 2 {
		group.Go(func() { l.carry(pair, way) })
	}
	group.Wait()
	l.mutex.Lock()
	delete(l.pairs, pair)
	l.mutex.Unlock()
	member.Close()
	server.Close()
}

type parcel struct {
	due  time.Time
	data []byte // empty: the end
}

// carry carries what one end sends to the other one.
func (l *Link) carry(pair *linked, way int) {
	from, to := pair.ends[way], pair.ends[1-way]
	parcels := make(chan parcel, 1024)
	go func() {
		defer close(parcels)
		for {
			buffer := make([]byte, 16<<10)
			n, err := from.Read(buffer)
			l.mutex.Lock()
			due := time.Now().Add(l.delay)
			l.mutex.Unlock()
			if n > 0 {
				parcels <- parcel{due, buffer[:n]}
			}
			if err != nil {
				parcels <- parcel{due, nil}
				return
			}
		}
	}()
	for parcel := range parcels {
		time.Sleep(time.Until(parcel.due))
		l.mutex.Lock()
		lost := pair.broken[way]
		l.mutex.Unlock()
		switch {
		case lost: // for ever
		case len(parcel.data) > 0:
			_, _ = to.Write(parcel.data) // who has gone away reads nothing
		default:
			to.Close()
		}
	}
}
