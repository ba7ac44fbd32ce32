package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
)

// listen opens a listener at the address of a setting. Its errors say what to do.
func listen(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	var (
		host *net.DNSError
		port *net.AddrError
	)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s: the address is in use: another program, maybe another Plumb, has it; give another one with --%s, or 127.0.0.1:0 for any free port",
			setting, address, setting)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s %s: this user may not listen there: give a port above 1023 with --%s", setting, address, setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s %s: this machine does not have that address: give one that it has with --%s, such as 127.0.0.1", setting, address, setting)
	case errors.As(err, &port):
		return nil, fmt.Errorf("%s %s: %s: want HOST:PORT with a port from 0 to 65535", setting, address, port.Err)
	case errors.As(err, &host):
		return nil, fmt.Errorf("%s %s: the name %s is not known here: give an address that this machine has with --%s", setting, address, host.Name, setting)
	}
	return nil, fmt.Errorf("%s %s: %w", setting, address, err)
}
