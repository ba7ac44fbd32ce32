package sandbox

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"testing"
)

// Children of the test collect garbage all the time: what they keep only by a
// number is soon closed.
func init() {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		debug.SetGCPercent(1)
	}
}

// A child that is slow to build its walls, among many, must not be taken for one
// that has left.
func TestManyChildrenBeginAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	levels(t, func(t *testing.T, tr *trial) {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		spec := tr.spec
		spec.Env, spec.Output = []string{"INSIDE=read"}, null
		spec.Args = append(spec.Args, os.DevNull)
		spec.Limits.Memory = 256 << 20
		spec.Listen = "WHERE"
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 15 {
					p, err := tr.box.Start(context.Background(), spec)
					if err != nil {
						t.Error(err)
						return
					}
					p.Wait()
				}
			})
		}
		wg.Wait()
	})
}
