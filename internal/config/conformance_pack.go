package config

import (
	"strings"
	"time"
)

// ConformancePackPrincipal is the service that makes the rules of conformance
// packs: they belong to it, and users cannot change them.
const ConformancePackPrincipal = "config-conforms.amazonaws.com"

// A ConformancePack is rules that are made, changed and deleted together, by a
// template.
type ConformancePack struct {
	Place
	Name, ID, ARN  string
	StackARN       string // of the stack that AWS would make the rules with
	CreatedBy      string // the service that put it; empty if a user did
	DeliveryBucket string
	DeliveryPrefix string
	Parameters     []PackParameter // as given, in their order
	Document       *PackDocument   // that the template was read from
}

// OutsideIDs is what the ids begin with of rules and packs that were read elsewhere, and
// not put here.
const OutsideIDs = "outside/"

// Outside reports whether a pack was read elsewhere.
func (p ConformancePack) Outside() bool { return strings.HasPrefix(p.ID, OutsideIDs) }

// A PackParameter is a value for a parameter of the template.
type PackParameter struct{ Name, Value string }

// A PackDocument names a document of Systems Manager.
type PackDocument struct{ Name, Version string }

// PackState is the ConformancePackState.
type PackState string

// The states of a conformance pack. A pack that is put again is created, too.
const (
	PackCreating     PackState = "CREATE_IN_PROGRESS"
	PackCreated      PackState = "CREATE_COMPLETE"
	PackCreateFailed PackState = "CREATE_FAILED"
	PackDeleting     PackState = "DELETE_IN_PROGRESS"
	PackDeleteFailed PackState = "DELETE_FAILED"
)

// InProgress reports whether rules are being made or deleted.
func (s PackState) InProgress() bool { return s == PackCreating || s == PackDeleting }

// A PackStatus says how a pack's deployment fares.
type PackStatus struct {
	State     PackState
	Reason    string // why it failed
	Requested time.Time
	Completed time.Time // zero while it is in progress
	Leaving   bool      // its rules were made, and it waits for those that leave it
}

// MayBeOfPack reports whether a rule can be one of a pack by its name, which then has
// the pack's id.
func MayBeOfPack(rule string) bool { return strings.Contains(rule, "-conformance-pack-") }

// A PackRule is a rule of a pack, with the controls that it stands for.
type PackRule struct {
	Rule
	Controls []string
}
