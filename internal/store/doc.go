// Package store keeps what AWS Config knows: configuration items and the newest
// one of each resource, recorders, delivery channels, rules, verdicts, tags.
//
// The items are in a table for each month, and what they say, packed, in one for
// all: history_month.go and body.go begin with how. AsOf tells what was true at
// some time; retention.go, expire.go and expire_month.go are how the past goes.
//
// It is functions on a transaction that the caller opened, one file per noun,
// SQL beside the scan. It decides nothing: what is a change, what a verdict may
// replace, who may delete what stands in the verbs. Nothing here calls a
// network.
package store

import "errors"

// ErrNotFound is what a read returns when the thing was never there, or is gone.
var ErrNotFound = errors.New("not found")
