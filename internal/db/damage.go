package db

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// An OpenError is why a store could not be opened, and what to do about it.
type OpenError struct {
	Err    error
	Advice string
}

// Error is one line, also where the driver writes one for each of its tries.
func (e *OpenError) Error() string { return e.Reason() + ": " + e.Advice }

// Reason is the error in one line, without the advice.
func (e *OpenError) Reason() string {
	var lines []string
	for line := range strings.Lines(e.Err.Error()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(slices.Compact(lines), " ")
}

// Unwrap returns the error itself.
func (e *OpenError) Unwrap() error { return e.Err }

// advised adds what to do to the errors of a store that people meet.
func advised(err error) error {
	var lite *sqlite.Error
	var unreached *pgconn.ConnectError
	switch {
	case errors.Is(err, errCut), errors.As(err, &lite) && (lite.Code()&0xff == sqlite3.SQLITE_NOTADB || lite.Code()&0xff == sqlite3.SQLITE_CORRUPT):
		return &OpenError{err, "the file is damaged or is no database: move it away and restore a backup with plumb restore, or name another one with --database"}
	case errors.As(err, &unreached):
		return &OpenError{err, "see that the server runs, that --database names it, and that the user may log in and create tables"}
	}
	return err
}

// errCut is that a SQLite file ends before its last page.
var errCut = errors.New("the file is cut short")

// checkLength returns errCut if a SQLite file is shorter than its head says. SQLite
// would say so when it first needs what is missing. A log beside the file may have it.
func checkLength(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // SQLite says what is wrong
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return nil
	}
	head := make([]byte, 100)
	if _, err := io.ReadFull(f, head); err != nil || !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return nil
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 1 << 16
	}
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	if current := bytes.Equal(head[24:28], head[92:96]); current && info.Size() < pages*page {
		return fmt.Errorf("open SQLite %s: %w: it has %d bytes of %d", path, errCut, info.Size(), pages*page)
	}
	return nil
}
