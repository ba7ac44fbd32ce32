// Package lambda keeps functions and invokes them. It is Lambda without its API:
// functions with their versions, aliases, policies and event invoke
// configurations; invocation at once and by event, with retries, dead letters and
// destinations.
//
// Functions run in the environments of package environment. What functions touch
// elsewhere (credentials, queues, topics, objects, the recorder) is handed in as
// funcs.
//
//	s, err := lambda.New(log, d, jobs, pool, folders, now, lambda.Options{...})
//	f, err := s.Create(ctx, lambda.Function{...}, zip, false)
//	answer, err := s.Invoke(ctx, ref, lambda.Call{Payload: event})
//	id, err := s.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: event, Note: note})
//
// It stores the tables whose names begin with lambda_, zip files included, so that
// several servers on one store run the same functions; what is on disk is a cache.
// Times of retries and of ages are the server's clock; time limits of a running
// function are the machine's.
package lambda
