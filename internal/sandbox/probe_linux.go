package sandbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

// Probe tries the levels from the strongest down, each with a real child below
// dir, and reports the first that works.
func Probe(dir string) Report {
	var r Report
	for l := Namespaces; l > None; l-- {
		err := try(l, dir)
		if err == nil {
			r.Level = l
			break
		}
		r.Reasons = append(r.Reasons, fmt.Sprintf("%s: %v", l, err))
	}
	r.Memory = "cgroup"
	if findControlGroups().base == "" {
		r.Memory = "watch"
		r.Reasons = append(r.Reasons, "memory: no control group can be made here; what processes have mapped is measured ten times a second instead, "+
			"and shared memory that need not be mapped is refused")
	}
	if r.Level == Landlock {
		r.Reasons = append(r.Reasons, weaknesses(landlockVersion())...)
	}
	return r
}

// try builds the walls of a level around a child that leaves at once.
func try(l Level, dir string) error {
	if l == Landlock && landlockVersion() == 0 {
		return fmt.Errorf("the kernel has no Landlock, or it is off")
	}
	b, err := New(slog.New(slog.NewTextHandler(io.Discard, nil)), Report{Level: l}, dir)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	p, err := b.start(ctx, Spec{Output: os.Stderr, Limits: Resource{OpenFiles: 64}}, true)
	if err != nil {
		return err
	}
	state, err := p.Wait()
	if err != nil {
		return err
	}
	if !state.Success() {
		return fmt.Errorf("the child ended with %s", state)
	}
	return nil
}

// weaknesses says what an older Landlock leaves open.
func weaknesses(version int) []string {
	var out []string
	if version < landlockNetwork {
		out = append(out, "landlock: this kernel does not limit TCP connections (it needs Linux 6.7)")
	}
	if version < landlockScopes {
		out = append(out, "landlock: this kernel does not keep signals inside (it needs Linux 6.12); functions may signal themselves only")
	}
	return out
}
