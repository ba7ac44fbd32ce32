// Package mapping keeps the event source mappings of functions: which queue or
// stream is polled for which function, and how.
//
// It polls nothing. A Poller for each kind of source does, which is told in the
// transaction that a mapping is to be polled, or not any more. A change of a
// mapping is answered before it is true, as AWS does it: the mapping is Creating,
// Updating, Enabling, Disabling or Deleting until a job has made it so.
//
//	s := mapping.New(d, jobs, functions, now)
//	s.Poll("sqs", poller)
//	m, err := s.Create(ctx, mapping.Mapping{...})
//
// It keeps source_mapping.
package mapping
