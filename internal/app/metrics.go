package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics shows: requests by operation, jobs by state, the
// process.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "plumb_request_seconds",
			Help:    "Time that requests took, by service, operation and HTTP status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"service", "operation", "status"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "plumb_info", Help: "Always 1; its label is the version.", ConstLabels: prometheus.Labels{"version": a.version},
	})
	info.Set(1)
	m.registry.MustRegister(m.requests, info, jobsCollector{a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe notes a request that was answered.
func (m *metrics) observe(service, operation string, status int, took time.Duration) {
	m.requests.WithLabelValues(service, operation, strconv.Itoa(status)).Observe(took.Seconds())
}

// A jobsCollector counts jobs when it is asked, so that the count is the store's
// and not one server's.
type jobsCollector struct{ app *App }

// Describe announces the one metric.
func (c jobsCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc() }

// Collect asks the queue.
func (c jobsCollector) Collect(out chan<- prometheus.Metric) {
	m := c.app.machine.Load()
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	counts, err := m.Jobs.Counts(ctx)
	for _, n := range counts {
		out <- prometheus.MustNewConstMetric(c.desc(), prometheus.GaugeValue, float64(n.N), n.Queue, n.State)
	}
	if err != nil {
		out <- prometheus.NewInvalidMetric(c.desc(), err)
	}
}

func (c jobsCollector) desc() *prometheus.Desc {
	return prometheus.NewDesc("plumb_jobs", "Jobs that are due, running or waiting.", []string{"queue", "state"}, nil)
}
