package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Go's collector runs when as much again was allocated, or after two minutes, and what it
// finds goes back to the system by little and little. A server that held much for a
// moment and is quiet afterwards would hold it for minutes.
const (
	lookEvery = 5 * time.Second
	worthIt   = 32 << 20 // bytes: a collection takes some 10 milliseconds
)

// ReturnIdle gives memory back to the system that the process held for a while and does
// not need any more, until the context ends.
func ReturnIdle(ctx context.Context) {
	var i idle
	for tick := time.NewTicker(lookEvery); ; {
		select {
		case <-tick.C:
			i.look()
		case <-ctx.Done():
			tick.Stop()
			return
		}
	}
}

// An idle knows what the process needed when memory was given back last.
type idle struct {
	needed uint64 // bytes; 0 before the first look
	cycles uint64 // of the collector, at the last look
}

// look gives memory back if there is more of it than was needed, and the collector, which
// is busy where the server is, had nothing to do since the last look. It reports whether
// it did.
func (i *idle) look() bool {
	held, cycles := heldNow()
	quiet := cycles == i.cycles
	i.cycles = cycles
	if i.needed == 0 || held < i.needed {
		i.needed = held
	}
	if !quiet || held < i.needed+worthIt {
		return false
	}
	debug.FreeOSMemory()
	i.needed, i.cycles = heldNow()
	return true
}

// heldNow is how many bytes Go has of the system, and how often its collector ran.
func heldNow() (held, cycles uint64) {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64(), s[2].Value.Uint64()
}
