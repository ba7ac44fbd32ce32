// Package rules holds the catalogue of what can be checked: identifiers.tsv, the
// managed rules that AWS Config knows, unevaluated.tsv, why some are not evaluated, one
// YAML file for each of them that Plumb can evaluate, with its examples, and templates
// of those that are alike.
//
// It is data, not work: internal/rule/managed reads and evaluates it. The tests
// of this package run every example of every file.
package rules

import "embed"

//go:embed identifiers.tsv unevaluated.tsv *.yaml templates
var files embed.FS

// Files returns the catalogue's files; it is read-only.
func Files() embed.FS { return files }
