package app

import (
	"fmt"
	"net"
	"net/http"
	"strings"

	"plumb/internal/config"
	"plumb/internal/console"
	"plumb/internal/core"
	"plumb/internal/listener"
	"plumb/internal/settings"
)

// A consoleServer answers people's browsers, on a listener of its own. A nil one does
// nothing.
type consoleServer struct {
	listener net.Listener
	scheme   string
	pages    *console.Console
	server   *http.Server
}

// maxConsoleConnections is how many connections the console's listener holds.
const maxConsoleConnections = 512

// openConsole opens the listener of the console, if there is to be one. In development
// mode another port is taken when somebody has the usual one.
func (a *App) openConsole() error {
	address, chosen := a.settings.ConsoleAddress()
	if address == "" || a.idle && !chosen {
		return nil
	}
	l, err := listen("console", address)
	if err != nil && !chosen {
		a.log.Info("the console's usual address is taken, so it is at another one", "address", address)
		l, err = listen("console", "127.0.0.1:0")
	}
	if err != nil {
		return err
	}
	l = listener.Head(listener.Limit(l, maxConsoleConnections), a.tlsConfig(), headTimeout)
	scheme := "http"
	if a.certificate != nil {
		scheme = "https"
	}
	pages := console.New(console.Options{
		Address: a.consoleRoot,
		Log:     a.log, Settings: a.settings, Endpoint: a.URL, Version: a.version, Functions: a.functions, Machine: func() *core.Machine { return a.machine.Load().Machine },
	})
	a.console = &consoleServer{listener: l, scheme: scheme, pages: pages, server: a.newServer(a.guardConsole(pages))}
	return nil
}

// guardConsole refuses what pages of others have a browser send. Links from anywhere
// lead to our pages: reading one changes nothing.
func (a *App) guardConsole(next http.Handler) http.Handler {
	ours := hostNames{listed: a.settings.Hosts, addresses: a.settings.Exposed() || a.settings.Mode == settings.Server}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := a.settings.Mode == settings.Server || ours.has(r.Host) // a session belongs to one name
		reason := fmt.Sprintf("the host %q is not a name of this server (list it in the setting hosts).", r.Host)
		if host {
			reason = foreignTo(r)
		}
		if reason != "" && !(host && isLink(r)) {
			http.Error(w, "Refused: "+reason, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLink reports whether a browser follows a link to a page of its own window.
func isLink(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// isBrowser reports whether a person looks at what is answered.
func isBrowser(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// url is where a browser on this machine finds the console.
func (s *consoleServer) url() string {
	if s == nil {
		return ""
	}
	return s.scheme + "://" + reachable(s.listener.Addr()) + console.Root
}

// urlFor is where the browser of a request finds it: by the name that it has for this
// machine, unless the console is on loopback only.
func (s *consoleServer) urlFor(r *http.Request) string {
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	name := r.Host
	if h, _, err := net.SplitHostPort(r.Host); err == nil {
		name = h
	}
	here := hostNames{}.has(name) && !strings.Contains(name, "amazonaws")
	if err != nil || name == "" || loopbackOnly(s.listener.Addr()) && !here {
		return s.url()
	}
	return s.scheme + "://" + net.JoinHostPort(strings.Trim(name, "[]"), port) + console.Root
}

func loopbackOnly(addr net.Addr) bool {
	t, ok := addr.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// consoleRoot is where people find the console, by its setting or where it listens;
// empty if there is none.
func (a *App) consoleRoot() string {
	if set := a.settings.ConsoleURL; set != "" {
		return strings.TrimSuffix(strings.TrimSuffix(set, "/"), strings.TrimSuffix(console.Root, "/")) + console.Root
	}
	return a.console.url()
}

// resourcePage is where people find a resource in the console; empty if there is none.
func (a *App) resourcePage(key config.ResourceKey) string {
	root := a.consoleRoot()
	if root == "" {
		return ""
	}
	return strings.TrimSuffix(root, console.Root) + console.ResourcePage(key)
}

// Console is the address of the console; empty if there is none.
func (a *App) Console() string { return a.console.url() }

func (s *consoleServer) start() {
	if s != nil {
		go s.server.Serve(s.listener) // until close
	}
}

// stop ends what goes on for as long as somebody looks, and takes no more requests.
func (s *consoleServer) stop() {
	if s == nil {
		return
	}
	s.server.Close() // which ends what pages wait for
	s.pages.Close()
}

func (s *consoleServer) close() {
	if s != nil {
		s.stop()
		s.listener.Close()
	}
}
