// Package environment runs functions. An environment is one sandboxed process
// that asks for events over the Lambda Runtime API, handles one at a time, and
// is kept warm between them.
//
//	pool := environment.NewPool(log, box, runtimes, dir, environment.Options{...})
//	result, err := pool.Invoke(ctx, version, environment.Invocation{Payload: event})
//
// A Version is all that a pool knows about a function; two versions with the same
// Key are the same. An error of Invoke is a failure of the machine; what the
// function did wrong is in the result, in AWS's words.
//
// The package knows nothing of functions' names, policies or retries, and stores
// nothing but a scratch folder for each environment, which goes with it.
package environment

import "time"

// A Version is what an environment runs: one version of a function with one
// configuration.
type Version struct {
	Key      string // identity of all that follows
	Function string // ARN without qualifier
	Name     string
	Number   string // $LATEST or digits
	Account  string
	Region   string
	Role     string // ARN

	Runtime   string
	Handler   string
	Code      string // folder
	Timeout   time.Duration
	Memory    int // MiB
	Ephemeral int // MiB of /tmp
	Variables map[string]string

	LogGroup  string
	LogFormat string // "Text" or "JSON"
	LogLevel  string // application's, with JSON
}

// An Invocation is one event for a function.
type Invocation struct {
	RequestID     string
	FunctionARN   string // as the caller gave it, with a qualifier if there was one
	TraceID       string
	ClientContext string // JSON
	Payload       []byte
	Tail          bool // the caller wants the end of the log
}

// A Result is what a function answered.
type Result struct {
	Payload       []byte
	FunctionError string // "Unhandled", or empty
	Cause         string // what is known of a FunctionError beside AWS's words for it; often empty
	Log           []byte // last 4 KB of the log, if asked for
}

// Unhandled is the one kind of function error that AWS reports.
const Unhandled = "Unhandled"

// MaxResponse is how many bytes a function may answer: 6 MiB and a little.
const MaxResponse = 6*1024*1024 + 100
