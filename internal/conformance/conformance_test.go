package conformance_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/clock"
	"plumb/internal/compliance"
	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/rule"
	"plumb/internal/rule/function"
	"plumb/internal/rule/managed"
	"plumb/internal/store"
)

var place = config.Place{Account: "123456789012", Region: "eu-west-1"}

// A server has packs and rules, and runs jobs once it was started.
type server struct {
	t     *testing.T
	db    *db.DB
	jobs  *job.Queue
	packs *conformance.Packs
	rules *rule.Engine

	change     []func(*conformance.Options)
	remediated []string // what was asked for last: rules, and targets of the remediations
	refuse     error    // by remediations
	notes      []string // of remediations that are not made
}

func newServer(t *testing.T, d *db.DB, change ...func(*conformance.Options)) *server {
	t.Helper()
	s := &server{t: t, db: d, change: change}
	s.build()
	s.write(func(tx *db.Tx) error {
		return store.PutRecorder(t.Context(), tx, config.Recorder{Place: place, Name: "default"})
	})
	return s
}

// build makes the parts of a new process on the same store.
func (s *server) build() {
	t, d, clk := s.t, s.db, &clock.Clock{}
	var err error
	if s.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), clk, "server"); err != nil {
		t.Fatal(err)
	}
	known, err := managed.Load()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := function.NewSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(ctx context.Context, tx *db.Tx, e any) error {
		if gone, ok := e.(config.RuleDeleted); ok {
			return s.packs.OnRuleDeleted(ctx, tx, gone)
		}
		return nil
	}
	ledger := compliance.New(publish, clk.Now)
	s.rules = rule.New(slog.New(slog.DiscardHandler), rule.Options{
		DB: d, Jobs: s.jobs, Managed: known, Compile: rule.Compiler(known), Sealer: sealer, Now: clk.Now, MaxRules: 1000,
		MayInvoke: func(context.Context, config.Place, string) error { return nil }, KnownType: func(string) bool { return true },
		Accept: ledger.Accept, Forget: ledger.Forget, Publish: publish,
		Invoke: func(context.Context, *db.Tx, []rule.Invocation) error { return nil },
	})
	o := conformance.Options{DB: d, Jobs: s.jobs, Rules: s.rules, Remediate: s.remediate, MaxPacks: 50, Now: clk.Now}
	for _, f := range s.change {
		f(&o)
	}
	s.packs = conformance.New(slog.New(slog.DiscardHandler), o)
}

func (s *server) remediate(_ context.Context, _ *db.Tx, _ config.Place, rules []string, list []configapi.RemediationConfiguration) ([]string, error) {
	s.remediated = nil
	for _, r := range rules {
		s.remediated = append(s.remediated, strings.SplitN(r, "-", 2)[0])
	}
	for _, r := range list {
		s.remediated = append(s.remediated, strings.SplitN(*r.ConfigRuleName, "-", 2)[0]+":"+*r.TargetId)
	}
	return s.notes, s.refuse
}

func (s *server) write(f func(*db.Tx) error) {
	s.t.Helper()
	if err := s.db.Write(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
}

// run runs what is due in a process that ends then: the next one has not begun.
func (s *server) run() {
	s.t.Helper()
	if err := s.jobs.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.jobs.Drain(ctx); err != nil {
		s.t.Fatal(err)
	}
	if err := s.jobs.Stop(ctx); err != nil {
		s.t.Fatal(err)
	}
	s.build()
}

func (s *server) put(names ...string) error {
	body := "Resources:\n"
	for _, n := range names {
		name, target, _ := strings.Cut(n, ":")
		body += fmt.Sprintf("  %s: {Type: 'AWS::Config::ConfigRule', Properties: {Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}}}\n", name)
		if target != "" {
			body += fmt.Sprintf("  %sfix: {Type: 'AWS::Config::RemediationConfiguration', Properties: {ConfigRuleName: %s, TargetType: SSM_DOCUMENT, TargetId: %s, TargetVersion: 1}}\n",
				name, name, target)
		}
	}
	_, err := s.packs.Put(s.t.Context(), conformance.Definition{
		ConformancePack: config.ConformancePack{Place: place, Name: "p"}, Source: conformance.Source{Body: &body}})
	return err
}

// expect compares the pack's state and its rules.
func (s *server) expect(state config.PackState, rules ...string) store.PackWithStatus {
	s.t.Helper()
	var pack store.PackWithStatus
	var got []string
	s.write(func(tx *db.Tx) (err error) {
		if pack, err = store.ConformancePack(s.t.Context(), tx, place, "p"); err != nil {
			return err
		}
		all, err := store.PackRules(s.t.Context(), tx, pack.ID)
		for _, r := range all {
			got = append(got, strings.TrimSuffix(r.Name, "-"+pack.ID))
		}
		return err
	})
	if pack.Status.State != state || fmt.Sprint(got) != fmt.Sprint(rules) {
		s.t.Fatalf("the pack is %s (%s) with %q, want %s with %q", pack.Status.State, pack.Status.Reason, got, state, rules)
	}
	return pack
}

func TestPackIsInUseUntilItIsDeployed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		s.must(s.put("a", "b"))
		if p := s.expect(config.PackCreating); !p.Status.Completed.IsZero() {
			t.Errorf("a pack in progress was completed at %v", p.Status.Completed)
		}
		s.refused(s.put("a"), "ResourceInUseException")
		s.refused(s.packs.Delete(t.Context(), place, "p", ""), "ResourceInUseException")
		s.run()
		s.expect(config.PackCreated, "a", "b")
		s.must(s.packs.Delete(t.Context(), place, "p", ""))
		s.expect(config.PackDeleting, "a", "b")
		s.refused(s.put("a"), "ResourceInUseException")
		s.run()
		s.refused(s.packs.Delete(t.Context(), place, "p", ""), "NoSuchConformancePackException")
	})
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) refused(err error, code string) {
	s.t.Helper()
	if !model.IsCode(err, code) {
		s.t.Fatalf("got %v, want %s", err, code)
	}
}

// A server may die after any step. The next one finds rules that are being deleted
// already, or a job that was done and does not know it.
func TestChangeThatWasCutOffGoesOn(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		s.must(s.put("a", "b", "c"))
		s.run()
		s.must(s.put("a", "d"))
		pack := s.expect(config.PackCreating, "a", "b", "c")
		s.write(func(tx *db.Tx) error {
			return s.rules.Delete(t.Context(), tx, place, "b-"+pack.ID, config.ConformancePackPrincipal)
		})
		s.run()
		s.expect(config.PackCreated, "a", "d")

		s.must(s.put("a", "e"))
		s.write(func(tx *db.Tx) error { // the jobs of the change, twice
			_, err := tx.Exec(t.Context(), `INSERT INTO river_job (args, kind, max_attempts, priority, queue, state, scheduled_at, created_at)
				SELECT args, kind, max_attempts, priority, queue, state, scheduled_at, created_at FROM river_job WHERE kind = 'conformance.deploy' AND state = 'available'`)
			return err
		})
		s.run()
		s.expect(config.PackCreated, "a", "e")
	})
}

func TestAPackThatWasReadElsewhereIsReplacedAndNotDeleted(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d, func(o *conformance.Options) { o.MaxPacks = 1 })
		s.write(func(tx *db.Tx) error {
			for _, name := range []string{"p", "q"} {
				pack := config.ConformancePack{Place: place, Name: name, ID: config.OutsideIDs + name, ARN: "arn:aws:config:eu-west-1:1:" + name}
				if err := store.PutConformancePack(t.Context(), tx, pack, "", config.PackStatus{State: config.PackCreated}); err != nil {
					return err
				}
			}
			return nil
		})
		s.refused(s.packs.Delete(t.Context(), place, "p", ""), "AccessDeniedException")
		s.must(s.put("a"))
		s.run()
		if p := s.expect(config.PackCreated, "a"); p.Outside() || strings.HasSuffix(p.ARN, ":p") || p.StackARN == "" {
			t.Errorf("a pack that is put here has the identity %+v", p.ConformancePack)
		}
	})
}

func TestRemediationsFollowTheTemplate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := newServer(t, d)
		s.must(s.put("a:Doc", "b"))
		s.run()
		s.expect(config.PackCreated, "a", "b")
		s.equal(s.remediated, "[a b a:Doc]")
		s.refuse = configapi.InvalidParameterValueException("there is no such document")
		s.must(s.put("a:Other", "c"))
		s.run()
		if p := s.expect(config.PackCreateFailed, "a", "b"); p.Status.Reason != "there is no such document" {
			t.Errorf("the reason is %s", p.Status.Reason)
		}
		s.refuse, s.notes = nil, []string{"There is no Doc."}
		s.must(s.put("a:Doc", "b"))
		s.run()
		s.equal(s.packs.Reason(s.expect(config.PackCreated, "a", "b"), nil), "These remediation configurations were not created: There is no Doc.")
		s.notes = nil
		s.must(s.packs.Delete(t.Context(), place, "p", ""))
		s.run()
		s.equal(s.remediated, "[a b]")
	})
}

func TestWithoutRemediationsTheStatusSaysSo(t *testing.T) {
	s := newServer(t, dbtest.Open(t), func(o *conformance.Options) { o.Remediate = nil })
	s.must(s.put("a:Doc", "b:Doc"))
	s.run()
	pack := s.expect(config.PackCreated, "a", "b")
	s.equal(s.packs.Reason(pack, nil), "The 2 remediation configurations of the template were not created: this server has no remediations.")
}

func (s *server) equal(got any, want string) {
	s.t.Helper()
	if fmt.Sprint(got) != want {
		s.t.Fatalf("got %v, want %s", got, want)
	}
}

func TestPackOfAServiceIsChangedByTheServiceAlone(t *testing.T) {
	s := newServer(t, dbtest.Open(t))
	body := "Resources: {A: {Type: 'AWS::Config::ConfigRule', Properties: {Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}}}}"
	d := conformance.Definition{
		ConformancePack: config.ConformancePack{Place: place, Name: "p", CreatedBy: "x.amazonaws.com"}, Source: conformance.Source{Body: &body}}
	_, err := s.packs.Put(t.Context(), d)
	s.must(err)
	s.run()
	s.refused(s.put("a"), "AccessDeniedException")
	s.refused(s.packs.Delete(t.Context(), place, "p", ""), "AccessDeniedException")
	s.must(s.packs.Delete(t.Context(), place, "p", "x.amazonaws.com"))
	s.run()
	s.refused(s.packs.Delete(t.Context(), place, "p", "x.amazonaws.com"), "NoSuchConformancePackException")
}
