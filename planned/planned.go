// Package planned holds how resources that are planned become configuration items:
// one file per resource type of Terraform and of CloudFormation, with examples. It
// imports nothing of Plumb; package preview reads the files, and
// docs/how-to/planned-type.md explains them.
package planned

import "embed"

// FS has every file of this folder. It is read-only by construction.
//
//go:embed terraform/*.yaml cloudformation/*.yaml
var FS embed.FS
