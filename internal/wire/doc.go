// Package wire speaks AWS's protocols on the server side: one http.Handler for all services. It finds the service a
// request is for, checks who sent it, decodes the input, checks its constraints, calls the operation's handler and
// answers in the service's protocol, errors included: awsJson 1.0 and 1.1, awsQuery, restJson.
//
// It is not a client (package awsclient is), knows no operation's meaning, and stores nothing. Requests for S3, and for
// services that are not served, go to handlers that were handed in, with the same Caller in their context.
//
//	service := configapi.NewService()
//	service.PutConfigRule(rules.PutConfigRule)
//	h := wire.New(log, wire.Options{Services: []*model.Registry{service.Registry()}})
//	http.ListenAndServe("127.0.0.1:4577", h)
package wire
