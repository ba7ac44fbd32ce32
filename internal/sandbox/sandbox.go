package sandbox

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
)

// A Box starts children at one level. It is safe for concurrent use.
type Box struct {
	log   *slog.Logger
	level Level
	root  string // empty folder that children mount their root on
	platform
}

// New returns a box at the report's level. It keeps one empty folder below dir.
// Close it when the program ends.
func New(log *slog.Logger, r Report, dir string) (*Box, error) {
	b := &Box{log: log, level: r.Level, root: filepath.Join(dir, "root")}
	if err := os.MkdirAll(b.root, 0o755); err != nil {
		return nil, err
	}
	b.open()
	return b, nil
}

// Level returns how strongly the box holds its children.
func (b *Box) Level() Level { return b.level }

// ErrMemory is why Wait says that a child was killed when it outgrew its memory.
var ErrMemory = errors.New("out of memory")

// A ProgramError is why Start failed when the walls stood but the program could
// not be executed: it is missing, not executable or not for this machine.
type ProgramError struct{ text string }

func (e *ProgramError) Error() string { return e.text }
