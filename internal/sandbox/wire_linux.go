package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// The parent and the child that is building its walls talk over a socket pair.
// The parent writes an order and closes its half. The child answers with its
// listeners, when it has some, then with "ready"; the socket closes by itself
// when the child has become the program. An error text may come at any time
// instead.
const (
	sayListeners = 'L'
	sayReady     = 'R'
	sayError     = 'E' // the walls cannot be built
	sayProgram   = 'P' // the program cannot be executed
)

// controlFD is the child's end of the socket pair.
const controlFD = 3

// An order is what the parent asks of the child.
type order struct {
	Level    Level
	Spec     Spec
	Root     string   // empty folder on which the child's own root is mounted
	Listen   []string // loopback addresses to listen at and hand back
	Resolver string   // address at which the child looks names up, handed back too; empty without names
	Connect  []int    // ports that the child may connect to, where there is one network
	UID      int      // user to become inside, 0 for none
	Scoped   bool     // the kernel keeps signals inside by itself
	Watched  bool     // no control group holds the memory
	Check    bool     // build the walls, then leave instead of starting a program
}

// giveOrder writes the order and closes the writing half.
func giveOrder(sock *os.File, o order) error {
	o.Spec.Output = nil
	if err := json.NewEncoder(sock).Encode(o); err != nil {
		return fmt.Errorf("give order: %w", err)
	}
	return unix.Shutdown(int(sock.Fd()), unix.SHUT_WR)
}

// hearChild reads what the child says until it has become the program. It
// returns what the child opened in its own network: listeners, and where it looks
// names up.
func hearChild(sock *os.File) (listeners []net.Listener, names net.PacketConn, err error) {
	var (
		ready  bool
		text   = make([]byte, 4096)
		rights = make([]byte, unix.CmsgSpace(4*16))
	)
	for {
		n, oob, _, _, err := unix.Recvmsg(int(sock.Fd()), text, rights, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return listeners, names, fmt.Errorf("receive from child: %w", err)
		}
		if n == 0 {
			if !ready {
				return listeners, names, errors.New("the child left before it was ready")
			}
			return listeners, names, nil
		}
		if oob > 0 {
			got, resolver, err := takeListeners(rights[:oob])
			listeners = append(listeners, got...)
			if resolver != nil {
				names = resolver
			}
			if err != nil {
				return listeners, names, err
			}
		}
		// Messages are short and may arrive joined; an error text is last.
		for i := 0; i < n; i++ {
			switch text[i] {
			case sayReady:
				ready = true
			case sayError, sayProgram:
				rest, _ := io.ReadAll(sock)
				err := errors.New(string(text[i+1:n]) + string(rest))
				if text[i] == sayProgram {
					err = &ProgramError{err.Error()}
				}
				return listeners, names, err
			}
		}
	}
}

// takeListeners makes listeners of the descriptors in a control message, and of the
// one for datagrams what answers them.
func takeListeners(b []byte) (out []net.Listener, names net.PacketConn, err error) {
	messages, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return nil, nil, fmt.Errorf("parse control message: %w", err)
	}
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			return out, names, fmt.Errorf("parse descriptors: %w", err)
		}
		for _, fd := range fds {
			f := os.NewFile(uintptr(fd), "listener")
			if kind, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); kind == unix.SOCK_DGRAM {
				names, err = net.FilePacketConn(f)
			} else {
				var l net.Listener
				if l, err = net.FileListener(f); err == nil {
					out = append(out, l)
				}
			}
			f.Close()
			if err != nil {
				return out, names, fmt.Errorf("listener of child: %w", err)
			}
		}
	}
	return out, names, nil
}

// handOver sends the descriptors of listeners to the parent.
func handOver(fds []int) error {
	return unix.Sendmsg(controlFD, []byte{sayListeners}, unix.UnixRights(fds...), nil, 0)
}
