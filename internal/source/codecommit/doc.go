// Package codecommit is the embedded CodeCommit: repositories, what git says to them over
// HTTP, commits that are made by the API, and the triggers that tell functions and topics
// of changed references.
//
// It keeps repositories, references and objects in the store, so every server answers for
// every repository. What git is, is package git's below. A push is read and checked before
// anything is written; one transaction then keeps its objects, changes the references and
// leaves a job for each trigger, which asks whether the function still lets the repository in.
//
//	r := codecommit.New(log, db, jobs, now, codecommit.Options{Targets: targets, Functions: functions})
//	http.Handle("/v1/repos/", codecommit.NewServer(log, r, codecommit.ServerOptions{...}))
package codecommit
