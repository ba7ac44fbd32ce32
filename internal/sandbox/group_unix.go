//go:build unix && !linux

package sandbox

import (
	"os"
	"syscall"
)

// ownGroup has a child begin a process group, so that its own children end with
// it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
