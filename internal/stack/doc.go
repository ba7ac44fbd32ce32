// Package stack is the embedded CloudFormation: stacks of resources that a
// template describes, made, changed and deleted together.
//
// An operation on a stack is decided in one transaction and carried out by jobs.
// One job looks at what comes next: the resources whose dependencies are there.
// Each of them has a job of its own, which calls the resource's service and notes
// the outcome in the transaction that asks for the next look. So a kill at any
// point loses nothing, and servers that share a store never do the same step.
// What fails is undone: an operation ends with all of its template, or with what
// was there before.
//
// How a type of resource is made is in package kind. The package calls no service
// itself: Call is handed in, and makes the calls of the account that owns the
// stack, as one of its clients would.
//
// A custom resource is made by somebody's function, which is sent an address that
// takes one answer: Answer is what a server serves there.
//
// It keeps stacks with their templates, resources, events, exports and change
// sets.
package stack
