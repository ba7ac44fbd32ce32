// Package app puts Plumb together: it opens the store, gives every verb what it
// works with, binds the faces to the wire, starts the machine and stops it.
//
// Two files are the picture of the product. machine.go says what there is and
// what works with what; reactions.go says who reacts to what. Nothing in here
// knows AWS Config: what is decided, is decided below.
//
//	a, err := app.New(ctx, s, log, app.Options{})
//	err = a.Start(ctx)
//	defer a.Stop(ctx)
//	http.Get(a.URL() + "/healthz")
package app
