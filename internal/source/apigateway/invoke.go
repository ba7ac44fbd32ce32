package apigateway

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
)

// Principal is what the policies of functions know API Gateway by.
const Principal = "apigateway.amazonaws.com"

// Why a function did not answer.
var (
	ErrForbidden = errors.New("the function's policy does not let the API in, or the function is not there")
	ErrTimeout   = errors.New("the function took too long")
)

// An Invoker invokes the functions behind APIs.
type Invoker struct {
	DB        *db.DB
	Functions *lambda.Service

	// MayRole refuses a role that may not invoke a function; nil refuses none.
	MayRole func(ctx context.Context, roleARN, functionARN string) error
}

// A Call is one invocation.
type Call struct {
	Function string // its ARN, or the URI of an integration
	Role     string // by which the API may do it; empty: by the function's policy
	Source   string // the ARN of what was called
	Account  string // of the API
	Payload  []byte
	TraceID  string
	Timeout  time.Duration
}

// uri is how integrations name functions.
var uri = regexp.MustCompile(`^arn:aws[a-z-]*:apigateway:[^:]*:lambda:path/[^/]+/functions/(.+)/invocations$`)

// FunctionARN returns the ARN in an integration's URI, which may be one itself.
func FunctionARN(text string) string {
	if m := uri.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return text
}

// SourceARN is what a function's policy knows a request by.
func SourceARN(p config.Place, api, rest string) string {
	return arn.New("execute-api", p.Region, p.Account, api+"/"+rest).String()
}

// admit returns the function to invoke, if the API may.
func (i Invoker) admit(ctx context.Context, c Call) (lambda.Ref, error) {
	ref, err := lambda.ParseARN(FunctionARN(c.Function))
	if err != nil {
		return ref, ErrForbidden
	}
	if strings.Contains(c.Role, ":role/") && ref.Account == c.Account {
		if i.MayRole != nil && i.MayRole(ctx, c.Role, ref.ARN()) != nil {
			return ref, ErrForbidden
		}
		return ref, nil
	}
	may := false
	err = i.DB.Read(ctx, func(tx *db.Tx) (err error) {
		may, err = lambda.MayInvoke(ctx, tx, ref.ARN(), Principal, c.Source, c.Account)
		return err
	})
	if err == nil && !may {
		err = ErrForbidden
	}
	return ref, err
}

// Invoke invokes a function and waits for its answer, but not longer than the call says:
// the function goes on then.
func (i Invoker) Invoke(ctx context.Context, c Call) (lambda.Answer, error) {
	ref, err := i.admit(ctx, c)
	if err != nil {
		return lambda.Answer{}, err
	}
	a, err := i.Functions.InvokeWithin(context.WithoutCancel(ctx), ref, lambda.Call{Payload: c.Payload, TraceID: c.TraceID}, c.Timeout)
	if errors.Is(err, lambda.ErrNotInTime) {
		err = ErrTimeout
	}
	return a, err
}

// Hand hands a function an event that nobody waits for.
func (i Invoker) Hand(ctx context.Context, c Call) error {
	ref, err := i.admit(ctx, c)
	if err != nil {
		return err
	}
	_, err = i.Functions.Accept(ctx, lambda.Event{Ref: ref, Payload: c.Payload, TraceID: c.TraceID})
	return err
}

// A Cache keeps values by a text until they are too old. It forgets all when it is full.
type Cache[T any] struct {
	size int
	mu   sync.Mutex
	kept map[string]kept[T]
}

type kept[T any] struct {
	value T
	until time.Time
}

// NewCache returns a cache of so many values.
func NewCache[T any](size int) *Cache[T] { return &Cache[T]{size: size, kept: map[string]kept[T]{}} }

// Get returns a value that is not too old at a time.
func (c *Cache[T]) Get(key string, now time.Time) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.value, ok && (k.until.IsZero() || now.Before(k.until))
}

// Put keeps a value until a time; the zero time is for ever.
func (c *Cache[T]) Put(key string, value T, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= c.size {
		clear(c.kept)
	}
	c.kept[key] = kept[T]{value, until}
}
