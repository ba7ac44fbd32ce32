package sandbox

import (
	"crypto/tls"
	"os"
	"slices"
	"strconv"
)

// A Spec says what to start and what it may see. Paths in Args, Env and Dir are
// those that the child sees: see Level.Path.
type Spec struct {
	Args   []string // Args[0] is the path of the program
	Env    []string
	Dir    string
	Mounts []Mount
	Output *os.File // standard output and error

	// Listen names the environment variable that tells the child the loopback
	// address, host:port, at which the parent's Process.Listener accepts it.
	Listen string
	// Forward are the addresses that the child may connect to besides.
	Forward []Forward
	// Names are those that a child with its own network can look up.
	Names Names

	Limits Resource
}

// A Forward is an address that a child reaches. Where the child has its own
// network, a connection to Inside, a loopback host:port, is carried to Outside.
// Elsewhere the child connects to Outside itself.
type Forward struct {
	Inside, Outside string
	// TLS ends inside: what the child sends is decrypted here and goes on in the
	// clear. Only where the child has its own network.
	TLS *tls.Config `json:"-"`
}

// A Resource bounds what a child uses. Zero means no bound.
type Resource struct {
	Memory    int64 // bytes of the child and its children together
	FileSize  int64 // bytes of one file that it writes
	OpenFiles uint64
	Processes uint64 // processes and threads
}

// listenInside returns where a child with its own network finds its listener.
// The network is the child's alone, so the address can be the same for all,
// unless a forward needs it.
func (s Spec) listenInside() string {
	for port := 9001; ; port++ {
		address := "127.0.0.1:" + strconv.Itoa(port)
		if !slices.ContainsFunc(s.Forward, func(f Forward) bool { return f.Inside == address }) {
			return address
		}
	}
}
