package wire

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// namespace is a network of its own, as a machine or a Pod has one. It bears no name
// and ends with this process, or with Close and all that runs in it.
type namespace struct{ file *os.File }

func newNamespace() (*namespace, error) {
	n := &namespace{}
	err := onThread(func() error {
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			n.file, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	return n, err
}

// onThread runs f on a thread that ends with it.
func onThread(f func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		result <- f()
	}()
	return <-result
}

func (n *namespace) Close() { n.file.Close() }

// path is where others find it, while this process lives.
func (n *namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// do runs f in it; what f opens stays there.
func (n *namespace) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(n.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// ip runs commands of ip(8) in it.
func (n *namespace) ip(commands ...string) error {
	return n.do(func() error {
		for _, command := range commands {
			if output, err := exec.Command("ip", strings.Fields(command)...).CombinedOutput(); err != nil {
				return fmt.Errorf("ip %s: %v: %s", command, err, output)
			}
		}
		return nil
	})
}

func (n *namespace) Dial(protocol, address string) (connection net.Conn, err error) {
	err = n.do(func() error {
		connection, err = net.Dial(protocol, address)
		return err
	})
	return connection, err
}

// permit lets addresses of loopback be reached from other namespaces: clients are
// served at no others. To be called before there are links.
func (n *namespace) permit() error {
	return n.do(func() error {
		for _, value := range []string{"all/route_localnet=1", "all/rp_filter=0", "default/rp_filter=0"} {
			name, value, _ := strings.Cut(value, "=")
			if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+name, []byte(value), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// network is a proxy's namespace with a link to its client's, and one to the API
// server's. Each link is a cable: it can be cut, and nobody is told.
type network struct{ proxy, client, server *namespace }

// serverHost is the API server's address.
const serverHost = "10.9.2.2"

func newNetwork() (*network, error) {
	n := &network{}
	for _, one := range []**namespace{&n.proxy, &n.client, &n.server} {
		var err error
		if *one, err = newNamespace(); err != nil {
			return nil, err
		}
		if err := (*one).permit(); err != nil {
			return nil, err
		}
	}
	if err := n.proxy.ip("link set lo up",
		"link add client type veth peer name proxy netns "+n.client.path(),
		"link add server type veth peer name proxy netns "+n.server.path(),
		"addr add 10.9.1.1/24 dev client", "addr add 10.9.2.1/24 dev server",
		"link set client up", "link set server up"); err != nil {
		return nil, err
	}
	// The client's loopback stays down: 127.0.0.1 is the proxy there.
	if err := n.client.ip("addr add 10.9.1.2/24 dev proxy", "link set proxy up",
		"route add 127.0.0.1/32 via 10.9.1.1 dev proxy"); err != nil {
		return nil, err
	}
	return n, n.server.ip("addr add "+serverHost+"/24 dev proxy", "link set proxy up")
}

// cut ends the link of one of the two.
func (n *network) cut(side *namespace) error { return side.ip("link set proxy down") }

func (n *network) Close() {
	for _, one := range []*namespace{n.proxy, n.client, n.server} {
		one.Close()
	}
}
