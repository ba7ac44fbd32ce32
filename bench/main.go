// Command bench measures Plumb against floors: what the same machine does, in the
// same minutes, with nothing of Plumb in the way. Machines differ and are busy;
// ratios to a floor that takes turns with what it is the floor of do not.
//
//	go run ./bench                         # every part, on SQLite
//	go run ./bench record read             # these parts
//	go run ./bench --database postgres://USER:PASSWORD@HOST/DATABASE
//	go run ./bench --profile cpu.out record
//
// It is not a test: nothing fails when a goal is missed, the table says so. The
// goals, and what was measured when, stand in docs/performance.md. The database
// of --database is used as it is, in schemas that are dropped afterwards.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"plumb/internal/sandbox"
)

// The options are the sizes of what is measured.
type options struct {
	database  string
	rounds    int           // in which each takes its turn
	turn      time.Duration // of one contender in one round
	batch     int           // items that are recorded together
	rules     int           // in-process rules on every item
	clients   int           // at once, of what answers requests
	changes   int           // whose latency is measured
	ready     bool          // the floor of reads sends bytes that are ready, instead of encoding its answer
	profile   string
	items     int    // that a rule is tried on
	quick     bool   // what takes long by itself is left out
	archived  int    // items that are imported, and then a snapshot's
	resources int    // that are queried
	program   string // a built plumb; empty: it is built here
}

// A part is one thing to measure.
type part struct {
	name  string
	about string
	run   func(ctx context.Context, b *bench) error
}

func parts() []part {
	return []part{
		{"record", "recording and judging by in-process rules", record},
		{"record-all", "the same where compliance is recorded too", recordAll},
		{"evaluations", "PutEvaluations", evaluations},
		{"read", "read operations", read},
		{"authorize", "signed requests while policies are asked", authorize},
		{"invoke", "warm invocations of functions", invoke},
		{"sources", "records of sources that reach a function in batches", sources},
		{"latency", "from a change to its verdict", latency},
		{"save", "from a saved rule to its verdict", save},
		{"backtest", "a rule that is tried on what is recorded", backtest},
		{"archive", "the import of files of AWS Config, and a snapshot of what came", archived},
		{"deliver", "messages to the queues of many subscribers", deliver},
		{"query", "advanced queries over many resources", queries},
		{"aggregate", "what an aggregator of a thousand accounts says", aggregate},
		{"scale", "a place with many resources: its first evaluation, size, pages and summaries", scale},
		{"packs", "conformance packs that come and go", packs},
		{"program", "start, idle memory and size of the program", program},
	}
}

func main() {
	sandbox.Main() // a function's process begins as a copy of this one
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	o, names := readFlags()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	end, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer end()
	b := &bench{options: o}
	defer b.close()
	if err := b.open(); err != nil {
		return err
	}
	defer func() { b.table.print(os.Stdout) }() // what was measured before a part failed counts too
	for _, p := range parts() {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s ...\n", p.name, p.about)
		if err := p.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func readFlags() (options, []string) {
	var o options
	flag.StringVar(&o.database, "database", "", "postgres://... to measure on PostgreSQL; SQLite without it")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds; the table shows medians of them")
	flag.DurationVar(&o.turn, "turn", time.Second, "how long each contender runs in a round")
	flag.IntVar(&o.batch, "batch", 100, "items that are recorded together")
	flag.IntVar(&o.rules, "rules", 50, "in-process rules on every item")
	flag.IntVar(&o.clients, "clients", 4, "clients at once")
	flag.IntVar(&o.changes, "changes", 200, "changes whose way to the verdict is timed; a tenth of them cold")
	flag.IntVar(&o.items, "items", 20000, "items that a rule is tried on, and twice as many")
	flag.BoolVar(&o.quick, "quick", false, "leave out what takes long by itself: rules in Go")
	flag.IntVar(&o.archived, "archived", 100000, "items that are imported, and that a snapshot of them has")
	flag.IntVar(&o.resources, "resources", 100000, "resources that are queried, judged and listed, and shown by an aggregator; the goals are for 1000000")
	flag.BoolVar(&o.ready, "ready", false, "the floor of reads sends bytes that are ready, instead of encoding its answer")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile to this file")
	flag.StringVar(&o.program, "program", "", "a built plumb for the part program; built when empty")
	flag.Usage = func() {
		out := flag.CommandLine.Output()
		fmt.Fprintln(out, "usage: go run ./bench [flags] [part ...]\n\nparts:")
		for _, p := range parts() {
			fmt.Fprintf(out, "  %-12s %s\n", p.name, p.about)
		}
		fmt.Fprintln(out, "\nflags:")
		flag.PrintDefaults()
	}
	flag.Parse()
	for _, name := range flag.Args() {
		if !slices.ContainsFunc(parts(), func(p part) bool { return p.name == name }) {
			fmt.Fprintf(os.Stderr, "bench: no part is called %s; flags come before parts (%s)\n", name, strings.Join(os.Args[1:], " "))
			os.Exit(2)
		}
	}
	return o, flag.Args()
}

func startProfile(path string) (end func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}
