// Package audit keeps who called what: calls that change something, and calls that
// were refused.
//
//	log := audit.New(logger, audit.Options{DB: d, Jobs: jobs, Now: clock.Now, Keep: 90 * 24 * time.Hour})
//	log.Add(audit.Event{Service: "sqs", Operation: "CreateQueue", Place: p, Who: audit.WhoOf(caller), ...})
//	events, err := audit.Find(ctx, tx, audit.Query{Resource: "orders", Limit: 20})
//
// Add takes an event and returns at once: events are written a few times a second,
// many in one transaction. A stop writes them all; a crash loses those of the last
// moment. What is not kept, because the store was away for long or strangers came too
// often, is counted.
//
// An event has no secret: what a member's name, its kind or the shape of its value
// makes one is left out before the event is made (Redact). Which calls are kept is in
// kind.go. Files in the form of CloudTrail's go to a bucket, if there is to be one.
//
// The package knows no service and no request: package app makes the events.
package audit
