package memory

import (
	"runtime"
	"testing"
)

// What was held for a moment goes back to the system at the first quiet look, and a
// server that needs what it has is left alone.
func TestMemoryThatNobodyNeedsAnyMoreGoesBack(t *testing.T) {
	var i idle
	i.look()
	calm := i.needed
	const much = 4 * worthIt
	block := make([]byte, much)
	for at := range block {
		block[at] = 1 // so that the system has to give it
	}
	held, _ := heldNow()
	if held < much {
		t.Fatalf("%d bytes are held, %d before", held, calm)
	}
	lookUntil(&i) // the collector ran for the block; then it is quiet
	if i.needed < much {
		t.Errorf("%d bytes are known to be needed", i.needed)
	}
	if i.look() {
		t.Error("memory that is needed was collected again")
	}
	if block[0] != 1 {
		t.Fatal("the block is held until here")
	}
	block = nil
	i.needed = calm // as before the block
	lookUntil(&i)
	if held, _ = heldNow(); held > calm+worthIt {
		t.Errorf("%d bytes are held, %d were before", held, calm)
	}
}

// lookUntil looks until memory was given back, which a collection under way delays.
func lookUntil(i *idle) {
	for range 1000 {
		if i.look() {
			return
		}
		runtime.Gosched()
	}
}
