package controlplane

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// reservations keep the ports that were handed out ours, as long as we live.
var reservations struct {
	sync.Mutex
	sockets []net.Listener
}

// FreePort finds a TCP port of the loopback interface that nobody listens on, and
// that no other call, in any process of ours, will find: a child binds it later,
// and may bind it again after a restart. It lies below the kernel's ephemeral
// range, so that no outgoing connection can take it.
func FreePort() (int, error) {
	for range 1000 {
		port := 15000 + rand.IntN(32000-15000)
		// An abstract socket of that name is the reservation. It is known in the
		// same network namespace as the port, and ends with the process.
		reservation, err := net.Listen("unix", fmt.Sprintf("@ringside-test-port-%d", port))
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", loopback(port))
		if err != nil {
			reservation.Close()
			continue
		}
		listener.Close()
		reservations.Lock()
		reservations.sockets = append(reservations.sockets, reservation)
		reservations.Unlock()
		return port, nil
	}
	return 0, fmt.Errorf("no free port between 15000 and 32000")
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
