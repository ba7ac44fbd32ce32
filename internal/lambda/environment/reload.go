package environment

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumb/internal/sandbox"
)

// While a function is written its environment goes on with each code that is put:
// its process keeps what the function depends on and has another process load the
// function (shims: plumb_reload.py, reload.cjs). The folder that it sees as
// /var/task is the environment's own then, and gets the next code's files.

// besides is what a process that loads functions anew may hold beside them.
const besides = 512 << 20

// mayRenew reports whether the process of an environment can load other code.
func (e *environment) mayRenew() bool {
	v := e.version
	return e.pool.options.Reload && v.Number == "$LATEST" && v.Variables["AWS_LAMBDA_EXEC_WRAPPER"] == "" &&
		(strings.HasPrefix(v.Runtime, "python3") || strings.HasPrefix(v.Runtime, "nodejs"))
}

// waitsForCode reports whether an environment stays for the next code of its
// function, though its own is retired. The pool's lock is held.
func (p *Pool) waitsForCode(e *environment) bool { return e.made && e.renews }

// takeOlder returns an idle environment with other code of the function, which
// becomes one of the version. It waits a moment for one that has just answered. The
// pool's lock is held, and let go of while it waits.
func (p *Pool) takeOlder(v Version) *environment {
	if !p.options.Reload {
		return nil
	}
	const tries, pause = 200, 5 * time.Millisecond
	for range tries {
		e, soon := p.findOlder(v)
		if e != nil && p.room(v.Account) {
			p.useRoom()
			p.dropIdle(e)
			e.version = v
			p.all[e] = true
			p.count[v.Key]++
			return e
		}
		if !soon || p.closed {
			break
		}
		p.mu.Unlock()
		time.Sleep(pause)
		p.mu.Lock()
	}
	return nil
}

// findOlder returns an idle environment with other code of the function, or
// whether one will be idle soon.
func (p *Pool) findOlder(v Version) (found *environment, soon bool) {
	for e := range p.all {
		if !e.made || !e.renews || e.retired || e.worn() || !sameButCode(e.version, v) {
			continue
		}
		if slices.Contains(p.idle[e.version.Key], e) {
			return e, false
		}
		soon = soon || e.ending
	}
	return nil, soon
}

func sameButCode(a, b Version) bool {
	a.Key, a.Code = b.Key, b.Code
	return reflect.DeepEqual(a, b)
}

// renew gives an environment that takeOlder returned the code of its version.
func (p *Pool) renew(ctx context.Context, e *environment) error {
	if e.proc != nil && e.proc.gone() {
		e.stop()
	}
	if e.release != nil {
		e.release()
		e.release = nil
	}
	err := clearFolder(filepath.Join(e.folder, "tmp")) // which is mounted: the folder itself stays
	if err == nil {
		err = e.begin(ctx)
	}
	if err != nil {
		e.remove()
		p.forget(e)
		return err
	}
	e.unready = e.proc != nil
	return nil
}

// ownCode fills the folder that the environment's process sees as the function's.
func (e *environment) ownCode() (string, error) {
	dir := filepath.Join(e.folder, "task")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := clearFolder(dir); err != nil {
		return "", err
	}
	return dir, copyTree(dir, e.version.Code)
}

func clearFolder(dir string) error {
	old, err := os.ReadDir(dir)
	for _, o := range old {
		err = errors.Join(err, removeTree(filepath.Join(dir, o.Name())))
	}
	return err
}

// copyTree copies the files, folders and links of a folder into another.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, inside)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o755)
		case d.Type() == fs.ModeSymlink:
			where, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(where, target)
		}
		return copyFile(target, path)
	})
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// loadAnew has the process load the function. If that cannot be done, the process
// is stopped and another one is to be started.
func (e *environment) loadAnew(ctx context.Context, limit time.Duration, requestID string) error {
	e.journal.mu.Lock()
	e.journal.flush()
	e.journal.line.Stream, e.journal.line.RequestID = e.stream, requestID
	e.journal.mu.Unlock()
	e.starting.Store(true)
	defer e.starting.Store(false)
	err := e.proc.renew(ctx, e.spec, limit)
	_, failed := errors.AsType[*initFault](err)
	switch {
	case err == nil:
		e.unready = false
	case failed && !e.proc.gone() || errors.Is(err, errInitTimeout):
		// What comes of it is the function's.
	default:
		e.stop()
	}
	return err
}

// initEnded stops the process of an init that failed, unless it can be told to try
// again.
func (e *environment) initEnded(err error) {
	_, failed := errors.AsType[*initFault](err)
	if failed && e.proc != nil && e.proc.stays && !e.proc.gone() {
		e.unready = true
		return
	}
	e.stop()
}

// errBusy is why a process took no order.
var errBusy = errors.New("the runtime takes no order to load the function")

// renew orders the runtime to load the function with the variables of a spec.
func (p *process) renew(ctx context.Context, spec sandbox.Spec, limit time.Duration) error {
	variables := map[string]string{}
	for _, nv := range spec.Env {
		name, value, _ := strings.Cut(nv, "=")
		variables[name] = value
	}
	order, err := json.Marshal(map[string]any{"env": variables})
	if err != nil {
		return err
	}
	select {
	case <-p.api.arrived:
	default:
	}
	select {
	case <-p.api.initFailed:
	default:
	}
	select {
	case p.api.renew <- order:
		return p.init(ctx, limit)
	case <-p.child.Done():
		return errBusy
	case <-time.After(limit):
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// giveOrder answers the runtime with an order to load the function anew.
func (a *runtimeAPI) giveOrder(w http.ResponseWriter, order []byte) {
	a.mu.Lock()
	a.asked = false
	a.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(order)))
	h.Set("Plumb-Reload", "1")
	w.Write(order)
}
