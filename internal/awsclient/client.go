package awsclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"plumb/internal/model"
	"plumb/models"
)

// Limits of a client that Options do not name.
const (
	defaultConcurrency = 8
	defaultAttempts    = 4
	maxAnswer          = 256 << 20 // bytes; a longer answer is an error, not a shorter answer
)

// Options say where a client's calls go and as whom. The zero value calls AWS in us-east-1 without credentials.
type Options struct {
	Region      string
	Endpoint    string // base URL of an AWS-compatible endpoint for every service; empty: AWS's own
	DualStack   bool   // AWS's own endpoints by IPv4 and IPv6
	PathStyle   bool   // buckets in the path and not in the host name; always so with an Endpoint
	Credentials Credentials
	Transport   http.RoundTripper                          // nil: a pooled default
	Models      *Models                                    // nil: the embedded ones, read again by each client
	Concurrency int                                        // requests under way at once; 0: 8
	Attempts    int                                        // tries of one request; 0: 4
	Wait        func(context.Context, time.Duration) error // before the next try, and for a service's pace; nil: by the clock
	Now         func() time.Time                           // nil: time.Now
	Trace       func(Exchange)                             // nil: nobody looks
	Called      func(service, operation, code string)      // after each call, with OK or the error's code; nil: nobody counts
	Refused     func()                                     // called when the credentials could not be had or were not taken; nil: nobody asks
}

// An Exchange is one request and its answer, as Trace sees them: what recorded answers are made of.
type Exchange struct {
	Service, Operation string
	Input              map[string]any
	Status             int
	Header             http.Header
	Body               []byte
}

// A Client makes signed calls for one account and region. It is safe for concurrent use.
type Client struct {
	opt   Options
	http  *http.Client
	retry aws.Retryer
	slots chan struct{} // bounds the requests under way: one client per account bounds the account
	paces sync.Map      // of services by name
}

// New returns a client. It does no input or output.
func New(o Options) *Client {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Models == nil {
		o.Models = NewModels(models.FS)
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = o.Concurrency
		o.Transport = t
	}
	return &Client{
		opt: o, slots: make(chan struct{}, o.Concurrency),
		http: &http.Client{Transport: o.Transport, Timeout: 2 * time.Minute, CheckRedirect: stay},
		retry: retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = o.Attempts
		}),
	}
}

// stay keeps redirects as answers: S3 redirects to another region, where the signature would be wrong.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Region is where the client's calls go.
func (c *Client) Region() string { return c.opt.Region }

// Call makes one request. The input's keys are the model's member names; a member that the model does not know, or a
// value of the wrong kind, is an error before anything is sent. An answer that AWS calls an error is an *Error.
func (c *Client) Call(ctx context.Context, service, operation string, in map[string]any) (map[string]any, error) {
	api, op, err := c.opt.Models.operation(service, operation)
	if err != nil {
		return nil, err
	}
	out, err := c.call(ctx, api, op, in)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", service, operation, err)
	}
	return out, nil
}

// codeOf is what a call's end is counted as.
func codeOf(err error) string {
	switch {
	case err == nil:
		return "OK"
	case Code(err) != "":
		return Code(err)
	}
	return "NoAnswer"
}

func (c *Client) call(
	ctx context.Context, api *model.API, op *model.Operation, in map[string]any,
) (map[string]any, error) {
	enc, err := encode(api, op, in)
	if err != nil {
		return nil, err
	}
	ans, err := c.attempts(ctx, api, enc)
	if c.opt.Called != nil {
		c.opt.Called(api.Name, enc.operation, codeOf(err))
	}
	if err != nil {
		if c.opt.Refused != nil && isRefusal(err) {
			c.opt.Refused()
		}
		return nil, err
	}
	return decode(api, op, ans)
}

// An answer is a response that was read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// attempts sends the request until it is answered, or the SDK's retry policy gives up.
func (c *Client) attempts(ctx context.Context, api *model.API, enc *request) (*answer, error) {
	release := c.retry.GetInitialToken()
	pace := c.paceOf(api.Name)
	for attempt := 1; ; attempt++ {
		if err := c.opt.Wait(ctx, pace.take(time.Now())); err != nil {
			pace.giveBack()
			return nil, err
		}
		ans, err := c.once(ctx, api, enc)
		pace.answered(time.Now(), err)
		if relErr := release(err); err == nil || relErr != nil {
			return ans, errors.Join(err, relErr)
		}
		if ctx.Err() != nil || attempt >= c.retry.MaxAttempts() || !c.retry.IsErrorRetryable(err) {
			return nil, err
		}
		// Without a token the budget for retries is spent, and the cause says more than that.
		next, tokenErr := c.retry.GetRetryToken(ctx, err)
		delay, delayErr := c.retry.RetryDelay(attempt, err)
		if tokenErr != nil || delayErr != nil {
			return nil, err
		}
		if err := c.opt.Wait(ctx, delay); err != nil {
			return nil, err
		}
		release = next
	}
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// once sends the request and reads the answer to its end. A status of 300 or more is an *Error.
func (c *Client) once(ctx context.Context, api *model.API, enc *request) (*answer, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	req, err := c.build(ctx, api, enc)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	ans := &answer{resp.StatusCode, resp.Header, body}
	if c.opt.Trace != nil {
		c.opt.Trace(Exchange{api.Name, enc.operation, enc.input, ans.status, ans.header, ans.body})
	}
	if resp.StatusCode >= 300 {
		return nil, readError(api, ans)
	}
	return ans, nil
}

// build makes the signed HTTP request.
func (c *Client) build(ctx context.Context, api *model.API, enc *request) (*http.Request, error) {
	where, err := c.endpoint(api, enc)
	if err != nil {
		return nil, err
	}
	req, err := newHTTP(ctx, enc, where.url)
	if err != nil {
		return nil, err
	}
	if c.opt.Credentials == nil || enc.unsigned {
		return req, nil
	}
	return req, sign(ctx, req, enc.body, c.opt.Credentials, api.Metadata.Signing(), where.region, c.opt.Now())
}
