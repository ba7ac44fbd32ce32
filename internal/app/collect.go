package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"plumb/internal/config"
	"plumb/internal/core"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/store"
)

// A storeCollector asks the store when somebody looks, so that what it shows is the
// store's and not one server's.
type storeCollector struct{ app *App }

var (
	jobsDesc = prometheus.NewDesc("plumb_jobs", "Jobs that are due, running or waiting.", []string{"queue", "state"}, nil)
	ageDesc  = prometheus.NewDesc("plumb_reading_age_seconds",
		"Age of the last complete reading of a resource type that is polled.", []string{"account", "region", "type"}, nil)
	verdictsDesc = prometheus.NewDesc("plumb_verdicts", "Verdicts that stand, of all rules.", []string{"compliance"}, nil)
	oldestDesc   = prometheus.NewDesc("plumb_delivery_oldest_seconds",
		"How long the oldest delivery waits that is due or failed before; 0 if none does.", nil, nil)
	messagesDesc = prometheus.NewDesc("plumb_messages",
		"Messages of AWS Config on their way out, by the sink that they go to and their state: waiting, held, undelivered.",
		[]string{"account", "region", "sink", "state"}, nil)
	environmentsDesc = prometheus.NewDesc("plumb_function_environments", "Environments of functions in this server.", []string{"state"}, nil)
	bytesDesc        = prometheus.NewDesc("plumb_database_bytes", "Size of the database.", nil, nil)
	stepDesc         = prometheus.NewDesc("plumb_schema_step", "The last step that the database's schema has had.", nil, nil)
)

// Describe announces what there is.
func (storeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobsDesc, ageDesc, verdictsDesc, oldestDesc, messagesDesc, environmentsDesc, bytesDesc, stepDesc} {
		out <- d
	}
}

// Collect asks for all of it. What cannot be asked at the moment is an error of
// that alone.
func (c storeCollector) Collect(out chan<- prometheus.Metric) {
	m := c.app.machine.Load()
	if m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g := gathering{out}
	busy, idle := m.Environments()
	g.gauge(environmentsDesc, float64(busy), "busy")
	g.gauge(environmentsDesc, float64(idle), "idle")
	g.jobs(m.Jobs.Counts(ctx))
	ages, err := m.Recorder.ReadingAges(ctx)
	for _, a := range ages {
		g.gauge(ageDesc, a.Age.Seconds(), a.Place.Account, a.Place.Region, a.Type)
	}
	g.failed(ageDesc, err)
	g.messages(ctx, m.Machine)
	bytes, err := m.DB.Size(ctx)
	g.one(bytesDesc, float64(bytes), err)
	step, err := m.DB.Step(ctx)
	g.one(stepDesc, float64(step), err)
	g.verdicts(ctx, m.DB)
}

// A gathering is one look at everything.
type gathering struct{ out chan<- prometheus.Metric }

func (g gathering) gauge(d *prometheus.Desc, v float64, labels ...string) {
	g.out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (g gathering) failed(d *prometheus.Desc, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		g.out <- prometheus.NewInvalidMetric(d, err)
	}
}

func (g gathering) one(d *prometheus.Desc, v float64, err error) {
	if err == nil {
		g.gauge(d, v)
	}
	g.failed(d, err)
}

func (g gathering) jobs(counts []job.Count, err error) {
	for _, n := range counts {
		g.gauge(jobsDesc, float64(n.N), n.Queue, n.State)
	}
	g.failed(jobsDesc, err)
}

// messages tells how many wait or were given up, and how long the oldest waits of
// those and of the jobs that deliver.
func (g gathering) messages(ctx context.Context, m *core.Machine) {
	oldest, err := m.Jobs.Oldest(ctx, job.Delivery)
	if err == nil {
		var file time.Duration
		file, err = m.Jobs.Oldest(ctx, job.File)
		oldest = max(oldest, file)
	}
	var counts []store.OutgoingCount
	if err == nil {
		err = m.DB.ReadOne(ctx, func(tx *db.Tx) error {
			counts, err = store.CountOutgoing(ctx, tx)
			return err
		})
	}
	for _, c := range counts {
		g.gauge(messagesDesc, float64(c.N), c.Account, c.Region, c.Sink, outgoingStates[c.State])
		if c.State != config.OutgoingUndelivered {
			oldest = max(oldest, m.Clock.Now().Sub(c.Oldest))
		}
	}
	g.one(oldestDesc, oldest.Seconds(), err)
}

func (g gathering) verdicts(ctx context.Context, d *db.DB) {
	var t store.Tally
	err := d.ReadOne(ctx, func(tx *db.Tx) (err error) {
		t, err = store.AllVerdicts(ctx, tx)
		return err
	})
	if err == nil {
		g.gauge(verdictsDesc, float64(t.Compliant), "COMPLIANT")
		g.gauge(verdictsDesc, float64(t.NonCompliant), "NON_COMPLIANT")
	}
	g.failed(verdictsDesc, err)
}
