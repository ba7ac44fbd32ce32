package config

import "time"

// A StoredQuery is an expression of an advanced query that was given a name. It is
// kept as it was put, and not run.
type StoredQuery struct {
	Place
	Name        string
	ID          string // query- and 16 letters and digits, for good
	ARN         string
	Description string
	Expression  string
	Changed     time.Time
}
