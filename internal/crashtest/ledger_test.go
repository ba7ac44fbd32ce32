package crashtest

import (
	"fmt"
	"slices"
	"sync"
)

// gone is the serial number of a resource that was deleted.
const gone = -1

// An attempt is one change of a resource that the test asked for.
type attempt struct {
	serial int // or gone
	acked  bool
}

// A subject is one resource. One writer changes it, one change at a time, so
// that its changes have an order.
type subject struct {
	resourceType, id string
	// every is set where each acknowledged change makes an item of its own. What
	// an embedded service announces is read a moment later, and several changes
	// may be one item.
	every    bool
	attempts []attempt
}

// A ledger is what was asked for and what was acknowledged.
type ledger struct {
	mu       sync.Mutex
	subjects []*subject
	objects  map[string][]attempt // key of an object: contents
	sent     map[string]bool      // messages: acknowledged
	deleted  map[string]bool      // messages whose deletion was asked for: acknowledged
	aside    map[string][]attempt // evaluations from outside, by resource id
	rules    map[string][]attempt // rules that come and go, by name: 1 or gone
	acked    map[string]int       // by operation
	unknown  map[string]int       // asked for while the server was killed
	refused  map[string]int       // answered with an error: there should be none
}

func newLedger() *ledger {
	return &ledger{
		objects: map[string][]attempt{}, sent: map[string]bool{}, deleted: map[string]bool{}, aside: map[string][]attempt{}, rules: map[string][]attempt{},
		acked: map[string]int{}, unknown: map[string]int{}, refused: map[string]int{},
	}
}

// lastAcked returns the index of the last acknowledged attempt, -1 if none was.
func lastAcked(attempts []attempt) int {
	for i, a := range slices.Backward(attempts) {
		if a.acked {
			return i
		}
	}
	return -1
}

// possible reports whether a resource may be at that serial number now: it was
// the last one acknowledged, or is one in flight after it.
func possible(attempts []attempt, serial int) bool {
	last := lastAcked(attempts)
	return last < 0 || slices.ContainsFunc(attempts[last:], func(a attempt) bool { return a.serial == serial })
}

// explains returns an error if a history cannot come of the attempts: they are
// in it in their order, none that was acknowledged is missing where every change
// is an item, and it ends with the last one acknowledged or a later one.
func (s *subject) explains(history []int) error {
	// reach[j]: the history so far may end with attempt j-1; 0 is before the first.
	reach := make([]bool, len(s.attempts)+1)
	reach[0] = true
	for n, serial := range history {
		next := make([]bool, len(reach))
		open, found := false, false
		for j, a := range s.attempts {
			open = open || reach[j]
			if open && a.serial == serial {
				next[j+1], found = true, true
			}
			if s.every && a.acked {
				open = false // it cannot be left out
			}
		}
		if !found {
			return fmt.Errorf("entry %d of the history, serial %d, is missing, unknown or out of order:\nhistory  %v\nattempts %v", n, serial, history, s.attempts)
		}
		reach = next
	}
	if last := lastAcked(s.attempts); !slices.Contains(reach[last+1:], true) {
		return fmt.Errorf("the history does not go as far as what was acknowledged last:\nhistory  %v\nattempts %v", history, s.attempts)
	}
	return nil
}
