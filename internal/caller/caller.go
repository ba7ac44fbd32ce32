// Package caller says who sent a request: the account and principal that its
// credentials stand for, and where it came from. It checks nothing; package wire
// does.
//
//	ctx = caller.With(ctx, caller.Caller{Account: "123456789012", Region: "us-east-1"})
//	account := caller.From(ctx).Account
package caller

import (
	"context"
	"errors"
	"time"

	"plumb/internal/config"
)

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
	Extended     bool // it asks for what AWS does not have
	Root         bool // it may do everything in its account: no policy of an identity bounds it
	Session      *Session
	Revision     Revision
}

// A Revision is that of the identities of an account when an access key was looked up:
// who asks at once what they may do need not read it again. The zero Revision is none.
type Revision struct {
	N  int64
	At time.Time
}

// A Session is what temporary credentials were given out with.
type Session struct {
	Policies       []string          // documents that narrow what the role may do
	Tags           map[string]string // of the session
	SourceIdentity string
	Issued         time.Time
	Cognito        string // the id of Cognito's identity that they are for
}

type contextKey struct{}

// With puts a caller into a context. The handler does it for requests; jobs and tests do it themselves.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns the caller of the request that ctx belongs to, or the zero Caller.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(contextKey{}).(Caller)
	return c
}

// Place is where a request acts: the account and the region that it is sent to.
func Place(ctx context.Context) config.Place {
	c := From(ctx)
	return config.Place{Account: c.Account, Region: c.Region}
}

// An Identity is the owner of an access key.
type Identity struct {
	Account      string
	PrincipalARN string
	UserID       string
	SessionToken string // of temporary credentials; the request must carry the same
	Root         bool
	Session      *Session // of temporary credentials
	Revision     Revision // where it was read
}

// Why an access key does not work.
var (
	ErrUnknownKey = errors.New("access key is not known")
	ErrExpired    = errors.New("temporary credentials have expired")
)

// Become makes the caller the owner of an access key. A key without a principal of
// its own is the account root's.
func (c *Caller) Become(id Identity) {
	c.Account, c.PrincipalARN, c.UserID = id.Account, id.PrincipalARN, id.UserID
	c.Root, c.Session, c.Revision = id.Root, id.Session, id.Revision
	if c.PrincipalARN == "" {
		c.PrincipalARN, c.Root = "arn:aws:iam::"+id.Account+":root", true
	}
	if c.UserID == "" {
		c.UserID = id.Account
	}
}

// A Sender hands something to a resource without anybody's request: a topic to a
// subscriber, a function to where its result goes, AWS Config to a topic.
type Sender struct {
	Account string
	Region  string
	Service string // whose name policies know it by: sns.amazonaws.com; empty for a role
	ARN     string // of the resource that sends
	Role    string // of a function, which acts with it
}
