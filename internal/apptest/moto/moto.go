// Package moto runs moto's server, a cloud that we did not write, for tests and for the
// benchmarks. It stores nothing, and is not for the program itself.
//
//	url, stop, err := moto.Start()
package moto

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
)

// ErrNone is the error of Start where moto is not installed or does not start.
var ErrNone = errors.New("no moto_server: pip install 'moto[server]' to run this test")

// Start runs moto's server on a free port of this machine until stop is called.
func Start() (url string, stop func(), err error) {
	program, err := exec.LookPath("moto_server")
	if err != nil {
		return "", nil, ErrNone
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command(program, "-p", fmt.Sprint(port))
	out, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Running on") {
			go io.Copy(io.Discard, out) // its log must not fill the pipe
			return fmt.Sprintf("http://127.0.0.1:%d", port), stop, nil
		}
	}
	stop()
	return "", nil, ErrNone
}
