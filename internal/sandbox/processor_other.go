//go:build !linux

package sandbox

import "time"

// A Schedule is what a scheduler counts for a program; here none does.
type Schedule struct{ Ran, Waited time.Duration }

// Schedule is not known here.
func (p *Process) Schedule() Schedule { return Schedule{} }

// OwnSchedule is not known here.
func OwnSchedule() map[string]Schedule { return nil }
