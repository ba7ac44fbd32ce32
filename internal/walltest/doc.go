// Package walltest tries the walls between accounts: all operations that are served,
// called by one account with what belongs to another.
//
// It knows operations from docs/coverage.md and inputs from the models, so that a new
// service is tried from its first day. What the account has that is to be protected
// is testdata/world.txt, calls that make it, and whatever else generated calls make
// and read.
package walltest
