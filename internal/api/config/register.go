// Package config is AWS Config's API: one file per noun, each beginning with its
// register, which reads as a table of contents. Shapes and constraints were
// checked by wire before an operation runs; an operation checks meaning, opens
// one transaction, calls the store and at most one verb, and answers.
//
// It decides nothing that a verb could: when an operation wants to grow, the
// growth is a verb's. What is not registered answers 501. It keeps nothing.
package config

import (
	"crypto/rand"
	"time"

	"plumb/internal/aggregation"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/deployment"
	"plumb/internal/model/configapi"
	"plumb/internal/recorder"
	"plumb/internal/remediation"
	"plumb/internal/rule"
	"plumb/internal/wire"
)

// Options are what the API works with. All are required.
type Options struct {
	DB          *db.DB
	Recorder    *recorder.Recorder
	Rules       *rule.Engine
	Delivery    *delivery.Delivery
	Aggregation *aggregation.Aggregation
	Packs       *conformance.Packs
	Remediation *remediation.Remediation
	Deployment  *deployment.Deployment
	Tokens      wire.Tokens
	KnownType   func(resourceType string) bool // of AWS Config's own list
	KnownTypes  []string
	Development bool // PutResourceConfig takes AWS types
	Extended    bool // queries of all clients may have more than AWS's
	Now         func() time.Time

	MaxStoredQueries int // that a place may have
}

// Register returns the service with every operation that is built.
func Register(o Options) *configapi.Service {
	s := configapi.NewService()
	configurationRecorders{o}.register(s)
	serviceLinkedRecorders{o}.register(s)
	connectors{o}.register(s)
	deliveryChannels{db: o.DB, delivery: o.Delivery}.register(s)
	retentionConfigurations{o}.register(s)
	aggregationAuthorizations{o}.register(s)
	configurationAggregators{o}.register(s)
	aggregateCompliances{o}.register(s)
	aggregateResources{o}.register(s)
	aggregateConformancePacks{o}.register(s)
	newOrganizationConfigRules(o).register(s)
	newOrganizationConformancePacks(o).register(s)
	discoveredResources{o}.register(s)
	resourceConfigs{o}.register(s)
	configurationItems{o}.register(s)
	configRules{o}.register(s)
	evaluations{o}.register(s)
	remediations{o}.register(s)
	resourceEvaluations{o}.register(s)
	compliances{o}.register(s)
	complianceSummaries{o}.register(s)
	conformancePacks{o}.register(s)
	packCompliances{o}.register(s)
	advancedQueries{o}.register(s)
	storedQueries{o}.register(s)
	tags{o}.register(s)
	return s
}

// optional returns a pointer to s, or nil if it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// text returns what a pointer points to, or nothing.
func text[T ~string](s *T) string {
	if s == nil {
		return ""
	}
	return string(*s)
}

// limit returns how many entries a page has: AWS takes 0 as the default.
func limit(n *int32, byDefault int) int {
	if n == nil || *n == 0 {
		return byDefault
	}
	return int(*n)
}

// newID returns n random lower-case letters and digits.
func newID(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		for {
			rand.Read(b[i : i+1])
			if b[i] < 252 { // 7 * 36: every letter is as likely
				break
			}
		}
		b[i] = letters[b[i]%36]
	}
	return string(b)
}
