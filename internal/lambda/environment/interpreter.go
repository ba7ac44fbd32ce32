package environment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A Host is what the machine has to run functions with. Empty paths are not
// there.
type Host struct {
	Python, PythonVersion string
	Boto3                 string   // its version
	PythonPath            []string // where the interpreter finds packages
	PythonShown           []string // what a function must see of the host to run it

	Node, NodeVersion string
	NodeSDK           string // a node_modules folder with an AWS SDK in it
	NodeSDK2          bool   // aws-sdk, of version 2, is there
	NodeSDK3          bool   // packages of @aws-sdk, of version 3, are there
	NodeShown         []string

	Problems []string
}

// Runtimes finds the host's interpreters once, when the first function needs
// one. Python and Node are programs to try first; NodePath is a node_modules
// folder with an AWS SDK. All may be empty.
type Runtimes struct {
	Python, Node, NodePath string

	once sync.Once
	host Host
}

// Look returns what the host has.
func (r *Runtimes) Look(ctx context.Context) Host {
	r.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		r.host.lookForPython(ctx, r.Python)
		r.host.lookForNode(ctx, r.Node, r.NodePath)
	})
	return r.host
}

const askPython = `
import json, os, sys
try:
    from importlib.util import find_spec
    boto3 = find_spec('boto3') is not None
except ImportError:
    boto3 = False
version = ''
if boto3:
    try:
        from importlib.metadata import version as of
        version = of('boto3')
    except Exception:
        version = 'unknown'
program = getattr(sys, '_base_executable', None) or sys.executable
print(json.dumps({'program': os.path.realpath(program), 'version': '%d.%d.%d' % sys.version_info[:3], 'prefix': [sys.base_prefix, sys.prefix],
    'path': [os.path.abspath(p) for p in sys.path if p], 'boto3': version, 'usable': sys.version_info >= (3, 6)}))
`

type pythonAnswer struct {
	Program string   `json:"program"`
	Version string   `json:"version"`
	Prefix  []string `json:"prefix"`
	Path    []string `json:"path"`
	Boto3   string   `json:"boto3"`
	Usable  bool     `json:"usable"`
}

// lookForPython takes the first interpreter that has boto3, as AWS's runtimes
// have, or else the first that runs.
func (h *Host) lookForPython(ctx context.Context, first string) {
	names := []string{"python3", "/usr/bin/python3", "/usr/local/bin/python3"}
	if first != "" {
		names = []string{first}
	}
	for v := 14; v >= 9 && first == ""; v-- {
		names = append(names, fmt.Sprintf("python3.%d", v))
	}
	var best *pythonAnswer
	for _, name := range names {
		var a pythonAnswer
		if err := ask(ctx, &a, name, "-c", askPython); err != nil || !a.Usable {
			continue
		}
		if best == nil || a.Boto3 != "" {
			best = &a
		}
		if a.Boto3 != "" {
			break
		}
	}
	if best == nil {
		h.Problems = append(h.Problems, "no python3: functions with a python runtime cannot run; install Python 3.9 or newer")
		return
	}
	if best.Boto3 == "" {
		h.Problems = append(h.Problems, fmt.Sprintf("%s has no boto3: functions that use it must bring it; install it with %s -m pip install boto3", best.Program, best.Program))
	}
	h.Python, h.PythonVersion, h.Boto3 = best.Program, best.Version, best.Boto3
	for _, p := range best.Path {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			h.PythonPath = append(h.PythonPath, p)
		}
	}
	h.PythonShown = outsideOfSystem(append(best.Prefix, h.PythonPath...), best.Program)
}

type nodeAnswer struct {
	Program string `json:"program"`
	Version string `json:"version"`
}

func (h *Host) lookForNode(ctx context.Context, program, modules string) {
	if program == "" {
		program = "node"
	}
	var a nodeAnswer
	const question = `JSON.stringify({program: fs.realpathSync(process.execPath), version: process.versions.node})`
	if err := ask(ctx, &a, program, "-p", question); err != nil {
		h.Problems = append(h.Problems, "no node: functions with a nodejs runtime cannot run; install Node.js 18 or newer")
		return
	}
	h.Node, h.NodeVersion = a.Program, a.Version
	prefix := filepath.Dir(filepath.Dir(a.Program))
	h.NodeShown = outsideOfSystem([]string{prefix}, a.Program)
	for _, dir := range []string{modules, filepath.Join(prefix, "lib", "node_modules"), "/usr/local/lib/node_modules", "/usr/share/nodejs"} {
		if dir == "" {
			continue
		}
		two, three := holds(dir, "aws-sdk"), holds(dir, "@aws-sdk/client-*")
		if two || three || dir == modules && holds(dir, ".") {
			h.NodeSDK, h.NodeSDK2, h.NodeSDK3 = dir, two, three
			break
		}
	}
	const how = "install it with npm install -g %s, or name its node_modules folder in PLUMB_NODE_PATH"
	if !h.NodeSDK3 {
		h.Problems = append(h.Problems, "no AWS SDK v3 for Node.js: functions for nodejs18.x and later that import @aws-sdk/client-... must bring it; "+
			fmt.Sprintf(how, "@aws-sdk/client-config-service"))
	}
	if !h.NodeSDK2 {
		h.Problems = append(h.Problems, "no aws-sdk v2 for Node.js: functions for nodejs16.x and before that require('aws-sdk') must bring it; "+
			fmt.Sprintf(how, "aws-sdk"))
	}
}

// holds reports whether a folder has a folder of a name like this.
func holds(dir, pattern string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, pattern))
	return len(found) > 0
}

// ask runs a program that prints JSON.
func ask(ctx context.Context, into any, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/"
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	return json.Unmarshal(out, into)
}

// outsideOfSystem keeps the folders that a sandbox does not show anyway, each
// once and none below another.
func outsideOfSystem(dirs []string, program string) []string {
	var out []string
	for _, d := range append(dirs, filepath.Dir(program)) {
		if real, err := filepath.EvalSymlinks(d); err == nil && real != d {
			dirs = append(dirs, real)
		}
	}
	for _, d := range append(dirs, filepath.Dir(program)) {
		if info, err := os.Stat(d); err != nil || !info.IsDir() || tooWide(d) || below(d, "/usr", "/lib", "/bin") || below(d, out...) {
			continue
		}
		out = append(out, d)
	}
	return out
}

// tooWide reports whether showing a folder would show what is not the
// interpreter's: somebody's whole home, say.
func tooWide(dir string) bool {
	if home, err := os.UserHomeDir(); err == nil && below(home, dir) {
		return true
	}
	return strings.Count(filepath.Clean(dir), "/") < 2
}

// below reports whether dir is one of the others or inside of one.
func below(dir string, others ...string) bool {
	for _, o := range others {
		if dir == o || strings.HasPrefix(dir, strings.TrimSuffix(o, "/")+"/") {
			return true
		}
	}
	return false
}
