package environment

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/lambda/shims"
	"plumb/internal/sandbox"
)

// Credentials are what a function signs its calls with: those of its role.
type Credentials struct {
	ID, Secret, Token string
	Expires           time.Time // zero for never
}

// prepare decides what a process of this environment sees: program, variables,
// files and addresses.
func (e *environment) prepare(ctx context.Context) error {
	p := e.pool
	creds, err := p.options.Credentials(ctx, e.version)
	if err != nil {
		return fmt.Errorf("credentials of %s: %w", e.version.Role, err)
	}
	e.expires = creds.Expires
	level := p.box.Level()
	endpoint, forward, err := reach(p.options.Endpoint(), level)
	if err != nil {
		return err
	}
	tmp := filepath.Join(e.folder, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return err
	}
	task := e.version.Code
	if !e.made {
		e.renews = e.mayRenew()
	}
	if e.renews {
		if task, err = e.ownCode(); err != nil {
			return err
		}
	}
	s := &e.spec
	*s = sandbox.Spec{
		Mounts: []sandbox.Mount{
			{Source: task, Target: "/var/task"},
			{Source: p.shims, Target: "/var/runtime"},
			{Source: tmp, Target: "/tmp", Write: true},
		},
		Forward: forward,
		Limits: sandbox.Resource{
			Memory:    int64(e.version.Memory) << 20,
			FileSize:  int64(e.version.Ephemeral) << 20,
			OpenFiles: 1024,
			Processes: 1024,
		},
	}
	where := paths{task: level.Path(s.Mounts[0]), runtime: level.Path(s.Mounts[1]), tmp: level.Path(s.Mounts[2]), opt: "/opt"}
	s.Dir = where.task
	v := e.variables(where, endpoint, creds)
	if endpoint != "" && level == sandbox.Namespaces {
		p.names.give(s, v, e.version.Runtime)
	}
	if e.renews {
		v["PLUMB_RELOAD"] = "1"
		if s.Limits.Memory > 0 {
			s.Limits.Memory += besides
		}
	}
	if err := e.program(ctx, where, v); err != nil {
		return err
	}
	s.Env = v.list()
	return nil
}

// paths are where a process finds its folders.
type paths struct{ task, runtime, tmp, opt string }

// program chooses what to execute for the runtime's name. The versions of a
// language all run with the one that the host has.
func (e *environment) program(ctx context.Context, where paths, v variables) error {
	s := &e.spec
	switch name := e.version.Runtime; {
	case strings.HasPrefix(name, "provided"):
		s.Args = []string{filepath.Join(where.task, "bootstrap")}
		if _, err := os.Stat(filepath.Join(e.version.Code, "bootstrap")); err != nil {
			e.broken = &initFault{kind: "Runtime.InvalidEntrypoint", message: "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}
		}
		return nil
	case strings.HasPrefix(name, "python3"):
		h := e.pool.runtimes.Look(ctx)
		if h.Python == "" {
			return fmt.Errorf("runtime %s: this machine has no python3", name)
		}
		s.Args = []string{h.Python, "-u", filepath.Join(where.runtime, shims.Python)}
		s.Mounts = append(s.Mounts, shown(h.PythonShown)...)
		v.prepend("PATH", filepath.Dir(h.Python))
		v.byDefault("PYTHONPATH", where.runtime)
		v["PLUMB_PYTHON_PATH"] = strings.Join(h.PythonPath, ":")
	case strings.HasPrefix(name, "nodejs"):
		h := e.pool.runtimes.Look(ctx)
		if h.Node == "" {
			return fmt.Errorf("runtime %s: this machine has no node", name)
		}
		heap := max(64, e.version.Memory*7/8)
		s.Args = []string{h.Node, fmt.Sprintf("--max-old-space-size=%d", heap), filepath.Join(where.runtime, shims.Node)}
		s.Mounts = append(s.Mounts, shown(h.NodeShown)...)
		modules := where.opt + "/nodejs/node_modules"
		if h.NodeSDK != "" {
			m := sandbox.Mount{Source: h.NodeSDK, Target: modules}
			s.Mounts = append(s.Mounts, m)
			modules = e.pool.box.Level().Path(m)
		}
		v.prepend("PATH", filepath.Dir(h.Node))
		v.byDefault("NODE_PATH", modules+":"+where.runtime+"/node_modules:"+where.runtime+":"+where.task)
		v.byDefault("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1")
	default:
		return fmt.Errorf("runtime %s: Plumb runs python3, nodejs and provided", name)
	}
	if wrapper := e.version.Variables["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" {
		s.Args = append([]string{wrapper}, s.Args...)
	}
	return nil
}

func shown(dirs []string) []sandbox.Mount {
	var out []sandbox.Mount
	for _, d := range dirs {
		out = append(out, sandbox.Mount{Source: d, Target: d})
	}
	return out
}

// reach returns the endpoint as a function must call it, and the address that
// the sandbox has to let through. In a network of its own a function has nothing
// but loopback, so an endpoint elsewhere gets an address there.
func reach(endpoint string, level sandbox.Level) (string, []sandbox.Forward, error) {
	if endpoint == "" {
		return "", nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "", nil, fmt.Errorf("endpoint %q: want http://HOST:PORT", endpoint)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	outside := net.JoinHostPort(u.Hostname(), port)
	if level != sandbox.Namespaces {
		return endpoint, []sandbox.Forward{{Outside: outside}}, nil
	}
	inside := "127.0.0.1:" + port
	if ip := net.ParseIP(u.Hostname()); ip.IsLoopback() {
		inside = net.JoinHostPort(ip.String(), port)
	} else if u.Hostname() != "localhost" {
		u.Host = inside
	}
	return u.String(), []sandbox.Forward{{Inside: inside, Outside: outside}}, nil
}
