// Package archive reads the files that AWS Config itself wrote, snapshots and history,
// and has their items recorded as they are: this is how a company tries Plumb on its
// own past.
//
// A Source is where the files lie: a folder, or a bucket. Files are read item by item,
// whatever their size. How far each has come is kept in the transaction that records
// its items, so that an import that was stopped, however, goes on where it was, and one
// that is through does nothing when it is asked again.
//
// The package makes no items, which recorder does, and knows no account's credentials:
// a Source brings its own.
package archive
