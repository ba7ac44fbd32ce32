package automation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"plumb/internal/automation"
	"plumb/internal/clock"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/job"
)

var place = config.Place{Account: "123456789012", Region: "us-east-1"}

// A runner is an engine whose services are a func.
type runner struct {
	*automation.Engine
	t     *testing.T
	db    *db.DB
	jobs  *job.Queue
	clock *clock.Clock
	calls []string
	ended []automation.Execution
	text  map[string]string // documents by name
}

func (r *runner) Document(name string) (string, bool) { text, ok := r.text[name]; return text, ok }

func (r *runner) Names() []string { return nil }

func newRunner(t *testing.T, d *db.DB, answer func(operation string, in map[string]any) (map[string]any, error)) *runner {
	t.Helper()
	r := &runner{t: t, db: d, clock: &clock.Clock{}, text: map[string]string{}}
	r.clock.Freeze(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	var err error
	if r.jobs, err = job.New(t.Context(), d, slog.New(slog.DiscardHandler), r.clock, "test"); err != nil {
		t.Fatal(err)
	}
	r.Engine = automation.New(slog.New(slog.DiscardHandler), automation.Options{
		DB: d, Jobs: r.jobs, Catalogue: r, Now: r.clock.Now,
		Ended: func(_ context.Context, _ *db.Tx, x automation.Execution) error {
			r.ended = append(r.ended, x)
			return nil
		},
		Services: automation.Services{Call: func(_ context.Context, _ config.Place, _, service, operation string, in map[string]any) (map[string]any, error) {
			r.calls = append(r.calls, operation)
			return answer(operation, in)
		}},
	})
	if err := r.jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.jobs.Stop(context.Background()) })
	return r
}

func (r *runner) start(text string, parameters map[string][]string) string {
	r.t.Helper()
	r.text["d"] = text
	var id string
	err := r.db.Write(r.t.Context(), func(tx *db.Tx) (err error) {
		id, err = r.Start(r.t.Context(), tx, automation.Request{Place: place, Document: "d", Parameters: parameters})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.drain()
	return id
}

func (r *runner) drain() {
	r.t.Helper()
	if err := r.jobs.Drain(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) shows(id, want string) {
	r.t.Helper()
	var got strings.Builder
	err := r.db.Read(r.t.Context(), func(tx *db.Tx) error {
		x, err := automation.Get(r.t.Context(), tx, id)
		if err != nil {
			return err
		}
		fmt.Fprint(&got, x.Status)
		steps, err := automation.Steps(r.t.Context(), tx, id)
		for _, s := range steps {
			fmt.Fprintf(&got, " %s:%s:%d", s.Name, s.Status, s.Attempts)
		}
		return err
	})
	if err != nil || got.String() != want {
		r.t.Fatalf("got  %s, %v\nwant %s", &got, err, want)
	}
}

const waiting = `
schemaVersion: "0.3"
parameters: {Name: {type: String}}
mainSteps:
  - {name: pause, action: "aws:sleep", inputs: {Duration: PT10M}}
  - name: wait
    action: aws:waitForAwsResourceProperty
    timeoutSeconds: 60
    inputs: {Service: x, Api: Look, Name: "{{ Name }}", PropertySelector: "$.Things[0].State", DesiredValues: [ready]}
  - name: act
    action: aws:executeAwsApi
    maxAttempts: 3
    inputs: {Service: x, Api: Act, Names: ["{{ Name }}"]}
    outputs: [{Name: Count, Selector: "$.Count", Type: Integer}]
  - name: choose
    action: aws:branch
    inputs: {Choices: [{NextStep: end, Variable: "{{ act.Count }}", NumericGreater: 1}], Default: never}
  - {name: never, action: "aws:executeAwsApi", inputs: {Service: x, Api: Never}}
  - {name: end, action: "aws:executeAwsApi", isEnd: true, inputs: {Service: x, Api: End, Text: "{{ act.Count }} of {{ Name }}"}}
outputs: [act.Count]
`

func TestDocumentWaitsByTheClockTriesAgainAndBranches(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		looks, acts, text := 0, 0, ""
		r := newRunner(t, d, func(operation string, in map[string]any) (map[string]any, error) {
			switch operation {
			case "Look":
				if looks++; looks < 3 {
					return map[string]any{"Things": []any{map[string]any{"State": "making"}}}, nil
				}
				return map[string]any{"Things": []any{map[string]any{"State": "ready"}}}, nil
			case "Act":
				if acts++; acts < 3 {
					return nil, errors.New("busy")
				}
				return map[string]any{"Count": 2}, nil
			}
			text = fmt.Sprint(in["Text"])
			return nil, nil
		})
		id := r.start(waiting, map[string][]string{"Name": {"n"}})
		r.shows(id, "InProgress pause:InProgress:1")
		r.clock.Advance(10 * time.Minute)
		r.drain()
		r.shows(id, "InProgress pause:Success:1 wait:InProgress:1")
		for range 6 {
			r.clock.Advance(5 * time.Second)
			r.drain()
		}
		r.shows(id, "Success pause:Success:1 wait:Success:1 act:Success:3 choose:Success:1 end:Success:1")
		if text != "2 of n" || len(r.ended) != 1 || fmt.Sprint(r.ended[0].Outputs()) != "map[act.Count:2]" {
			t.Fatalf("it said %q, ended %d times, outputs %v", text, len(r.ended), r.ended[0].Outputs())
		}
	})
}

func TestWaitThatTakesTooLongTimesOut(t *testing.T) {
	r := newRunner(t, dbtest.Open(t), func(string, map[string]any) (map[string]any, error) { return map[string]any{}, nil })
	id := r.start(strings.Replace(waiting, "PT10M", "PT0S", 1), map[string][]string{"Name": {"n"}})
	for range 30 {
		r.clock.Advance(10 * time.Second)
		r.drain()
	}
	r.shows(id, "TimedOut pause:Success:1 wait:TimedOut:1")
}

func TestStoppedExecutionGoesOnNoMore(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		r := newRunner(t, d, func(string, map[string]any) (map[string]any, error) { return nil, nil })
		id := r.start(waiting, map[string][]string{"Name": {"n"}})
		for range 2 { // the second changes nothing
			if err := d.Write(t.Context(), func(tx *db.Tx) error { return r.Stop(t.Context(), tx, id) }); err != nil {
				t.Fatal(err)
			}
		}
		r.clock.Advance(time.Hour)
		r.drain()
		r.shows(id, "Cancelled pause:Cancelled:1")
		if len(r.calls) > 0 || len(r.ended) != 1 {
			t.Fatalf("calls %v, ended %d times", r.calls, len(r.ended))
		}
	})
}

func TestFailureEndsGoesOnOrGoesElsewhere(t *testing.T) {
	for how, want := range map[string]string{
		"":                                       "Failed bad:Failed:1",
		"onFailure: Continue":                    "Failed bad:Failed:1 good:Success:1 last:Success:1",
		"onFailure: Continue, isCritical: false": "Success bad:Failed:1 good:Success:1 last:Success:1",
		"onFailure: 'step:last', isCritical: false": "Success bad:Failed:1 last:Success:1",
	} {
		if how != "" {
			how = ", " + how
		}
		r := newRunner(t, dbtest.Open(t), func(operation string, _ map[string]any) (map[string]any, error) {
			if operation == "Bad" {
				return nil, errors.New("no")
			}
			return nil, nil
		})
		r.shows(r.start(`{schemaVersion: "0.3", mainSteps: [
			{name: bad, action: "aws:executeAwsApi", inputs: {Service: x, Api: Bad}`+how+`},
			{name: good, action: "aws:executeAwsApi", inputs: {Service: x, Api: Good}},
			{name: last, action: "aws:executeAwsApi", inputs: {Service: x, Api: Last}}]}`, nil), want)
	}
}

func TestDocumentsAreRefusedWithTheReason(t *testing.T) {
	for text, want := range map[string]string{
		"":           "is not a mapping",
		"[":          "neither JSON nor YAML",
		"a: &a [*a]": "",
		`{"schemaVersion": "2.2", "mainSteps": []}`:                                                            "Automation documents have 0.3",
		`{schemaVersion: "0.3"}`:                                                                               "1 to 100 mainSteps",
		`{schemaVersion: "0.3", mainSteps: [{name: a, action: "aws:approve"}]}`:                                `step a: the action "aws:approve"`,
		`{schemaVersion: "0.3", mainSteps: [{name: "a b", action: "aws:sleep"}]}`:                              "is not made of letters",
		`{schemaVersion: "0.3", mainSteps: [{name: a, action: "aws:sleep", nextStep: b}]}`:                     "there is no step b",
		`{schemaVersion: "0.3", mainSteps: [{name: a, action: "aws:sleep", onFailure: Retry}]}`:                "onFailure is Abort",
		`{schemaVersion: "0.3", parameters: {P: {type: Colour}}, mainSteps: [{name: a, action: "aws:sleep"}]}`: "parameter P: the type",
		`{schemaVersion: "0.3", mainSteps: [{name: a, action: "aws:sleep"}, {name: a, action: "aws:sleep"}]}`:  "there twice",
		strings.Repeat(" ", automation.MaxDocument+1):                                                          "bytes",
	} {
		_, err := automation.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func TestParametersAreConvertedAndRefused(t *testing.T) {
	d, err := automation.Parse(`{schemaVersion: "0.3", mainSteps: [{name: a, action: "aws:sleep"}], parameters: {
		S: {type: String, allowedPattern: "^a"}, L: {type: StringList, default: []}, N: {type: Integer, default: 3}, B: {type: Boolean, default: false},
		M: {type: StringMap, default: {}}, V: {type: String, allowedValues: [x, y], default: x}}}`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Bind(map[string][]string{"S": {"ab"}, "L": {"1", "2"}, "N": {"7"}, "B": {"true"}, "M": {`{"k":1}`}})
	if err != nil || fmt.Sprint(got) != "map[B:true L:[1 2] M:map[k:1] N:7 S:ab V:x]" {
		t.Fatal(got, err)
	}
	for want, given := range map[string]map[string][]string{
		"The parameter S is required": {}, "does not match": {"S": {"b"}}, "takes one value": {"S": {"a", "a"}}, "no parameter Z": {"S": {"a"}, "Z": {"1"}},
		"is an integer": {"S": {"a"}, "N": {"x"}}, "true or false": {"S": {"a"}, "B": {"1"}}, "JSON objects": {"S": {"a"}, "M": {"1"}}, "not one of": {"S": {"a"}, "V": {"z"}},
	} {
		var wrong automation.ParameterError
		if _, err := d.Bind(given); !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", given, err, want)
		}
	}
}

func TestAPlanFollowsWhatIsKnown(t *testing.T) {
	d, err := automation.Parse(`
schemaVersion: "0.3"
parameters: {Kind: {type: String}, Id: {type: String}}
mainSteps:
  - name: ByKind
    action: aws:branch
    inputs: {Choices: [{NextStep: A, Variable: "{{ Kind }}", StringEquals: a}], Default: B}
  - {name: A, action: aws:executeAwsApi, inputs: {Service: s3, Api: GetA, Bucket: "{{ Id }}"}, isEnd: true}
  - name: B
    action: aws:executeAwsApi
    inputs: {Service: s3, Api: GetB}
    outputs: [{Name: On, Selector: $.On, Type: Boolean}]
  - name: ByOn
    action: aws:branch
    inputs: {Choices: [{NextStep: C, Variable: "{{ B.On }}", BooleanEquals: true}], Default: A}
  - {name: C, action: aws:executeAwsApi, inputs: {Service: s3, Api: PutC, On: "{{ B.On }}"}, isEnd: true}
`)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{
		"a": "ByKind A:x", "b": "ByKind B ByOn A:x? C?",
	} {
		plan, err := d.Plan(config.Place{Account: "123456789012", Region: "us-east-1"}, map[string][]string{"Kind": {kind}, "Id": {"x"}}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range plan {
			text := p.Name
			if b := p.Inputs["Bucket"]; b != nil {
				text += ":" + b.(string)
			}
			if p.Maybe {
				text += "?"
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", kind, got, want)
		}
	}
	if _, err := d.Plan(config.Place{}, map[string][]string{"Kind": {"a"}}, time.Now()); err == nil || !strings.Contains(err.Error(), "Id") {
		t.Error(err)
	}
}
