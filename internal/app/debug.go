package app

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"
)

// openDebug serves Go's profiles on a listener of their own, if the settings name
// one: who may ask for them may see what is in memory.
func (a *App) openDebug() error {
	if a.settings.DebugListen == "" {
		return nil
	}
	l, err := listen("debug-listen", a.settings.DebugListen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	a.debug = &http.Server{
		Handler: a.guardBrowsers(hostNames{}, mux), ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.log.Info("profiles are served", "url", "http://"+l.Addr().String()+"/debug/pprof/")
	go a.debug.Serve(l) // until close
	return nil
}
