package sandbox

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// openNetwork raises the loopback of the child's own network, listens there and
// hands the listeners to the parent. What connects there, the parent answers: there is
// no other way out.
func openNetwork(listen []string, resolver string) error {
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("raise loopback: %w", err)
	}
	var fds []int
	for _, address := range listen {
		fd, err := listenAt(address, unix.SOCK_STREAM)
		if err != nil {
			return fmt.Errorf("listen at %s: %w", address, err)
		}
		fds = append(fds, fd)
	}
	if resolver != "" {
		fd, err := listenAt(resolver, unix.SOCK_DGRAM)
		if err != nil {
			return fmt.Errorf("answer for names at %s: %w", resolver, err)
		}
		fds = append(fds, fd)
	}
	if len(fds) == 0 {
		return nil
	}
	if err := handOver(fds); err != nil {
		return fmt.Errorf("hand over listeners: %w", err)
	}
	for _, fd := range fds {
		unix.Close(fd)
	}
	return nil
}

func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// listenAt makes a plain TCP listener, or a socket for datagrams. The net package
// would do, but it opens multipath sockets and keeps a poller running for them.
func listenAt(address string, kind int) (int, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return -1, err
	}
	var (
		family = unix.AF_INET6
		to     unix.Sockaddr
	)
	if a.Addr().Is4() {
		family = unix.AF_INET
		to = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	} else {
		to = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, to); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if kind == unix.SOCK_DGRAM {
		return fd, nil
	}
	if err := unix.Listen(fd, 128); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
