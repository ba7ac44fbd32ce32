package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"plumb/internal/lambda/environment"
	"plumb/internal/rule/managed"
	"plumb/internal/rulebench"
	"plumb/internal/ruledev"
	"plumb/internal/scaffold"
	"plumb/internal/settings"
)

const savedItem = `{"resourceType": "AWS::S3::Bucket", "resourceId": "logs", "tags": {"owner": "a"}, "configuration": {"name": "logs"}}`

// A floor does one round of what something is measured against; i makes each round
// another one.
type floor func(ctx context.Context, i int) error

// savedFunctions are new functions as an author begins with them: each save appends
// a line. The floor of one is what its runtime takes to be there at all, from nothing.
var savedFunctions = []struct {
	what, language, file, line string
	floor                      func(b *bench, host environment.Host) (f floor, what string, err error) // f is nil where it cannot be measured
}{
	{"Python", scaffold.Python, "rule.py", "\n# %d\n", pythonStarts},
	{"Node.js", scaffold.Node, "index.mjs", "\n// %d\n", nodeStarts},
	{"Go", scaffold.Go, "main.go", "\n// %d\n", goBuilds},
}

func pythonStarts(_ *bench, host environment.Host) (floor, string, error) {
	if host.Boto3 == "" {
		return nil, "no python3 with boto3 here", nil
	}
	return command("", nil, host.Python, "-c", "import json, boto3; boto3.client('config', region_name='us-east-1')"), "python3 loads boto3 and makes a client", nil
}

func nodeStarts(_ *bench, host environment.Host) (floor, string, error) {
	if _, err := os.Stat(filepath.Join(host.NodeSDK, "@aws-sdk", "client-config-service")); host.NodeSDK == "" || err != nil {
		return nil, "no Node.js with @aws-sdk/client-config-service here", nil
	}
	const script = "new (require('@aws-sdk/client-config-service').ConfigServiceClient)({region: 'us-east-1'})"
	return command("", []string{"NODE_PATH=" + host.NodeSDK}, host.Node, "-e", script), "node loads the SDK and makes a client", nil
}

// goBuilds builds another copy of the program, with the same changes.
func goBuilds(b *bench, _ environment.Host) (floor, string, error) {
	if b.quick {
		return nil, "the first build takes half a minute", nil
	}
	folder := filepath.Join(b.dir, "floor-program")
	if _, err := scaffold.New(folder, scaffold.Go, "AWS::S3::Bucket"); err != nil {
		return nil, "", err
	}
	file := filepath.Join(folder, "main.go")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, "", err
	}
	build := command(folder, []string{"CGO_ENABLED=0"}, "go", "build", "-ldflags=-s -w", "-o", filepath.Join(b.dir, "built"), ".")
	return func(ctx context.Context, i int) error {
		if err := os.WriteFile(file, fmt.Appendf(bytes.Clone(text), "\n// %d\n", i), 0o600); err != nil {
			return err
		}
		return build(ctx, i)
	}, "go build of such a change", nil
}

// command is a floor that runs a program.
func command(dir string, env []string, program string, arguments ...string) floor {
	return func(ctx context.Context, _ int) error {
		cmd := exec.CommandContext(ctx, program, arguments...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, out)
		}
		return nil
	}
}

// The rules that an author saves; %d makes each save another text.
const (
	savedGuard = "# %d\nrule owned when resourceType == \"AWS::S3::Bucket\" { tags.owner exists }\n"
	savedCEL   = "# %d\nidentifier: OWNED\ndescription: Owned.\nresources: [AWS::S3::Bucket]\ntrigger: change\ncheck: \"'owner' in tags\"\n"
)

// save measures how long it takes from a saved file to the verdict that "plumb rule
// dev --watch" prints, with the moment in which the save is noticed. Floors take
// turns with what they are the floors of.
func save(ctx context.Context, b *bench) error {
	for _, one := range []struct{ what, file, text string }{
		{"save to verdict, Guard", "rule.guard", savedGuard},
		{"save to verdict, CEL", "rule.yaml", savedCEL},
	} {
		s, err := b.newDesk(one.file, nil)
		if err != nil {
			return err
		}
		answer, end := nothingServed()
		took, floors, err := s.saves(ctx, b.options.changes, func(i int) []byte { return fmt.Appendf(nil, one.text, i) }, answer)
		end()
		if err != nil {
			return err
		}
		b.table.beside(one.what, took, "an HTTP request", floors, 100*time.Millisecond)
	}
	return b.saveFunctions(ctx)
}

func (b *bench) saveFunctions(ctx context.Context) error {
	o := settings.Default()
	o.NodePath = os.Getenv("PLUMB_NODE_PATH")
	host := (&environment.Runtimes{NodePath: o.NodePath}).Look(ctx)
	for _, f := range savedFunctions {
		what := "save to verdict, " + f.what + " function"
		start, floorIs, err := f.floor(b, host)
		if err != nil {
			return err
		}
		if start == nil {
			b.table.missing(what, floorIs)
			continue
		}
		server, err := rulebench.Start(ctx, slog.New(slog.DiscardHandler), rulebench.Options{Settings: o, Reload: true})
		if err != nil {
			return err
		}
		took, floors, err := b.savesOf(ctx, server, f.language, f.file, f.line, start)
		if err = errors.Join(err, server.Close()); err != nil {
			return fmt.Errorf("%s: %w", f.what, err)
		}
		b.table.beside(what, took, floorIs, floors, 500*time.Millisecond)
	}
	return nil
}

func (b *bench) savesOf(ctx context.Context, server *rulebench.Bench, language, file, line string, start floor) (took, floors []time.Duration, err error) {
	d, err := b.newDesk(file, server)
	if err != nil {
		return nil, nil, err
	}
	text, err := d.begin(language)
	if err != nil {
		return nil, nil, err
	}
	return d.saves(ctx, max(1, b.changes/4), func(i int) []byte { return fmt.Appendf(bytes.Clone(text), line, i) }, start)
}

// A desk is a session that watches a folder, and tells when it has evaluated.
type desk struct {
	session ruledev.Session
	file    string     // which is saved
	printed chan error // nil for a verdict
}

func (b *bench) newDesk(file string, server *rulebench.Bench) (*desk, error) {
	folder, err := os.MkdirTemp(b.dir, "saved")
	if err != nil {
		return nil, err
	}
	catalogue, err := managed.Load() // as a session that watches has done
	if err != nil {
		return nil, err
	}
	d := &desk{file: file, printed: make(chan error, 1)}
	d.session = ruledev.Session{
		Folder: filepath.Join(folder, "mine"), Out: d, Limit: 1, Managed: func() (*managed.Catalogue, error) { return catalogue, nil },
		Bench: func(context.Context) (*rulebench.Bench, error) { return server, nil },
	}
	return d, os.MkdirAll(d.session.Folder, 0o700)
}

// begin writes a new rule into the folder and returns the text of its file. What it
// looks at is the fixture alone.
func (d *desk) begin(language string) ([]byte, error) {
	if _, err := scaffold.New(d.session.Folder, language, "AWS::S3::Bucket"); err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(d.session.Folder, "plumb-test.yaml")); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(d.session.Folder, d.file))
}

// Write takes what the session prints.
func (d *desk) Write(text []byte) (int, error) {
	switch {
	case bytes.Contains(text, []byte("COMPLIANT")):
		d.printed <- nil
	case bytes.Contains(text, []byte("rror")):
		d.printed <- fmt.Errorf("the rule failed: %s", text)
	}
	return len(text), nil
}

// saves times saves up to their verdicts, each after a turn of the floor. The floor
// meets a file that changed, as the save does.
func (d *desk) saves(ctx context.Context, n int, text func(i int) []byte, start floor) (took, floors []time.Duration, err error) {
	fixtures := filepath.Join(d.session.Folder, "fixtures")
	if err := os.Mkdir(fixtures, 0o700); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(fixtures, "logs.json"), []byte(savedItem), 0o600); err != nil {
		return nil, nil, err
	}
	put := func(i int) error { return d.put(text(i)) }
	if err := put(0); err != nil {
		return nil, nil, err
	}
	watching, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.session.Watch(watching) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended)
	}()
	if err := d.wait(ctx); err != nil { // the start of the session
		return nil, nil, err
	}
	for i := range n {
		began := time.Now()
		if err := start(ctx, i); err != nil {
			return nil, nil, err
		}
		floors = append(floors, time.Since(began))
		began = time.Now()
		if err := put(i + 1); err != nil {
			return nil, nil, err
		}
		if err := d.wait(ctx); err != nil {
			return nil, nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, floors, nil
}

// put saves as most editors do, in one step: a file that is written in place is seen
// half written now and then, which is two saves.
func (d *desk) put(text []byte) error {
	beside := filepath.Join(d.session.Folder, ".saved")
	if err := os.WriteFile(beside, text, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, filepath.Join(d.session.Folder, d.file))
}

func (d *desk) wait(ctx context.Context) error {
	select {
	case err := <-d.printed:
		return err
	case <-time.After(2 * time.Minute):
		return errors.New("no verdict was printed")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// nothingServed is an HTTP request that is answered with nothing, and the end of its
// server.
func nothingServed() (request floor, end func()) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(ctx context.Context, _ int) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		if err != nil {
			return err
		}
		answer, err := s.Client().Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return errors.Join(err, answer.Body.Close())
	}, s.Close
}
