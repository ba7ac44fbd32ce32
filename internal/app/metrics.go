package app

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"plumb/internal/wire"
)

// metrics is what /metrics shows. Counters are of this server since its start; what
// the store knows is asked when somebody looks.
type metrics struct {
	registry *prometheus.Registry
	own      []prometheus.Collector // those named plumb_

	requests         *prometheus.HistogramVec
	unserved         *prometheus.CounterVec
	unservedNames    names
	readingFailures  *prometheus.CounterVec
	items            *prometheus.CounterVec
	evaluations      *prometheus.CounterVec
	verdictSeconds   *prometheus.HistogramVec
	deliveryFailures *prometheus.CounterVec
	invocations      *prometheus.CounterVec
	targetCalls      *prometheus.CounterVec
}

func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: histogram("plumb_request_seconds", "Time that requests took, by service, operation and HTTP status.",
			[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}, "service", "operation", "status"),
		unserved: counter("plumb_unserved_requests_total",
			"Requests for services that are not served here, by what the client calls them.", "service", "operation"),
		readingFailures: counter("plumb_reading_failures_total", "Readings of a resource type that failed in this server.", "type"),
		items:           counter("plumb_items_recorded_total", "Configuration items that this server recorded.", "type"),
		evaluations: counter("plumb_evaluations_total",
			"Evaluations by rules of a kind: verdicts by compliance, and FAILED for those that gave none.", "rule_kind", "outcome"),
		verdictSeconds: histogram("plumb_change_to_verdict_seconds", "Time from the capture of a change to a rule's verdict on it.",
			[]float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900}, "rule_kind"),
		deliveryFailures: counter("plumb_delivery_failures_total",
			"Tries to deliver that failed: messages, posts to channels, histories, snapshots, subscribers of topics, destinations of functions, files of the audit log.", "kind"),
		invocations: counter("plumb_function_invocations_total", "Invocations of functions, by how they ended.", "outcome"),
		targetCalls: counter("plumb_target_calls_total", "Calls to targets and outside services, by the code of their answer.",
			"service", "operation", "code"),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "plumb_info", Help: "Always 1; its label is the version.", ConstLabels: prometheus.Labels{"version": a.version},
	})
	info.Set(1)
	m.begin()
	m.own = []prometheus.Collector{
		m.requests, m.unserved, m.readingFailures, m.items, m.evaluations, m.verdictSeconds, m.deliveryFailures, m.invocations, m.targetCalls,
		info, storeCollector{a},
	}
	m.registry.MustRegister(m.own...)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// begin shows what has not happened yet as 0: a rate needs a first value.
func (m *metrics) begin() {
	for _, kind := range []string{"managed", "policy", "function"} {
		m.verdictSeconds.WithLabelValues(kind)
		for _, outcome := range []string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "FAILED"} {
			m.evaluations.WithLabelValues(kind, outcome)
		}
	}
	for _, kind := range []string{"message", "history", "snapshot", "subscriber", "destination", "audit"} {
		m.deliveryFailures.WithLabelValues(kind)
	}
	for _, outcome := range []string{"success", "error", "timeout", "throttled", "failed"} {
		m.invocations.WithLabelValues(outcome)
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// observe notes a request that was answered.
func (m *metrics) observe(a wire.Answered) {
	operation := a.Operation
	if a.Unserved != "" {
		operation = "" // a client could invent any number of them
		m.unserved.WithLabelValues(m.unservedNames.bounded(a.Unserved, a.Operation)).Inc()
	}
	m.requests.WithLabelValues(a.Service, operation, strconv.Itoa(a.Status)).Observe(a.Took.Seconds())
}

// ReadingFailed counts a type that could not be read.
func (m *metrics) ReadingFailed(resourceType string) {
	m.readingFailures.WithLabelValues(resourceType).Inc()
}

// ItemsRecorded counts items.
func (m *metrics) ItemsRecorded(resourceType string, n int) {
	m.items.WithLabelValues(resourceType).Add(float64(n))
}

// Evaluated counts evaluations.
func (m *metrics) Evaluated(kind, outcome string, n int) {
	m.evaluations.WithLabelValues(kind, outcome).Add(float64(n))
}

// Judged notes how long after a change a verdict came.
func (m *metrics) Judged(kind string, after time.Duration) {
	m.verdictSeconds.WithLabelValues(kind).Observe(after.Seconds())
}

// DeliveryFailed counts a delivery that failed.
func (m *metrics) DeliveryFailed(kind string) { m.deliveryFailures.WithLabelValues(kind).Inc() }

// Invoked counts an invocation.
func (m *metrics) Invoked(outcome string) { m.invocations.WithLabelValues(outcome).Inc() }

// TargetCalled counts a call to a target.
func (m *metrics) TargetCalled(service, operation, code string) {
	m.targetCalls.WithLabelValues(service, operation, code).Inc()
}

// names are those that clients gave to what is not served. They could give any number.
type names struct {
	mu    sync.Mutex
	known map[[2]string]bool
}

// maxNames is how many are told apart.
const maxNames = 500

// bounded returns the names, or "other" for one that is too many. A path of REST is
// told by its method.
func (n *names) bounded(service, operation string) (string, string) {
	if method, _, ok := strings.Cut(operation, " "); ok {
		operation = method
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := [2]string{service, operation}
	if !n.known[key] {
		if len(n.known) >= maxNames {
			return "other", "other"
		}
		if n.known == nil {
			n.known = map[[2]string]bool{}
		}
		n.known[key] = true
	}
	return service, operation
}
