package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"plumb/internal/aggregation"
	"plumb/internal/audit"
	"plumb/internal/authorization"
	"plumb/internal/automation"
	"plumb/internal/bucket"
	"plumb/internal/channel"
	"plumb/internal/clock"
	"plumb/internal/cognito"
	"plumb/internal/compliance"
	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/delivery"
	"plumb/internal/deployment"
	"plumb/internal/eventbus"
	"plumb/internal/identity"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/lambda/environment"
	"plumb/internal/logs"
	"plumb/internal/mail"
	"plumb/internal/organization"
	"plumb/internal/outgoing"
	"plumb/internal/outside"
	"plumb/internal/queue"
	"plumb/internal/recorder"
	"plumb/internal/remediation"
	"plumb/internal/retention"
	"plumb/internal/rule"
	"plumb/internal/sandbox"
	"plumb/internal/scheduler"
	"plumb/internal/settings"
	"plumb/internal/source/alexa"
	"plumb/internal/source/apigateway/httpapi"
	"plumb/internal/source/apigateway/restapi"
	"plumb/internal/source/awsconfig"
	"plumb/internal/source/cloudfront"
	"plumb/internal/source/codecommit"
	"plumb/internal/source/cognitosync"
	"plumb/internal/source/firehose"
	"plumb/internal/source/iot"
	"plumb/internal/source/lex"
	subscriptions "plumb/internal/source/logs"
	"plumb/internal/source/mapping"
	"plumb/internal/source/s3"
	"plumb/internal/source/ses"
	"plumb/internal/source/sqs"
	"plumb/internal/stack"
	"plumb/internal/store"
	"plumb/internal/topic"
	"plumb/internal/trace"
	"plumb/internal/trail"
)

// A Machine is everything that lives on the store. It keeps nothing that another
// one on the same store could not pick up.
type Machine struct {
	DB       *db.DB
	Clock    *clock.Clock
	Jobs     *job.Queue
	Keys     Keys
	Known    Catalogues
	Outside  *outside.Clients  // the way to other accounts and services
	Embedded *outside.Embedded // the way to the services embedded here

	Buckets       *bucket.Store
	Queues        *queue.Store
	Topics        *topic.Store
	Functions     *lambda.Service
	Mappings      *mapping.Store
	Notifications *s3.Notifications
	Subscriptions *subscriptions.Subscriptions
	Mail          *ses.Mail
	IoT           *iot.Engine
	Bots          *lex.Bots
	Logs          *logs.Store
	Events        *eventbus.Bus
	Scheduler     *scheduler.Scheduler
	Firehose      *firehose.Streams
	HTTPAPIs      *httpapi.Service
	RESTAPIs      *restapi.Service
	Distributions *cloudfront.Distributions
	Edge          *cloudfront.Proxy
	Credentials   *credential.Store
	Identities    *identity.Store
	Authorizer    *authorization.Authorizer
	Organizations *organization.Organizations
	Stacks        *stack.Stacks
	Skills        *alexa.Skills
	Cognito       *cognito.Store
	Sync          *cognitosync.Sync
	Repositories  *codecommit.Repositories

	Recorder    *recorder.Recorder
	Rules       *rule.Engine
	Compliance  *compliance.Ledger
	Delivery    *delivery.Delivery
	Retention   *retention.Retention
	Aggregation *aggregation.Aggregation
	Packs       *conformance.Packs
	Deployment  *deployment.Deployment

	Audit *audit.Log
	Trail *trail.Trail // of other people's CloudTrail

	Automation  *automation.Engine
	Remediation *remediation.Remediation

	options Options
	meter   Meter
	log     *slog.Logger
	pool    *environment.Pool
	polled  *sqs.Poller

	announcer *awsconfig.Announcer
	mailer    *mail.Sender
	channels  *channel.Channels
	targets   *outside.Targets
	remote    *outside.Functions // those of an outside Lambda
	closers   []func()

	moving    sync.Mutex // of the clock
	resting   sync.Once
	aside     sync.WaitGroup // work beside requests and jobs
	stopAside context.CancelFunc
	stopping  chan struct{} // closed when the machine is to rest: who waits for something need not any more
}

// Options are what a machine is made of. All but Source, Reload, Pending, Meter,
// Listeners and Deliver are required.
type Options struct {
	Settings    settings.Settings
	Name        string                     // of this server among those that share the store
	URL         func() string              // where clients reach this server
	FunctionURL func() string              // where functions do
	Catalogues  func() (Catalogues, error) // asked for once the store is open
	Sandbox     func() sandbox.Report      // what this machine gives functions to run in
	Pending     func() int                 // how many requests are being answered
	Source      recorder.Source            // instead of the targets and the embedded services
	Reload      bool                       // functions go on with their next code in a warm process; in development mode only

	Meter  Meter         // is told of what this server does; may be nil
	Tracer *trace.Tracer // traces what jobs do; may be nil
	// ResourcePage returns where people find a resource in the console, empty if there is
	// none. It may be nil.
	ResourcePage func(config.ResourceKey) string
	// Listeners is called after something was written that needs a further listener, or
	// needs one no more. It may be nil: other servers ask the store.
	Listeners func(ctx context.Context)
	// Deliver hands a message to the devices that are connected to this server. It may be
	// nil.
	Deliver func(iot.Message)
}

// New is the picture of the product: what there is, and what works with what.
func New(ctx context.Context, log *slog.Logger, o Options) (*Machine, error) {
	m := &Machine{log: log, options: o, Clock: &clock.Clock{}, stopping: make(chan struct{})}
	if m.meter = o.Meter; m.meter == nil {
		m.meter = noMeter{}
	}
	if err := m.fill(ctx); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// readers is how many jobs read resources at once. They wait for other services and
// hardly compute, and a place that hangs holds several.
const readers = 128

func (m *Machine) fill(ctx context.Context) (err error) {
	if m.DB, err = db.Open(ctx, m.options.Settings.DatabaseURL(), m.log); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := m.DB.SealWith(m.options.Settings.SealKey.Reveal()); err != nil {
		return err
	}
	if err := m.restoreClock(ctx); err != nil {
		return err
	}
	if m.Jobs, err = job.New(ctx, m.DB, m.log, m.Clock, m.options.Name, job.QueueOptions{Failed: m.jobFailed,
		Workers: map[string]int{job.Collect: readers}, Shared: m.options.Settings.SharedByAccounts(),
		Tracer: m.options.Tracer,
	}); err != nil {
		return err
	}
	if m.Known, err = m.options.Catalogues(); err != nil {
		return err
	}
	if m.Keys, err = readKeys(ctx, m.DB); err != nil {
		return err
	}
	if err := m.addServices(ctx); err != nil {
		return err
	}
	if err := m.addAutomation(); err != nil {
		return err
	}
	m.addStacks()
	m.addVerbs()
	m.addAudit()
	return nil
}

// addServices makes what is embedded, and the ways to read it and what is
// outside.
func (m *Machine) addServices(ctx context.Context) error {
	m.Outside = outside.NewClients(m.options.Settings, m.Known.APIs)
	m.Outside.Called = m.meter.TargetCalled
	m.Embedded = outside.NewEmbedded(m.options.URL(), m.Known.APIs, m.Clock.Now)
	m.Credentials = credential.New(m.DB, m.Clock.Now, m.options.Settings.Mode == settings.Server)
	m.Authorizer = authorization.New(authorization.Options{
		DB: m.DB, Policy: outside.ResourcePolicy, Remember: queue.Remembering, Now: m.Clock.Now,
		Elsewhere: func(p config.Place) bool { return m.options.Settings.Place(p.Account, p.Region).Target != "" },
	})
	m.Identities = identity.New(m.Clock.Now, identity.Options{Announce: m.changedEverywhere})
	m.Organizations = organization.New(m.Clock.Now, func(ctx context.Context, tx *db.Tx, e config.MembershipChanged) error { return m.publish(ctx, tx, e) })
	m.Logs = logs.New(m.log, m.DB, m.Clock.Now)
	blobs, err := bucket.NewBlobs(m.DB, m.folder(objectsFolder))
	if err != nil {
		return fmt.Errorf("folder for objects: %w", err)
	}
	m.Buckets = bucket.New(m.log, m.DB, blobs, m.Jobs, m.Clock.Now, m.changed)
	m.Queues = queue.New(m.log, m.DB, m.Jobs, m.Clock.Now, queue.Options{
		Announce: m.changed, Stopping: m.stopping,
		Ready: func(ctx context.Context, tx *db.Tx, queueARN string, at time.Time) error {
			return m.polled.Ready(ctx, tx, queueARN, at)
		},
	})
	client, err := m.outgoing()
	if err != nil {
		return err
	}
	if err := m.addChannels(client); err != nil {
		return err
	}
	m.Topics = topic.New(m.log, m.DB, m.Jobs, m.Clock.Now, topic.Options{
		Announce: m.changed, Queue: m.enqueue, Function: m.notify, Endpoint: m.options.URL, Client: client, Mail: m.mailer,
	})
	if err := m.addFunctions(ctx); err != nil {
		return err
	}
	m.addEvents()
	m.addSources()
	m.addGateway(client)
	m.addEdge(client)
	return nil
}

// outgoing returns the client for calls whose address a client names. A user of
// development mode is at this machine already.
func (m *Machine) outgoing() (*http.Client, error) {
	s := m.options.Settings
	networks, err := s.Networks()
	return outgoing.NewClient(outgoing.Options{Anywhere: s.Mode == settings.Development, Networks: networks}), err
}

// addVerbs makes what records, evaluates, accepts and delivers.
func (m *Machine) addVerbs() {
	quotas := m.options.Settings.Quotas
	m.Compliance = compliance.New(m.publish, m.Clock.Now)
	m.Rules = rule.New(m.log, rule.Options{
		DB: m.DB, Jobs: m.Jobs, Managed: m.Known.Managed, Compile: rule.Compiler(m.Known.Managed), Accept: m.accept, Forget: m.Compliance.Forget,
		Invoke: m.invoke, Publish: m.publish, Sealer: m.Keys.Results, KnownType: m.Known.Types.Known, Global: m.Known.Types.Global, Now: m.Clock.Now,
		MayInvoke: m.MayInvoke, EvaluateEvery: m.evaluateEvery(), EvaluationFailed: m.evaluationFailed,
		MaxRules: quotas.Rules,
	})
	m.remote = outside.NewFunctions(m.Outside, m.DB, m.Jobs, m.Rules.Invoked)
	source := m.options.Source
	if source == nil {
		source = outside.NewSource(m.Known.Types, m.Outside, m.Embedded)
	}
	m.Recorder = recorder.New(m.log, recorder.Options{
		DB: m.DB, Jobs: m.Jobs, Source: source, Judge: m.Rules.Judge, Publish: m.publish, Poll: m.options.Settings.Poll, Now: m.Clock.Now,
		ReadingFailed: m.meter.ReadingFailed, Cause: m.cause, Service: m.serviceOf,
	})
	m.Delivery = delivery.New(m.log, m.DB, m.Jobs, outside.NewDestination(m.DB, m.Outside, m.Buckets, m.Topics, m.options.ResourcePage), m.publish, m.Clock.Now,
		delivery.Options{MaxAge: m.options.Settings.DeliveryAge, Tell: m.announcer.Tell, Channels: m.channels, Bus: outside.NewBuses(m.Outside), Parquet: m.options.Settings.Parquet})
	m.Delivery.Failed = m.meter.DeliveryFailed
	m.Aggregation = aggregation.New(m.Organizations, quotas.Aggregators, m.Clock.Now)
	m.Aggregation.ReadOutside(m.log, m.outsideOptions())
	m.Packs = conformance.New(m.log, conformance.Options{
		DB: m.DB, Jobs: m.Jobs, Rules: m.Rules, Object: m.templateObject, Document: m.packDocument, Remediate: m.remediatePack, Publish: m.publish, Now: m.Clock.Now,
		MaxPacks: quotas.Packs,
	})
	m.Deployment = deployment.New(m.log, m.DB, m.Jobs, m.Organizations, m.Rules, m.Packs, deployment.Max{
		config.DeployedRule: quotas.OrganizationRules, config.DeployedPack: quotas.OrganizationPacks,
	}, m.Clock.Now)
	m.addTrail()
	m.addRetention()
}

// addRetention makes what deletes what is too old.
func (m *Machine) addRetention() {
	m.Retention = retention.New(m.log, m.Jobs, m.Clock.Now, retention.Sweep{Name: "credentials", Do: m.Credentials.Sweep},
		retention.Sweep{Name: "executions of documents", Do: m.Automation.Sweep}, retention.Sweep{Name: "deleted stacks", Do: m.Stacks.Sweep}, retention.Sweep{Name: "indexes of the history", Do: store.IndexMonths},
		retention.Sweep{Name: "scores", Do: func(ctx context.Context, tx *db.Tx, _ int) (bool, error) {
			return false, store.KeepScores(ctx, tx, m.Clock.Now())
		}},
		retention.Sweep{Name: "undelivered messages", Do: m.Delivery.Sweep},
		retention.Sweep{Name: "audit log", Do: func(ctx context.Context, tx *db.Tx, limit int) (bool, error) { return m.Audit.Sweep(ctx, tx, limit) }})
}

// evaluateEvery is AWS's minute; who develops a rule need not wait.
func (m *Machine) evaluateEvery() time.Duration {
	if m.options.Settings.Mode == settings.Development {
		return 0
	}
	return time.Minute
}

// Start runs jobs, which outlive the one who asked for the start: Rest ends them.
func (m *Machine) Start(ctx context.Context) error {
	err := m.DB.Write(ctx, func(tx *db.Tx) error {
		return errors.Join(m.Retention.Ensure(ctx, tx), m.Aggregation.Ensure(ctx, tx), m.Trail.Ensure(ctx, tx))
	})
	if err != nil {
		return fmt.Errorf("plan the next retention run and the next reading of accounts elsewhere and of trails: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.stopAside = cancel
	m.aside.Go(func() {
		if err := m.Buckets.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("bytes that a crash left may still be there", "err", err)
		}
	})
	m.aside.Go(func() { m.Logs.Run(ctx) })
	m.aside.Go(func() { m.Audit.Run(ctx) })
	m.aside.Go(func() {
		if err := m.Rules.Warm(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("rules could not be compiled ahead", "err", err)
		}
	})
	return m.Jobs.Start(context.Background())
}

// Rest lets running jobs finish, then running functions. It may be called again.
func (m *Machine) Rest(ctx context.Context) error {
	m.resting.Do(func() { close(m.stopping) })
	if m.stopAside != nil {
		m.stopAside()
	}
	err := m.Jobs.Stop(ctx)
	m.pool.Close(ctx)
	m.aside.Wait()
	m.Logs.Flush(context.WithoutCancel(ctx))
	m.flushAudit()
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("jobs did not end in time and will run again: %w", err)
	}
	return err
}

// Environments returns how many environments of functions there are, in use and warm.
func (m *Machine) Environments() (busy, idle int) { return m.pool.Counts() }

// Drain runs all that is due by the clock until nothing is. Functions that answered
// have ended then, and what they printed is in the log and with its subscribers.
func (m *Machine) Drain(ctx context.Context) error {
	const maxRounds = 16 // functions that print what each other prints come to no end
	for range maxRounds {
		if err := m.Jobs.Drain(ctx); err != nil {
			return err
		}
		if err := m.pool.Settle(ctx); err != nil {
			return err
		}
		if !m.Logs.Flush(ctx) {
			return nil
		}
	}
	return m.Jobs.Drain(ctx)
}

// Close gives back what New took, as far as it came.
func (m *Machine) Close() {
	m.flushAudit() // of requests that were answered since Rest
	for i := len(m.closers) - 1; i >= 0; i-- {
		m.closers[i]()
	}
	if m.DB != nil {
		m.DB.Close()
	}
}
