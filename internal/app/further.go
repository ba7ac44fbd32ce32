package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"plumb/internal/db"
	"plumb/internal/listener"
	"plumb/internal/settings"
	"plumb/internal/source/iot"
	"plumb/internal/source/ses"
)

// A protocol is one that producers of events speak beside HTTP, on a listener of its
// own. It costs nothing until the listener opens.
type protocol struct {
	name    string // as /_plumb/listeners, the log and doctor know it: smtp
	setting string // what the settings say: HOST:PORT, off, or empty for when it is needed
	usual   string // where it is then; another port of that host if this one is taken
	// needed reports whether something in the store is of use only while it is open.
	needed func(ctx context.Context, tx *db.Tx) (bool, error)
	// serve answers connections until what it returns is called, which lets those
	// that are at work finish until ctx ends.
	serve          func(l net.Listener) (stop func(ctx context.Context), err error)
	maxConnections int
}

// protocols are those that this program speaks.
func (a *App) protocols() []protocol {
	return []protocol{
		{
			name: "smtp", setting: a.settings.SMTPListen, usual: "127.0.0.1:2525", needed: ses.Needed, maxConnections: ses.MaxConnections,
			serve: func(l net.Listener) (func(context.Context), error) {
				return ses.SMTP(a.log, l, a.settings.Region, a.tlsConfig(), func() *ses.Mail { return a.machine.Load().Mail }), nil
			},
		},
		{
			name: "mqtt", setting: a.settings.MQTTListen, usual: a.usualMQTT(), needed: iot.Needed, maxConnections: iot.MaxConnections,
			serve: func(l net.Listener) (func(context.Context), error) {
				if a.certificate != nil {
					l = tls.NewListener(l, a.certificate.config())
				}
				return a.broker.Serve(l)
			},
		},
	}
}

// followEvery is how often a server asks the store whether another server was given
// what needs a listener here too.
const followEvery = 5 * time.Second

// further are the listeners beside that for HTTP.
type further struct {
	log       *slog.Logger
	read      func(ctx context.Context, fn func(tx *db.Tx) error) error
	protocols []protocol

	mu     sync.Mutex
	open   map[string]*furtherListener
	last   map[string]string // the addresses where they were, to be there again
	ended  bool
	cancel context.CancelFunc
	done   sync.WaitGroup
}

type furtherListener struct {
	net.Listener
	stop func(ctx context.Context)
}

func newFurther(log *slog.Logger, read func(context.Context, func(*db.Tx) error) error, all []protocol) *further {
	return &further{log: log, read: read, protocols: all, open: map[string]*furtherListener{}, last: map[string]string{}}
}

// start opens what the settings or the store ask for, which fails where the settings
// do, and then follows the store.
func (f *further) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	if err := f.look(ctx); err != nil {
		return err
	}
	if len(f.protocols) == 0 {
		return nil
	}
	f.done.Go(func() {
		tick := time.NewTicker(followEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				f.follow(ctx)
			}
		}
	})
	return nil
}

// follow is look for a caller that cannot return an error: it logs it.
func (f *further) follow(ctx context.Context) {
	if err := f.look(ctx); err != nil && ctx.Err() == nil {
		f.log.Warn("a further listener could not be opened or closed", "err", err)
	}
}

// look opens the listeners that are needed and closes those that are not any more.
func (f *further) look(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, p := range f.protocols {
		want, err := f.wants(ctx, p)
		switch l := f.open[p.name]; {
		case err != nil:
			errs = append(errs, err)
		case want && l == nil:
			errs = append(errs, f.openOne(p))
		case !want && l != nil:
			f.closeOne(ctx, p.name)
		}
	}
	return errors.Join(errs...)
}

// wants reports whether a listener is to be open.
func (f *further) wants(ctx context.Context, p protocol) (want bool, err error) {
	switch {
	case f.ended || p.setting == settings.NoListener:
		return false, nil
	case p.setting != "":
		return true, nil
	}
	err = f.read(ctx, func(tx *db.Tx) (err error) {
		want, err = p.needed(ctx, tx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("whether %s is needed: %w", p.name, err)
	}
	return want, nil
}

func (f *further) openOne(p protocol) error {
	l, err := f.listen(p)
	if err != nil {
		return err
	}
	l = listener.Limit(listener.PerAddress(l, max(1, p.maxConnections/2)), p.maxConnections)
	stop, err := p.serve(l)
	if err != nil {
		l.Close()
		return fmt.Errorf("%s: %w", p.name, err)
	}
	f.open[p.name], f.last[p.name] = &furtherListener{l, stop}, l.Addr().String()
	f.log.Info("listening", "protocol", p.name, "address", reachable(l.Addr()))
	return nil
}

// listen takes the address that the settings name, and no other. Without one it takes
// that where it was before, the usual one, or a free port.
func (f *further) listen(p protocol) (net.Listener, error) {
	if p.setting != "" {
		return listen(p.name+"-listen", p.setting)
	}
	for _, address := range []string{f.last[p.name], p.usual} {
		if address == "" {
			continue
		}
		if l, err := net.Listen("tcp", address); err == nil {
			return l, nil
		}
	}
	host, _, _ := net.SplitHostPort(p.usual)
	return listen(p.name+"-listen", net.JoinHostPort(host, "0"))
}

// closeGrace is how long connections have to end what they are at.
const closeGrace = 5 * time.Second

func (f *further) closeOne(ctx context.Context, name string) {
	l := f.open[name]
	delete(f.open, name)
	ctx, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	l.stop(ctx)
	l.Close()
	f.log.Info("no longer listening", "protocol", name)
}

// stop closes all of them, for good.
func (f *further) stop(ctx context.Context) {
	if f == nil {
		return
	}
	if f.cancel != nil {
		f.cancel()
	}
	f.done.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	for name := range f.open {
		f.closeOne(ctx, name)
	}
}

// addresses are where the open ones are reached from this machine, by name.
func (f *further) addresses() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]string{}
	for name, l := range f.open {
		out[name] = reachable(l.Addr())
	}
	return out
}

// getListeners names every further listener that is open.
func (a *App) getListeners(w http.ResponseWriter, _ *http.Request) { answer(w, a.further.addresses()) }

// Listeners are where clients of other protocols than HTTP reach this server, by the
// names of the protocols.
func (a *App) Listeners() map[string]string { return a.further.addresses() }
