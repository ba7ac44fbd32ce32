package outside

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"plumb/internal/automation"
	"plumb/internal/bucket"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/identity"
	"plumb/internal/lambda"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/queue"
	"plumb/internal/source/apigateway"
	"plumb/internal/source/cloudfront"
	"plumb/internal/source/firehose"
	"plumb/internal/stack"
	"plumb/internal/topic"
	"plumb/internal/wire"
)

// A Router says of each request for an embedded service who answers it where the
// account has a target: whoever holds the resource that the request names. What is
// held here is answered here, any other goes to the target. Lists are those of
// both. Where things are created is a setting.
//
// So a rule that asks S3 about a bucket of the target sees what is true there.
type Router struct {
	clients *Clients
	stores  Held
	forward Forward

	// AuthorizeS3 refuses what a caller may not ask of S3 where there is a target; nil
	// refuses nothing.
	AuthorizeS3 func(ctx context.Context, operation, bucket, key string) error
}

// Held is what is embedded here.
type Held struct {
	DB        *db.DB
	Buckets   *bucket.Store
	Queues    *queue.Store
	Functions *lambda.Service
	Logs      *logs.Store
	Stacks    *stack.Stacks
	Firehose  *firehose.Streams

	Distributions *cloudfront.Distributions
	Documents     *automation.Engine
}

// A Forward sends a request on to the account's target: a Forwarder's Serve.
type Forward func(w http.ResponseWriter, r *http.Request, service string)

// NewRouter returns a router that sends on what is not held here.
func NewRouter(c *Clients, h Held, f Forward) *Router {
	return &Router{clients: c, stores: h, forward: f}
}

// routedServices are the services, by their names in credential scopes, that a target may answer for. AWS Config and STS
// are those of this server.
var routedServices = []string{
	"apigateway", "cloudformation", "cloudfront", "codecommit", "cognito-identity", "events", "firehose", "iam", "iot", "lambda", "lex",
	"logs", "organizations", "scheduler", "ses", "sns", "sqs", "ssm",
}

// creations are the operations that make what has a name afterwards.
var creations = []string{
	"CreateBucket", "CreateFunction", "CreateTopic", "CreateQueue", "CreateLogGroup",
	"CreateRole", "CreateServiceLinkedRole", "CreateUser", "CreateGroup", "CreatePolicy", "CreateInstanceProfile", "CreateStack",
	"CreateDeliveryStream",
	"CreateApi", "CreateRestApi", "ImportApi", "ImportRestApi",
	"CreateDistribution", "CreateDistributionWithTags",
	"CreateDocument", "CreateRepository", "CreateEventBus", "PutRule", "CreateSchedule", "CreateScheduleGroup",
}

// creates reports whether a request makes what has a name afterwards.
func (q *routed) creates() bool {
	return slices.Contains(creations, q.operation) || q.operation == "CreateChangeSet" && q.parameter("ChangeSetType") == "CREATE"
}

// A routed is a request on its way, with its body in memory.
type routed struct {
	service   string
	operation string
	r         *http.Request
	body      []byte
}

// Route answers a request for an embedded service other than S3. here answers it
// as if there were no target.
func (o *Router) Route(w http.ResponseWriter, r *http.Request, a wire.Asked, here func(http.ResponseWriter)) error {
	to := o.placeOf(r)
	if to == nil || !slices.Contains(routedServices, a.Service) {
		here(w)
		return nil
	}
	if err := a.Authorize(); err != nil {
		return err
	}
	q := &routed{service: a.Service, operation: a.Operation, r: r, body: a.Body}
	names := namesIn(q)
	held, err := o.anyHeld(r.Context(), *to, a.Service, names)
	if err != nil {
		return err
	}
	if l, ok := lists[a.Service+" "+a.Operation]; ok && !q.ofAWS() && (held || len(names) == 0) {
		return o.both(w, q, l, here)
	}
	switch {
	case held:
		here(w)
		return nil
	case q.creates():
		elsewhere, err := o.inWhatIsNotHere(r.Context(), *to, a.Service, names)
		if err != nil {
			return err
		}
		if elsewhere || o.createsAtTarget(a.Service) {
			return o.there(w, q)
		}
		here(w)
		return nil
	case len(names) == 0 && a.Built && a.Service != "iam": // what IAM says of the whole account is true of the target's
		here(w)
		return nil
	}
	return o.there(w, q)
}

// S3 answers a request for S3, of that operation, about an object of a bucket.
func (o *Router) S3(w http.ResponseWriter, r *http.Request, operation, name, key string, here http.Handler) error {
	to := o.placeOf(r)
	if to == nil {
		here.ServeHTTP(w, r)
		return nil
	}
	if named, ok := w.(interface{ Serves(operation string) }); ok {
		named.Serves(operation)
	}
	if o.AuthorizeS3 != nil {
		if err := o.AuthorizeS3(r.Context(), operation, name, key); err != nil {
			return err
		}
	}
	q := &routed{service: "s3", operation: operation, r: r}
	if name == "" {
		if operation == "ListBuckets" {
			return o.both(w, q, lists["s3 ListBuckets"], func(w http.ResponseWriter) { here.ServeHTTP(w, r) })
		}
		here.ServeHTTP(w, r)
		return nil
	}
	held, err := o.anyHeld(r.Context(), *to, "s3", []string{name})
	if err != nil {
		return err
	}
	if held || operation == "CreateBucket" && !o.createsAtTarget("s3") {
		here.ServeHTTP(w, r)
		return nil
	}
	q.r = s3Request(r, name, key)
	if q.body, err = readObject(r, o.clients.settings.MaxBody); err != nil {
		return err
	}
	return o.there(w, q)
}

// placeOf returns the place of a request that may go to a target; nil for one that
// is answered here whatever it names.
func (o *Router) placeOf(r *http.Request) *config.Place {
	who := caller.From(r.Context())
	p := config.Place{Account: who.Account, Region: who.Region}
	if IsOwn(r.Context()) || r.Header.Get(forwarded) != "" || !o.clients.settings.Forwards() || o.clients.settings.Place(p.Account, p.Region).Target == "" {
		return nil
	}
	return &p
}

func (o *Router) createsAtTarget(service string) bool {
	return slices.Contains(o.clients.settings.CreateAtTarget, service)
}

// there has the target answer.
func (o *Router) there(w http.ResponseWriter, q *routed) error {
	if q.service == "sqs" {
		return o.queueThere(w, q)
	}
	o.send(w, q)
	return nil
}

// send hands the request on with its body as it is now.
func (o *Router) send(w http.ResponseWriter, q *routed) {
	r := q.r.Clone(q.r.Context())
	if q.service != "s3" {
		r.Header.Del("Content-Encoding") // the body was unpacked
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
	o.forward(w, r, q.service)
}

// anyHeld reports whether something of one of those names is here.
func (o *Router) anyHeld(ctx context.Context, p config.Place, service string, names []string) (bool, error) {
	for _, name := range names {
		held, err := o.holds(ctx, p, service, name)
		if err != nil || held {
			return held, err
		}
	}
	return false, nil
}

func (o *Router) holds(ctx context.Context, p config.Place, service, name string) (held bool, err error) {
	switch service {
	case "s3":
		_, err = o.stores.Buckets.Find(ctx, name)
		return present(err, "NoSuchBucket")
	case "lambda":
		ref, err := lambda.Parse(p, name, "")
		if err != nil {
			return true, nil // a name that nobody has: Lambda says so
		}
		ref.Qualifier = ""
		return present(o.stores.Functions.Check(ctx, ref), "ResourceNotFoundException")
	case "sns":
		err = o.stores.DB.Read(ctx, func(tx *db.Tx) (err error) {
			held, err = topic.Exists(ctx, tx, topicARN(p, name))
			return err
		})
		return held, err
	case "sqs":
		_, err := o.stores.Queues.Find(ctx, queuePlace(p, name), queueName(name))
		return present(err, "QueueDoesNotExist")
	case "iam":
		kind, name, _ := strings.Cut(name, "/")
		err = o.stores.DB.Read(ctx, func(tx *db.Tx) error {
			_, err := identity.Find(ctx, tx, p.Account, identity.Kind(kind), name)
			return err
		})
		return present(err, "NoSuchEntity")
	case "cloudformation":
		return o.stores.Stacks.Holds(ctx, p, name)
	case "firehose":
		return o.stores.Firehose.Holds(ctx, p, name)
	case "apigateway":
		err = o.stores.DB.Read(ctx, func(tx *db.Tx) error {
			a, err := apigateway.FindAPI(ctx, tx, name)
			held = err == nil && a.Place == p
			if errors.Is(err, apigateway.ErrNotFound) {
				return nil
			}
			return err
		})
		return held, err
	case "cloudfront":
		return o.stores.Distributions.Holds(ctx, p.Account, name)
	case "ssm":
		return o.holdsDocument(ctx, p, name)
	case "codecommit", "cognito-identity", "scheduler", "events", "organizations":
		return o.holdsRecord(ctx, p, service, name)
	case "logs":
		_, err := o.stores.Logs.Group(ctx, p, groupName(name))
		return present(err, "ResourceNotFoundException")
	}
	return true, nil
}

// present tells an error that says no from the others. A resource that is there and
// cannot be used at the moment is there.
func present(err error, absent string) (bool, error) {
	if err == nil {
		return true, nil
	}
	if model.IsCode(err, absent) {
		return false, nil
	}
	if _, named := model.Named(err); named {
		return true, nil
	}
	return false, err
}
