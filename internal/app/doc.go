// Package app is the process: the data folder, the listener, the API packages in
// front of the core, our own pages, start and stop.
//
// It knows nothing of AWS Config. What there is and what works with what stands
// in package core; what is decided, is decided below it.
//
//	a, err := app.New(ctx, s, log, app.Options{})
//	err = a.Start(ctx)
//	defer a.Stop(ctx)
//	http.Get(a.URL() + "/healthz")
package app
