package wire

import "context"

// A Caller is who sent a request, and from where it came.
type Caller struct {
	Account      string // twelve digits
	Region       string
	AccessKeyID  string // empty for an unsigned request in development mode
	PrincipalARN string // arn:aws:iam::123456789012:root where nothing better is known
	UserID       string // AIDA... or AROA...:session
	Verified     bool   // the signature was checked
	RequestID    string
	Endpoint     string // scheme and host that the client used: http://127.0.0.1:4577
	RemoteAddr   string
	UserAgent    string
}

type callerKey struct{}

// WithCaller puts a caller into a context. The handler does it for requests; jobs and tests do it themselves.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request that ctx belongs to, or the zero Caller.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
