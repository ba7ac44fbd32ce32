package sandbox

import (
	"context"
	"os"
	"runtime"
	"testing"
)

// Children of this test program collect garbage all the time: what they hold
// only by a number is soon closed.
func init() {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		go func() {
			for {
				runtime.GC()
			}
		}()
	}
}

// A child that collects garbage while it builds its walls must not be taken for
// one that has left.
func TestEveryChildBegins(t *testing.T) {
	for _, l := range []Level{Limits, Probe(t.TempDir()).Level} {
		t.Run(l.String(), func(t *testing.T) {
			tr := newTrial(t, l)
			spec := tr.spec
			spec.Env, spec.Output, spec.Listen = []string{"INSIDE=quiet"}, os.Stderr, "WHERE"
			for range 50 {
				p, err := tr.box.Start(context.Background(), spec)
				if err != nil {
					t.Fatal(err)
				}
				p.Wait()
			}
		})
	}
}
