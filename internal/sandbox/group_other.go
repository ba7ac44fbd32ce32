//go:build !unix

package sandbox

import (
	"os"
	"syscall"
)

// ownGroup is nothing where the system has no process groups: there, only the
// child itself can be killed.
func ownGroup() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { p.Kill() }
