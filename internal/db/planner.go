package db

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite may plan a statement by the values of its parameters, for LIMIT ? and for partial indexes.
// It then prepares the statement anew each time such a value is bound, and a statement that is kept
// saves nothing: of the time of a fetch of jobs, four fifths went there. With
// SQLITE_DBCONFIG_ENABLE_QPSG a statement's plan is the same for all values. The driver
// has no setting for it, so SQLite is told to set it when it opens a connection.
func init() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_auto_extension(tls, functionPointer(stablePlans))
}

// stablePlans has the form of an extension's entry point: the connection, where to
// put an error's text, SQLite's functions.
func stablePlans(tls *libc.TLS, conn, _, _ uintptr) int32 {
	const slot = 8 // bytes, of each variable argument
	args := tls.Alloc(2 * slot)
	defer tls.Free(2 * slot)
	return sqlite3.Xsqlite3_db_config(tls, conn, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, libc.VaList(args, int32(1), uintptr(0)))
}

// functionPointer is what translated C code takes as a pointer to a Go function.
func functionPointer(f any) uintptr {
	type iface struct{ kind, data uintptr }
	return (*iface)(unsafe.Pointer(&f)).data
}
