// Package authorization decides whether a request may be answered: it asks the
// policies of the caller, of what the caller names, and of the caller's temporary
// credentials.
//
// It is asked once a request's input is read and checked, with the resources that
// one table names per service (table.go, bucket.go). The owner of an account (a key of the
// settings, its root) may do everything in it. An account remains a wall: what belongs
// to another one is used only where both sides' policies allow it, which is noted in
// the request's context for the faces.
//
// It keeps nothing but documents that it has read, until an identity of their account
// changes.
//
//	a := authorization.New(authorization.Options{DB: d, Policy: policyOf})
//	ctx, err := a.Operation(ctx, info, "CreateTopic", &snsapi.CreateTopicInput{Name: &name})
package authorization
