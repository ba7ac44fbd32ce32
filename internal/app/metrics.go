package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"plumb/internal/wire"
)

// metrics is what /metrics shows: requests by operation, jobs by state, readings of
// resources, the process.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "plumb_request_seconds",
			Help:    "Time that requests took, by service, operation and HTTP status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}, []string{"service", "operation", "status"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plumb_reading_failures_total",
			Help: "Readings of a resource type that failed in this server.",
		}, []string{"type"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "plumb_info", Help: "Always 1; its label is the version.", ConstLabels: prometheus.Labels{"version": a.version},
	})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.failures, info, jobsCollector{a}, readingsCollector{a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe notes a request that was answered.
func (m *metrics) observe(a wire.Answered) {
	operation := a.Operation
	if a.Unserved != "" {
		operation = "" // a client could invent any number of them
	}
	m.requests.WithLabelValues(a.Service, operation, strconv.Itoa(a.Status)).Observe(a.Took.Seconds())
}

func (m *metrics) readingFailed(resourceType string) { m.failures.WithLabelValues(resourceType).Inc() }

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

// A readingsCollector asks the store how old the last complete readings are of
// types that are polled.
type readingsCollector struct{ app *App }

// Describe announces the one metric.
func (c readingsCollector) Describe(out chan<- *prometheus.Desc) { out <- c.desc() }

// Collect asks the recorder.
func (c readingsCollector) Collect(out chan<- prometheus.Metric) {
	m := c.app.machine.Load()
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ages, err := m.Recorder.ReadingAges(ctx)
	for _, a := range ages {
		out <- prometheus.MustNewConstMetric(c.desc(), prometheus.GaugeValue, a.Age.Seconds(), a.Place.Account, a.Place.Region, a.Type)
	}
	if err != nil {
		out <- prometheus.NewInvalidMetric(c.desc(), err)
	}
}

func (c readingsCollector) desc() *prometheus.Desc {
	return prometheus.NewDesc("plumb_reading_age_seconds",
		"Age of the last complete reading of a resource type that is polled.", []string{"account", "region", "type"}, nil)
}
