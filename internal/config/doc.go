// Package config holds the nouns of AWS Config: the configuration item, the
// rule, the evaluation, the recorder, the delivery channel, and the events that
// one part of the program hands to another.
//
// It is words, not work: nothing here reads a store, calls a service or knows
// the shapes of the API (those are in model/configapi). "config" always means
// AWS Config; the program's own options are called settings.
package config
