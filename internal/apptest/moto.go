package apptest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// ErrNoMoto is the error of StartMoto where moto is not installed or does not start.
var ErrNoMoto = errors.New("no moto_server: pip install 'moto[server]' to run this test")

// StartMoto runs moto's server on a free port of this machine until stop is called.
func StartMoto() (url string, stop func(), err error) {
	program, err := exec.LookPath("moto_server")
	if err != nil {
		return "", nil, ErrNoMoto
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
	return "", nil, ErrNoMoto
}

// target starts a cloud that a story's server has as its target.
func (st *story) target(ts *testscript.TestScript, _ []string) error {
	url, stop, err := StartMoto()
	if errors.Is(err, ErrNoMoto) {
		st.t.Skip(err)
	}
	if err != nil {
		return err
	}
	ts.Defer(stop)
	ts.Setenv("TARGET", url)
	return nil
}
