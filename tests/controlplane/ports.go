package controlplane

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort finds a TCP port of the loopback interface that nobody listens on.
// It lies below the kernel's ephemeral range: no outgoing connection can take it
// between now and the moment when a child binds it.
func FreePort() (int, error) {
	for range 200 {
		port := 15000 + rand.IntN(32000-15000)
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		listener.Close()
		return port, nil
	}
	return 0, fmt.Errorf("no free port between 15000 and 32000")
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
