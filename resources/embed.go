// Package resources holds what can be recorded: one file per resource type, which says how the resources are listed and
// described, where their identity is found, and what their configuration items look like, with recorded answers and the
// items they make. It imports nothing of Plumb; package resource reads the files, docs/how-to/resource-type.md explains
// them, and types.txt lists every type name that AWS Config knows.
package resources

import "embed"

// FS has every file of this folder. It is read-only by construction.
//
//go:embed *.yaml types.txt
var FS embed.FS
