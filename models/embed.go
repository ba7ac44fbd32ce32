// Package models holds the wire contracts: AWS's API models stripped of prose, one file per service, with one operation
// or shape a line. It imports nothing of Plumb; package model reads the files.
//
// services.json lists what is stripped and why ("serve" or "collect"), NAME.json is written by internal/model/strip and
// not edited, NAME.more.json adds what the stripped source does not have yet, and patches.json holds our corrections,
// each with its reason.
package models

import "embed"

// FS has every file of this folder. It is read-only by construction.
//
//go:embed *.json
var FS embed.FS
