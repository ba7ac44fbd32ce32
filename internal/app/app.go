package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/console"
	"plumb/internal/core"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/listener"
	"plumb/internal/memory"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
	"plumb/internal/source/iot"
	"plumb/internal/trace"
)

// Options are what the settings cannot say.
type Options struct {
	Version string // shown by /metrics
	// Idle keeps jobs from running by themselves: only Drain runs what is due. A
	// test of a rule then decides alone what the rule is asked.
	Idle bool
	// Reload gives a function's next code to its warm process. It is for authors of
	// functions.
	Reload bool
	// Functions are asked at the console's rule bench, in development mode; nil for none.
	// They are closed when the server stops.
	Functions console.Functions
	// Catalogues are read by each server unless they are given.
	Catalogues func() (core.Catalogues, error)
}

// An App is a Plumb server.
type App struct {
	settings    settings.Settings
	log         *slog.Logger
	version     string
	idle        bool
	reload      bool
	functions   console.Functions
	locks       []*fileLock
	name        string // of this server among those that share the store
	listener    net.Listener
	loopback    net.Listener // for functions and nil without TLS
	certificate *certificate // nil without TLS
	server      *http.Server
	debug       *http.Server // nil if there is none
	console     *consoleServer
	further     *further
	broker      *iot.Broker
	metrics     *metrics
	tracer      *trace.Tracer  // nil where nobody collects traces
	pending     pending        // requests
	unsigned    *memory.Budget // for the bodies of requests that anybody may send
	ended       chan error     // what ended serving

	// What takes a while is begun when the store is opened, and waited for when
	// it is needed.
	catalogues func() (core.Catalogues, error)
	sandbox    func() sandbox.Report

	// A reset puts a new machine in the place of the old one.
	resetting sync.Mutex
	stopped   bool // guarded by resetting: no machine follows
	machine   atomic.Pointer[machine]
	ready     atomic.Bool
	used      sync.Map // when the use of access keys was noted, by their ids
}

// New opens the data folder, the listener and the store, and puts the machine
// together. Nothing is answered and no job runs before Start.
func New(ctx context.Context, s settings.Settings, log *slog.Logger, o Options) (*App, error) {
	a := &App{settings: s, log: log, version: o.Version, idle: o.Idle, reload: o.Reload, functions: o.Functions, catalogues: o.Catalogues, ended: make(chan error, 2),
		unsigned: memory.New(unsignedBodies)}
	a.metrics = newMetrics(a)
	a.broker = a.newBroker()
	a.further = newFurther(log, func(ctx context.Context, fn func(*db.Tx) error) error { return a.machine.Load().DB.Read(ctx, fn) }, a.protocols())
	if err := a.open(ctx); err != nil {
		a.close()
		return nil, err
	}
	a.server = a.newServer(a.Handler())
	return a, nil
}

// newServer returns a server with the limits that hold for everybody.
func (a *App) newServer(h http.Handler) *http.Server {
	proxies, _ := a.settings.ProxyNetworks() // which Check has read
	return &http.Server{
		Handler:           limitBody(fromProxies(proxies, h), bodyTimeout),
		ReadHeaderTimeout: headTimeout,
		MaxHeaderBytes:    listener.MaxHead,
		IdleTimeout:       5 * time.Minute,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

func (a *App) open(ctx context.Context) (err error) {
	fixUmask()
	// Functions see folders of it from elsewhere.
	if a.settings.Data, err = filepath.Abs(a.settings.Data); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := a.takeLocks(); err != nil {
		return err
	}
	if a.catalogues == nil {
		a.catalogues = sync.OnceValues(func() (core.Catalogues, error) { return core.LoadCatalogues(a.settings.Rules) })
	}
	a.sandbox = sync.OnceValue(func() sandbox.Report { return sandbox.Probe(core.SandboxFolder(a.settings.Data)) })
	go a.catalogues()
	go a.sandbox()
	if err := a.openDebug(); err != nil {
		return err
	}
	if a.name, err = serverName(a.settings); err != nil {
		return err
	}
	if a.tracer, err = trace.Open(trace.Options{Log: a.log, Endpoint: a.settings.Traces, Version: a.version, Instance: a.name}); err != nil {
		return err
	}
	l, err := listen("listen", a.settings.Listen)
	if err != nil {
		return err
	}
	a.listener = listener.Limit(l, maxConnections())
	if err := a.encrypt(); err != nil {
		return err
	}
	if err := a.openConsole(); err != nil {
		return err
	}
	m, err := a.build(ctx)
	if err != nil {
		return err
	}
	a.machine.Store(m)
	return nil
}

// headTimeout is how long the head of a request may take.
const headTimeout = 30 * time.Second

// encrypt has the listener speak TLS, if the settings say so. Functions could not
// check the certificate of this machine's own address, so they get a listener on
// loopback.
func (a *App) encrypt() error {
	if a.settings.TLS() {
		c, err := openCertificate(a.log, a.settings.TLSCertificate, a.settings.TLSKey)
		if err != nil {
			return fmt.Errorf("tls-certificate: %w", err)
		}
		a.certificate = c
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen for functions: %w", err)
		}
		a.loopback = listener.Head(listener.Limit(l, maxConnections()), nil, headTimeout)
	}
	a.listener = listener.Head(a.listener, a.tlsConfig(), headTimeout)
	return nil
}

// tlsConfig is how listeners speak TLS; nil where they do not.
func (a *App) tlsConfig() *tls.Config {
	if a.certificate == nil {
		return nil
	}
	return a.certificate.config()
}

// mostConnections bounds the connections of a machine that has descriptors for more.
const mostConnections = 16384

// A machine is the core and what answers in front of it.
type machine struct {
	*core.Machine
	handler http.Handler
}

func (a *App) build(ctx context.Context) (*machine, error) {
	m, err := core.New(ctx, a.log, core.Options{
		Settings: a.settings, Name: a.name, URL: a.URL, FunctionURL: a.functionURL, Catalogues: a.catalogues, Sandbox: a.sandbox, Pending: a.pending.number,
		Meter: a.metrics, Tracer: a.tracer, Listeners: a.further.follow, Deliver: a.broker.Deliver, Reload: a.reload, ResourcePage: a.resourcePage,
	})
	if err != nil {
		return nil, err
	}
	h := a.traced(a.wire(m))
	m.Embedded.Handle(h)
	return &machine{m, h}, nil
}

// URL is where clients reach this server.
func (a *App) URL() string {
	if a.settings.TLS() {
		return "https://" + reachable(a.listener.Addr())
	}
	return "http://" + reachable(a.listener.Addr())
}

// functionURL is where functions reach this server.
func (a *App) functionURL() string {
	if a.loopback != nil {
		return "http://" + a.loopback.Addr().String()
	}
	return a.URL()
}

// reachable returns an address that this machine can connect to: a listener on
// every interface is reached on loopback.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Clock is the time of the whole server, until a reset brings a new one.
func (a *App) Clock() *clock.Clock { return a.machine.Load().Clock }

// Start runs jobs and answers requests until Stop.
func (a *App) Start(ctx context.Context) error {
	if err := a.logStart(ctx); err != nil {
		return err
	}
	if err := a.run(ctx, a.machine.Load()); err != nil {
		return err
	}
	go func() { a.ended <- a.server.Serve(a.listener) }()
	if a.loopback != nil {
		go func() { a.ended <- a.server.Serve(a.loopback) }()
	}
	a.console.start()
	if err := a.further.start(); err != nil {
		return err
	}
	a.ready.Store(true)
	return nil
}

// run has the machine run jobs, unless somebody else decides when they run.
func (a *App) run(ctx context.Context, m *machine) error {
	if a.idle {
		return nil
	}
	return m.Start(ctx)
}

// logStart writes what a person wants to know who finds the server's log.
func (a *App) logStart(ctx context.Context) error {
	step, err := a.machine.Load().DB.Step(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's step: %w", err)
	}
	sandbox, target := a.settings.Sandbox, a.settings.Target
	if sandbox == "auto" {
		sandbox = a.sandbox().Level.String()
	}
	if target == "" {
		target = "embedded"
	}
	a.log.Info("starting", "version", a.version, "url", a.URL(), "data", a.settings.Data, "database", a.settings.ShownDatabase(),
		"schema", step, "mode", a.settings.Mode, "sandbox", sandbox, "target", target, "console", a.Console())
	if a.settings.Exposed() {
		a.log.Warn("whoever reaches this server may do everything, with any credentials or none", "listen", a.settings.Listen)
	}
	return nil
}

// Wait returns when ctx ends, or with an error when serving ended by itself.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.ended:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve: %w", err)
	}
}

// Stop finishes what runs and closes everything. Jobs come first: a function
// that is at work still calls this server. What has not ended when ctx does is
// cut off, and taken up at the next start.
func (a *App) Stop(ctx context.Context) error {
	a.ready.Store(false)
	m := a.last()
	a.console.stop()
	a.further.stop(ctx) // what it takes is given to the machine, which rests after it
	errs := []error{m.Rest(ctx)}
	if err := a.server.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("end requests: %w", err), a.server.Close())
	}
	a.close()
	return errors.Join(errs...)
}

// last waits for a reset that goes on and returns the machine that no other one
// follows.
func (a *App) last() *machine {
	a.resetting.Lock()
	defer a.resetting.Unlock()
	a.stopped = true
	a.ready.Store(false)
	return a.machine.Load()
}

// close gives back what open took, as far as it came.
func (a *App) close() {
	a.further.stop(context.Background())
	if m := a.machine.Load(); m != nil {
		m.Close()
	}
	if a.listener != nil {
		a.listener.Close()
	}
	if a.debug != nil {
		a.debug.Close()
	}
	a.console.close()
	a.closeTracer()
	if a.loopback != nil {
		a.loopback.Close()
	}
	if a.sandbox != nil {
		a.sandbox() // it writes into the data folder while it looks
	}
	for _, l := range a.locks {
		l.unlock()
	}
}

// Drain runs all that is due by the clock until nothing is.
func (a *App) Drain(ctx context.Context) error { return a.machine.Load().Drain(ctx) }

// Hold lets no job start until release is called.
func (a *App) Hold() (release func()) { return a.machine.Load().Jobs.Hold() }

// PutProgram gives a function, whose code is one program, another one. UpdateFunctionCode
// does the same with a zip file; this is for a server that is run to try functions out.
func (a *App) PutProgram(ctx context.Context, p config.Place, function string, program []byte) error {
	_, err := a.machine.Load().Functions.Update(ctx, lambda.Ref{Place: p, Name: function}, lambda.Change{Code: &lambda.Source{Program: program}})
	return err
}
