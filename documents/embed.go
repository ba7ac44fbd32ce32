// Package documents holds our own text of Automation documents that AWS owns and that remediations refer to: one file per
// document, with the document itself and examples, each of which is a test. It imports nothing of Plumb; package automation
// reads the files, docs/how-to/document.md explains them.
package documents

import "embed"

// FS has every file of this folder. It is read-only by construction.
//
//go:embed *.yaml
var FS embed.FS
