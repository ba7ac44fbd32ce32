// Package store keeps what AWS Config knows: configuration items and the newest
// one of each resource, recorders, delivery channels, rules, verdicts, tags.
//
// It is functions on a transaction that the caller opened, one file per noun,
// SQL beside the scan. It decides nothing: what is a change, what a verdict may
// replace, who may delete what stands in the verbs. Nothing here calls a
// network.
package store

import "errors"

// ErrNotFound is what a read returns when the thing was never there, or is gone.
var ErrNotFound = errors.New("not found")
