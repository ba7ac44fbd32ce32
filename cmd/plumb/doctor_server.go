package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/lambda/environment"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

// checkDatabase opens a database that is there; a SQLite file that is not is
// left to the server to make.
func checkDatabase(ctx context.Context, s settings.Settings) []finding {
	u, shown := s.DatabaseURL(), s.ShownDatabase()
	if path, ok := strings.CutPrefix(u, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return []finding{{fine, "database", shown + " will be made by the server", ""}}
		}
	}
	d, err := db.Inspect(ctx, u, slog.New(slog.DiscardHandler))
	if err != nil {
		if e, ok := errors.AsType[*db.OpenError](err); ok {
			return []finding{{broken, "database", e.Reason(), e.Advice}}
		}
		return []finding{{broken, "database", err.Error(), "see that --database is right"}}
	}
	defer d.Close()
	schema, err := d.Schema(ctx)
	if err != nil {
		return []finding{{broken, "database", err.Error(), ""}}
	}
	if schema.Missing > 0 {
		return []finding{{remark, "database", fmt.Sprintf("%s answers; its schema is at step %d of %d", shown, schema.Step, schema.Latest),
			"the server moves it forward when it starts; an older program cannot use it afterwards"}}
	}
	return []finding{{fine, "database", shown + " answers", ""}}
}

// checkServer says whether something answers where the server would listen.
func checkServer(ctx context.Context, s settings.Settings) []finding {
	if _, port, err := net.SplitHostPort(s.Listen); err == nil && port == "0" {
		return nil
	}
	status, err := get(ctx, s.URL()+"/readyz")
	switch {
	case err != nil:
		return []finding{{remark, "server", "none runs at " + s.Listen, "plumb serve"}}
	case status != http.StatusOK:
		return []finding{{remark, "server", fmt.Sprintf("%s answers, but not that it is ready (HTTP %d)", s.Listen, status),
			"see the server's log, or listen elsewhere with --listen"}}
	}
	return append([]finding{{fine, "server", s.URL() + " is ready", ""}}, checkListeners(ctx, s)...)
}

// checkListeners says where the running server listens beside HTTP.
func checkListeners(ctx context.Context, s settings.Settings) []finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/_plumb/listeners", nil)
	if err != nil {
		return []finding{{remark, "listeners", err.Error(), ""}}
	}
	if token := s.ControlToken.Reveal(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := anyCertificate.Do(req)
	if err != nil {
		return []finding{{remark, "listeners", err.Error(), ""}}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return []finding{{remark, "listeners", fmt.Sprintf("the server does not tell (HTTP %d)", resp.StatusCode), "give doctor the server's control-token"}}
	}
	var open map[string]string
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&open); err != nil {
		return []finding{{remark, "listeners", err.Error(), ""}}
	}
	var out []finding
	for _, name := range slices.Sorted(maps.Keys(open)) {
		out = append(out, finding{fine, "listeners", name + " at " + open[name], ""})
	}
	return out
}

// checkSandbox says how strongly functions are kept apart, and why not stronger.
func checkSandbox(_ context.Context, s settings.Settings) []finding {
	dir, err := os.MkdirTemp("", "plumb-doctor-")
	if err != nil {
		return []finding{{remark, "sandbox", err.Error(), "see that the temporary folder can be written"}}
	}
	defer os.RemoveAll(dir)
	r := sandbox.Probe(dir)
	used, why := r.Level, ""
	if want, err := sandbox.ParseLevel(s.Sandbox); err == nil { // not auto
		if want > r.Level {
			return []finding{{broken, "sandbox", fmt.Sprintf("this machine gives level %s", r.Level),
				fmt.Sprintf("the setting demands %s: %s", want, strings.Join(r.Reasons, "; "))}}
		}
		used, why = want, ", as the setting demands"
	}
	f := finding{fine, "sandbox", fmt.Sprintf("functions run at level %s%s, memory held by %s", used, why, r.Memory), ""}
	if r.Level < sandbox.Namespaces || r.Memory != "cgroup" {
		f.state = remark
		f.advice = strings.Join(r.Reasons, "; ")
	}
	return []finding{f, checkNames(used)}
}

// checkNames says whether functions come here that call AWS by its own names.
func checkNames(l sandbox.Level) finding {
	if l == sandbox.Namespaces {
		return finding{fine, "names", "in functions, the names of AWS's hosts lead to this server", ""}
	}
	return finding{remark, "names", fmt.Sprintf("at level %s, functions come to this server by AWS_ENDPOINT_URL alone", l),
		"an SDK that does not read it looks for AWS itself: build such functions with a newer one, or see to the level namespaces"}
}

// checkTarget asks an outside endpoint for any answer at all.
func checkTarget(ctx context.Context, s settings.Settings) []finding {
	if s.Target == "" {
		return []finding{{fine, "target", "none: the embedded services are recorded", ""}}
	}
	if s.Target == settings.AWS {
		return []finding{{fine, "target", "Amazon's own endpoints; \"aws sts get-caller-identity\" tells as whom", ""}}
	}
	if _, err := get(ctx, s.Target); err != nil {
		return []finding{{broken, "target", err.Error(), "see that the target runs and that --target is right"}}
	}
	return []finding{{fine, "target", s.Target + " answers", ""}}
}

// checkCLI looks for the client that the documentation uses.
func checkCLI(ctx context.Context, _ settings.Settings) []finding {
	v, err := output(ctx, "aws", "--version")
	if err != nil {
		return []finding{{remark, "aws", "the AWS CLI is not there", "install the package awscli, or use any AWS SDK"}}
	}
	return []finding{{fine, "aws", v, ""}}
}

// checkRuntimes says which functions can run, by the look-up that the server
// itself makes.
func checkRuntimes(ctx context.Context, s settings.Settings) []finding {
	r := environment.Runtimes{Python: s.Python, Node: s.Node, NodePath: s.NodePath}
	host := r.Look(ctx)
	var out []finding
	if host.Python != "" {
		out = append(out, finding{fine, "python", host.Python + " " + host.PythonVersion + with("boto3", host.Boto3), ""})
	}
	if host.Node != "" {
		out = append(out, finding{fine, "node", host.Node + " " + host.NodeVersion + with("packages in", host.NodeSDK), ""})
	}
	for _, problem := range host.Problems {
		what, advice, _ := strings.Cut(problem, "; ")
		out = append(out, finding{remark, "runtime", what, advice})
	}
	return append(out, finding{fine, "provided", "programs for provided.al2 and provided.al2023 run as they are", ""})
}

// with names what comes with a runtime, if anything does.
func with(what, which string) string {
	if which == "" {
		return ""
	}
	return ", with " + what + " " + which
}

// output runs a program and returns the first line that it prints.
func output(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, err
}

// anyCertificate asks only whether somebody answers, by an address of this machine
// that the certificate may not name.
var anyCertificate = &http.Client{Transport: &http.Transport{
	Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
}}

// get returns the status that a URL answers with.
func get(ctx context.Context, u string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return 0, err
	}
	resp, err := anyCertificate.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}
