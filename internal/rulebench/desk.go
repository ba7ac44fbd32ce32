package rulebench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/internal/console"
	"plumb/internal/rulefile"
	"plumb/internal/settings"
)

// deskTimeout is how long a function at the bench may take, in seconds: somebody waits.
const deskTimeout = 20

// A Desk asks functions for the console's rule bench, on a throw-away server that begins
// with the first of them. It is safe for concurrent use.
type Desk struct {
	log      *slog.Logger
	settings settings.Settings

	mu     sync.Mutex
	closed bool
	bench  *Bench
	dir    string
	put    console.Function // that the bench has
}

// NewDesk returns a desk whose functions run as those of a server with the settings do.
// Nothing is started before a function is asked.
func NewDesk(log *slog.Logger, of settings.Settings) *Desk {
	s := settings.Default()
	s.Account, s.Region, s.Rules = of.Account, of.Region, of.Rules
	s.Python, s.Node, s.NodePath, s.Sandbox = of.Python, of.Node, of.NodePath, of.Sandbox
	s.Console = settings.NoConsole
	return &Desk{log: log, settings: s}
}

// Ask has a function evaluate an item, and keeps nothing of what it says.
func (d *Desk) Ask(ctx context.Context, f console.Function, it config.Item) (console.FunctionAnswer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.start(ctx); err != nil {
		return console.FunctionAnswer{}, err
	}
	if !reflect.DeepEqual(f, d.put) {
		d.put = console.Function{}
		fault, err := d.deploy(ctx, f)
		if err != nil || fault != "" {
			return console.FunctionAnswer{Error: fault}, err // what is wrong with the code is an answer
		}
		d.put = f
		d.put.Types, d.put.Parameters = slices.Clone(f.Types), maps.Clone(f.Parameters)
	}
	if err := d.bench.Forget(ctx); err != nil {
		return console.FunctionAnswer{}, err
	}
	it.Place = d.bench.Place // where the throw-away server has the rule
	a, err := d.bench.Ask(ctx, f.Name, Occasion{Item: &it})
	if err != nil {
		return console.FunctionAnswer{}, err
	}
	return answerOf(a, it), nil
}

func answerOf(a Answer, it config.Item) console.FunctionAnswer {
	out := console.FunctionAnswer{Log: printed(a.Log, a.Error), Error: a.Error, Trace: a.Trace, Took: a.Took}
	for _, v := range a.Verdicts {
		if v.Type == it.Type && v.ID == it.ID {
			out.Compliance, out.Annotation = v.Compliance, v.Annotation
		}
	}
	if out.Compliance == "" && len(a.Verdicts) > 0 {
		v := a.Verdicts[0]
		out.Annotation = fmt.Sprintf("It reported nothing of this item, and %s of %s %s.", v.Compliance, v.Type, v.ID)
	}
	return out
}

func (d *Desk) start(ctx context.Context) (err error) {
	switch {
	case d.closed:
		return errors.New("the server is being stopped")
	case d.bench != nil:
		return nil
	}
	if d.dir, err = os.MkdirTemp("", "plumb-desk-"); err != nil {
		return err
	}
	// The server outlives who asked first.
	if d.bench, err = Start(context.WithoutCancel(ctx), d.log, Options{Settings: d.settings, Reload: true}); err != nil {
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return err
}

// deploy writes the function where a rule of its name would be, and puts it. It returns
// what is wrong with the code, if anything is.
func (d *Desk) deploy(ctx context.Context, f console.Function) (fault string, err error) {
	folder := filepath.Join(d.dir, f.Name)
	if err := os.RemoveAll(folder); err != nil {
		return "", err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, f.File), []byte(f.Text), 0o600); err != nil {
		return "", err
	}
	found, err := rulefile.Find(folder)
	if err != nil {
		return f.File + " has no handler: want a function handler, lambda_handler or lambdaHandler", nil
	}
	r := found[0]
	r.Name, r.Types, r.Parameters, r.Timeout = f.Name, f.Types, f.Parameters, deskTimeout
	err = d.bench.Put(ctx, r)
	if refused, ok := errors.AsType[*awsclient.Error](err); ok {
		return refused.Error(), nil
	}
	return "", err
}

// Close ends the throw-away server, if one was started.
func (d *Desk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.bench == nil {
		return nil
	}
	return errors.Join(d.bench.Close(), os.RemoveAll(d.dir))
}
