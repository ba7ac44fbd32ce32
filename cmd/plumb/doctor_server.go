package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

// checkDatabase opens a database that is there; a SQLite file that is not is
// left to the server to make.
func checkDatabase(ctx context.Context, s settings.Settings) []finding {
	u := s.DatabaseURL()
	shown := u
	if parsed, err := url.Parse(u); err == nil && parsed.Host != "" {
		shown = parsed.Redacted()
	}
	if path, ok := strings.CutPrefix(u, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return []finding{{fine, "database", shown + " will be made by the server", ""}}
		}
	}
	d, err := db.Open(ctx, u, slog.New(slog.DiscardHandler))
	if err != nil {
		return []finding{{broken, "database", err.Error(), "see that it runs, that the user may create tables, and that --database is right"}}
	}
	d.Close()
	return []finding{{fine, "database", shown + " answers", ""}}
}

// checkServer says whether something answers where the server would listen.
func checkServer(ctx context.Context, s settings.Settings) []finding {
	if _, port, err := net.SplitHostPort(s.Listen); err == nil && port == "0" {
		return nil
	}
	status, err := get(ctx, "http://"+s.Listen+"/readyz")
	switch {
	case err != nil:
		return []finding{{remark, "server", "none runs at " + s.Listen, "plumb serve"}}
	case status != http.StatusOK:
		return []finding{{remark, "server", fmt.Sprintf("%s answers, but not that it is ready (HTTP %d)", s.Listen, status),
			"see the server's log, or listen elsewhere with --listen"}}
	}
	return []finding{{fine, "server", "http://" + s.Listen + " is ready", ""}}
}

// checkSandbox says how strongly functions are kept apart, and why not stronger.
func checkSandbox(_ context.Context, s settings.Settings) []finding {
	dir, err := os.MkdirTemp("", "plumb-doctor-")
	if err != nil {
		return []finding{{remark, "sandbox", err.Error(), "see that the temporary folder can be written"}}
	}
	defer os.RemoveAll(dir)
	r := sandbox.Probe(dir)
	f := finding{fine, "sandbox", fmt.Sprintf("functions run at level %s, memory held by %s", r.Level, r.Memory), ""}
	if r.Level < sandbox.Namespaces {
		f.state = remark
		f.advice = strings.Join(r.Reasons, "; ")
	}
	if s.Sandbox != "auto" && s.Sandbox != "" {
		if want, err := sandbox.ParseLevel(s.Sandbox); err == nil && want > r.Level {
			f.state, f.advice = broken, fmt.Sprintf("the setting demands %s: %s", want, strings.Join(r.Reasons, "; "))
		}
	}
	return []finding{f}
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

func checkPython(ctx context.Context, s settings.Settings) []finding {
	program := s.Python
	if program == "" {
		program = "python3"
	}
	v, err := output(ctx, program, "--version")
	if err != nil {
		return []finding{{remark, "python", "none: python3.* functions cannot run", "install python3, or name it with --python"}}
	}
	boto, err := output(ctx, program, "-c", "import boto3; print(boto3.__version__)")
	if err != nil {
		return []finding{{remark, "python", v + " without boto3, which most rules import", "install the package python3-boto3, or ship boto3 in the function's zip"}}
	}
	return []finding{{fine, "python", v + " with boto3 " + boto, ""}}
}

func checkNode(ctx context.Context, s settings.Settings) []finding {
	program := s.Node
	if program == "" {
		program = "node"
	}
	v, err := output(ctx, program, "--version")
	if err != nil {
		return []finding{{remark, "node", "none: nodejs* functions cannot run", "install nodejs, or name it with --node"}}
	}
	if dir := sdkFolder(ctx, s); dir != "" {
		return []finding{{fine, "node", v + " with aws-sdk in " + dir, ""}}
	}
	return []finding{{remark, "node", v + " without aws-sdk (version 2), which older rules require",
		"npm install --global aws-sdk, or name a node_modules folder with --node-path"}}
}

// sdkFolder finds the node_modules folder that has the SDK.
func sdkFolder(ctx context.Context, s settings.Settings) string {
	dirs := []string{s.NodePath, "/opt/nodejs/node_modules"}
	if global, err := output(ctx, "npm", "root", "--global"); err == nil {
		dirs = append(dirs, global)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "aws-sdk", "package.json")); dir != "" && err == nil {
			return dir
		}
	}
	return ""
}

// output runs a program and returns the first line that it prints.
func output(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line, err
}

// get returns the status that a URL answers with.
func get(ctx context.Context, u string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}
