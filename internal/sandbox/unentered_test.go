//go:build linux

package sandbox

import "testing"

func TestProgramThatDoesNotBeginWithMainStartsNoChildren(t *testing.T) {
	entered.Store(false)
	defer entered.Store(true)
	if r := Probe(t.TempDir()); r.Level != None {
		t.Fatalf("the level is %s, so a child was started", r.Level)
	}
}
