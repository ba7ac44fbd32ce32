package main

import (
	"os"
	"testing"
	"time"

	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main() // a function's process begins as a copy of this one
	os.Exit(m.Run())
}

// Nobody looks at a measurement every day, and what it calls changes all the same.
// The part program is left out: it builds the program.
func TestEveryPartStillMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server for each part")
	}
	for _, p := range parts() {
		t.Run(p.name, func(t *testing.T) {
			if p.name == "program" {
				t.Skip("it builds the program")
			}
			b := &bench{options: options{rounds: 1, turn: 10 * time.Millisecond, batch: 100, rules: 14, clients: 2, changes: 10, items: 200, quick: true, archived: 1200, resources: 2000}}
			defer b.close()
			if err := b.open(); err != nil {
				t.Fatal(err)
			}
			if err := p.run(t.Context(), b); err != nil {
				t.Error(err)
			}
			b.table.print(t.Output())
		})
	}
}
