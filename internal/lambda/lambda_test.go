package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
	"plumb/internal/lambda"
	"plumb/internal/lambda/environment"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/model"
	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// A stage is a service with one function, and what it told others.
type stage struct {
	*testing.T
	*lambdatest.Fixture
	zip []byte
	ref lambda.Ref

	mu       sync.Mutex
	changes  []config.ResourceKey
	outcomes []lambda.Outcome
	messages []lambda.Message
}

// Exists is a lambda.Targets in which everything is there that is not called
// missing.
func (s *stage) Exists(_ context.Context, _ *db.Tx, _ caller.Sender, arn string) (bool, error) {
	return !strings.Contains(arn, "missing"), nil
}

// Lacks has a role that may send to all that is not called forbidden.
func (s *stage) Lacks(_ context.Context, _ *db.Tx, _ caller.Sender, arn string) (string, error) {
	if strings.Contains(arn, "forbidden") {
		return "SendMessage", nil
	}
	return "", nil
}

func (s *stage) May(context.Context, *db.Tx, caller.Sender, string) error { return nil }

// Send notes the message.
func (s *stage) Send(_ context.Context, _ *db.Tx, _ caller.Sender, m lambda.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	return nil
}

func suite(t *testing.T, f func(s *stage)) {
	zip := lambdatest.Bootstrap(t)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := &stage{T: t, zip: zip, ref: lambda.Ref{Place: lambdatest.Place, Name: "f"}}
		s.Fixture = lambdatest.New(t, d, lambda.Options{
			Targets: s,
			Changed: func(_ context.Context, _ *db.Tx, k config.ResourceKey) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.changes = append(s.changes, k)
				return nil
			},
			Ended: func(_ context.Context, _ *db.Tx, o lambda.Outcome) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.outcomes = append(s.outcomes, o)
				return nil
			},
		}, environment.Options{})
		s.make("f")
		f(s)
	})
}

func (s *stage) make(name string) lambda.Function {
	s.Helper()
	f, err := s.Create(s.Context(), lambdatest.Function(name), lambda.Source{Zip: s.zip}, false)
	s.must(err)
	return f
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// code fails unless err is AWS's error of that name.
func (s *stage) code(err error, want string) {
	s.Helper()
	if !model.IsCode(err, want) {
		s.Errorf("got %v, want %s", err, want)
	}
}

func (s *stage) invoke(r lambda.Ref, event string) lambda.Answer {
	s.Helper()
	a, err := s.Invoke(s.Context(), r, lambda.Call{Payload: []byte(event)})
	s.must(err)
	return a
}

// event hands in an event and runs all that is due.
func (s *stage) event(payload string) string {
	s.Helper()
	id, err := s.Accept(s.Context(), lambda.Event{Ref: s.ref, Payload: []byte(payload), Note: json.RawMessage(`{"rule":"r"}`)})
	s.must(err)
	s.drain()
	return id
}

func (s *stage) drain() {
	s.Helper()
	s.must(s.Jobs.Drain(s.Context()))
}

// after moves the clock and runs all that is due then.
func (s *stage) after(d time.Duration) {
	s.Helper()
	s.Clock.Advance(d)
	s.drain()
}

func TestFunctionAnswersTheCaller(t *testing.T) {
	suite(t, func(s *stage) {
		if a := s.invoke(s.ref, `{"return": [1, 2]}`); string(a.Payload) != `[1, 2]` || a.Version != "$LATEST" || a.FunctionError != "" {
			s.Errorf("got %s, %+v", a.Payload, a)
		}
		if a := s.invoke(s.ref, `{"fail": "no"}`); a.FunctionError != "Unhandled" || string(a.Payload) != `{"errorMessage":"no","errorType":"Failed"}` {
			s.Errorf("got %s, %+v", a.Payload, a)
		}
		if a := s.invoke(s.ref, `{"exit": 2}`); !strings.Contains(string(a.Payload), "Runtime exited with error: exit status 2") {
			s.Errorf("got %s", a.Payload)
		}
		_, err := s.Invoke(s.Context(), s.ref, lambda.Call{Payload: []byte(`{`)})
		s.code(err, "InvalidRequestContentException")
		_, err = s.Invoke(s.Context(), lambda.Ref{Place: lambdatest.Place, Name: "other"}, lambda.Call{})
		s.code(err, "ResourceNotFoundException")
		if err == nil || !strings.HasSuffix(err.Error(), "Function not found: arn:aws:lambda:us-east-1:123456789012:function:other:$LATEST") {
			s.Errorf("got %v", err)
		}
	})
}

func TestUpdateReplacesWarmEnvironments(t *testing.T) {
	suite(t, func(s *stage) {
		s.invoke(s.ref, `{"count": true}`)
		if a := s.invoke(s.ref, `{"count": true}`); string(a.Payload) != "2" {
			s.Errorf("not warm: %s", a.Payload)
		}
		_, err := s.Update(s.Context(), s.ref, lambda.Change{Settings: func(f *lambda.Function) error {
			f.Environment = map[string]string{"NEW": "yes"}
			return nil
		}})
		s.must(err)
		if a := s.invoke(s.ref, `{"env": "NEW"}`); string(a.Payload) != `"yes"` {
			s.Errorf("got %s", a.Payload)
		}
	})
}

func TestEveryChangeIsAnnounced(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		s.must(s.Tag(ctx, s.ref, map[string]string{"a": "b"}))
		_, err := s.AddPermission(ctx, s.ref, lambda.Permission{Sid: "s", Action: "lambda:InvokeFunction", Principal: "config.amazonaws.com"}, "")
		s.must(err)
		_, err = s.Update(ctx, s.ref, lambda.Change{})
		s.must(err)
		s.must(s.Delete(ctx, s.ref))
		want := config.ResourceKey{Place: lambdatest.Place, Type: "AWS::Lambda::Function", ID: "f"}
		if len(s.changes) != 5 || slices.ContainsFunc(s.changes, func(k config.ResourceKey) bool { return k != want }) {
			s.Errorf("got %v", s.changes)
		}
	})
}

func TestDeletedFunctionLeavesNothing(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		_, err := s.Publish(ctx, s.ref, lambda.Publication{})
		s.must(err)
		_, err = s.CreateAlias(ctx, lambda.Alias{Ref: s.ref, Name: "live", Version: "1"})
		s.must(err)
		s.must(s.Delete(ctx, s.ref))
		s.must(s.DB.Read(ctx, func(tx *db.Tx) error {
			for _, table := range []string{"lambda_function", "lambda_alias", "lambda_policy", "lambda_event_invoke", "lambda_url", "lambda_code"} {
				var n int
				if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
					s.Errorf("%s: %d rows, %v", table, n, err)
				}
			}
			return nil
		}))
		s.code(s.Delete(ctx, s.ref), "ResourceNotFoundException")
	})
}

func TestUnpackedCodeGoesWithTheLastFunctionThatHasIt(t *testing.T) {
	suite(t, func(s *stage) {
		s.make("g")
		g := lambda.Ref{Place: lambdatest.Place, Name: "g"}
		s.invoke(s.ref, `{"count": true}`)
		s.invoke(g, `{"count": true}`)
		s.must(s.Delete(s.Context(), s.ref))
		if a := s.invoke(g, `{"count": true}`); string(a.Payload) != "2" {
			s.Errorf("not warm: %s", a.Payload)
		}
		s.must(s.Delete(s.Context(), g))
		// The environment may still be on its way from the answer to rest.
		for until := time.Now().Add(10 * time.Second); s.unpacked() > 0; runtime.Gosched() {
			if time.Now().After(until) {
				s.Fatalf("%d folders are left", s.unpacked())
			}
		}
	})
}

func TestCodeOfAPlaceHasALimit(t *testing.T) {
	zip := lambdatest.Bootstrap(t)
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		s := &stage{T: t, zip: zip, ref: lambda.Ref{Place: lambdatest.Place, Name: "f"}}
		s.Fixture = lambdatest.New(t, d, lambda.Options{MaxCode: int64(len(zip)) * 3 / 2}, environment.Options{})
		s.make("f")
		_, err := s.Create(t.Context(), lambdatest.Function("g"), lambda.Source{Zip: zip}, false)
		s.code(err, "CodeStorageExceededException")
		_, err = s.Publish(t.Context(), s.ref, lambda.Publication{})
		s.code(err, "CodeStorageExceededException")
		_, err = s.Update(t.Context(), s.ref, lambda.Change{Code: &lambda.Source{Zip: zip}})
		s.must(err)
	})
}

// unpacked counts the folders of code on the disk.
func (s *stage) unpacked() int {
	s.Helper()
	left, err := filepath.Glob(filepath.Join(s.Code, "*", "*"))
	s.must(err)
	return len(left)
}

func TestVersionsAreNeverChangedNorCountedTwice(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		publish := func() string {
			v, err := s.Publish(ctx, s.ref, lambda.Publication{})
			s.must(err)
			return v.Version
		}
		change := func(text string) {
			_, err := s.Update(ctx, s.ref, lambda.Change{Settings: func(f *lambda.Function) error { f.Environment = map[string]string{"V": text}; return nil }})
			s.must(err)
		}
		change("one")
		if v := publish(); v != "1" {
			s.Errorf("got %s", v)
		}
		if v := publish(); v != "1" {
			s.Errorf("without a change: got %s", v)
		}
		change("two")
		if v := publish(); v != "2" {
			s.Errorf("got %s", v)
		}
		if a := s.invoke(lambda.Ref{Place: s.ref.Place, Name: "f", Qualifier: "1"}, `{"env": "V"}`); string(a.Payload) != `"one"` || a.Version != "1" {
			s.Errorf("got %s of %s", a.Payload, a.Version)
		}
		s.must(s.Delete(ctx, lambda.Ref{Place: s.ref.Place, Name: "f", Qualifier: "2"}))
		change("three")
		if v := publish(); v != "3" {
			s.Errorf("got %s", v)
		}
		all, next, err := s.Versions(ctx, s.ref, "", 2)
		s.must(err)
		if len(all) != 2 || all[0].Version != "$LATEST" || next == "" {
			s.Errorf("got %v, %q", all, next)
		}
	})
}

func TestAliasLeadsToItsVersion(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		_, err := s.Publish(ctx, s.ref, lambda.Publication{})
		s.must(err)
		_, err = s.CreateAlias(ctx, lambda.Alias{Ref: s.ref, Name: "live", Version: "1"})
		s.must(err)
		_, err = s.CreateAlias(ctx, lambda.Alias{Ref: s.ref, Name: "live", Version: "1"})
		s.code(err, "ResourceConflictException")
		live := lambda.Ref{Place: s.ref.Place, Name: "f", Qualifier: "live"}
		if a := s.invoke(live, `{}`); a.Version != "1" {
			s.Errorf("got %s", a.Version)
		}
		s.code(s.Delete(ctx, lambda.Ref{Place: s.ref.Place, Name: "f", Qualifier: "1"}), "ResourceConflictException")
		_, err = s.UpdateAlias(ctx, s.ref, "live", "stale", func(*lambda.Alias) {})
		s.code(err, "PreconditionFailedException")
		_, err = s.UpdateAlias(ctx, s.ref, "live", "", func(a *lambda.Alias) { a.Version = "9" })
		s.code(err, "ResourceNotFoundException")
		s.must(s.DeleteAlias(ctx, s.ref, "live"))
		_, err = s.GetAlias(ctx, s.ref, "live")
		s.code(err, "ResourceNotFoundException")
	})
}

func TestPolicyDecidesWhoMayInvoke(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		may := func(arn, service, sourceARN, account string) (ok bool) {
			s.must(s.DB.Read(ctx, func(tx *db.Tx) (err error) {
				ok, err = lambda.MayInvoke(ctx, tx, arn, service, sourceARN, account)
				return err
			}))
			return ok
		}
		const topic, config = "arn:aws:sns:us-east-1:123456789012:t", "config.amazonaws.com"
		if may(s.ref.ARN(), config, "", "123456789012") {
			s.Error("without a policy")
		}
		_, err := s.AddPermission(ctx, s.ref, lambda.Permission{Sid: "c", Action: "lambda:InvokeFunction", Principal: config, SourceAccount: "123456789012"}, "")
		s.must(err)
		_, err = s.AddPermission(ctx, s.ref, lambda.Permission{Sid: "c", Action: "lambda:InvokeFunction", Principal: config}, "")
		s.code(err, "ResourceConflictException")
		_, err = s.AddPermission(ctx, s.ref, lambda.Permission{Sid: "t", Action: "lambda:*", Principal: "sns.amazonaws.com", SourceARN: "arn:aws:sns:*:123456789012:?"}, "")
		s.must(err)
		for _, c := range []struct {
			service, source, account string
			want                     bool
		}{
			{config, "", "123456789012", true},
			{config, "", "", false},
			{config, "", "999999999999", false},
			{"sns.amazonaws.com", topic, "", true},
			{"sns.amazonaws.com", topic + "2", "", false},
			{"s3.amazonaws.com", topic, "123456789012", false},
		} {
			if got := may(s.ref.ARN(), c.service, c.source, c.account); got != c.want {
				s.Errorf("%v: got %v", c, got)
			}
		}
		if may(s.ref.ARN()+":live", config, "", "123456789012") || may("arn:aws:lambda:us-east-1:123456789012:function:other", config, "", "123456789012") {
			s.Error("an alias or function that is not there")
		}
		s.must(s.RemovePermission(ctx, s.ref, "c", ""))
		if may(s.ref.ARN(), config, "", "123456789012") {
			s.Error("after removal")
		}
		s.code(s.RemovePermission(ctx, s.ref, "c", ""), "ResourceNotFoundException")
	})
}

func TestEventIsRunOnce(t *testing.T) {
	suite(t, func(s *stage) {
		id := s.event(`{"return": "done"}`)
		if len(s.outcomes) != 1 {
			s.Fatalf("got %v", s.outcomes)
		}
		o := s.outcomes[0]
		if !o.Final || o.Condition != lambda.Success || o.Attempt != 1 || o.RequestID != id || string(o.Answer.Payload) != `"done"` {
			s.Errorf("got %+v", o)
		}
		var note map[string]string
		if err := json.Unmarshal(o.Note, &note); err != nil || note["rule"] != "r" {
			s.Errorf("note %s", o.Note)
		}
	})
}

func TestFailedEventIsTriedAfterOneAndTwoMinutes(t *testing.T) {
	suite(t, func(s *stage) {
		id := s.event(`{"fail": "no"}`)
		attempts := func(want int) {
			s.Helper()
			if len(s.outcomes) != want {
				s.Fatalf("%d attempts, want %d", len(s.outcomes), want)
			}
		}
		attempts(1)
		s.after(59 * time.Second)
		attempts(1)
		s.after(2 * time.Second)
		attempts(2)
		s.after(119 * time.Second)
		attempts(2)
		s.after(2 * time.Second)
		attempts(3)
		s.after(time.Hour)
		attempts(3)
		for i, o := range s.outcomes {
			if o.Attempt != i+1 || o.RequestID != id || o.Final != (i == 2) || o.Err != "Failed: no" {
				s.Errorf("attempt %d: %+v", i+1, o)
			}
		}
		if c := s.outcomes[2].Condition; c != lambda.RetriesExhausted {
			s.Errorf("got %s", c)
		}
	})
}

func TestResultsGoToDestinationsAndDeadLetters(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		_, err := s.PutEventInvoke(ctx, s.ref, false, func(c *lambda.EventInvoke) {
			c.Retries, c.OnSuccess, c.OnFailure = new(0), "arn:aws:sqs:us-east-1:123456789012:good", "arn:aws:sns:us-east-1:123456789012:bad"
		})
		s.must(err)
		_, err = s.Update(ctx, s.ref, lambda.Change{Settings: func(f *lambda.Function) error { f.DeadLetter = "arn:aws:sqs:us-east-1:123456789012:dead"; return nil }})
		s.must(err)
		id := s.event(`{"fail": "no"}`)
		if len(s.messages) != 2 {
			s.Fatalf("got %v", s.messages)
		}
		dead, bad := s.messages[0], s.messages[1]
		if !strings.HasSuffix(dead.Target, ":dead") || dead.Body != `{"fail": "no"}` ||
			dead.Attributes["RequestID"].Value != id || dead.Attributes["ErrorMessage"].Value != "no" || dead.Attributes["ErrorCode"] != (lambda.Attribute{Type: "Number", Value: "200"}) {
			s.Errorf("got %+v", dead)
		}
		var record struct {
			Version        string
			RequestContext struct {
				RequestID, FunctionArn, Condition string
				ApproximateInvokeCount            int
			}
			RequestPayload  map[string]string
			ResponseContext struct {
				StatusCode                     int
				ExecutedVersion, FunctionError string
			}
			ResponsePayload map[string]string
		}
		s.must(json.Unmarshal([]byte(bad.Body), &record))
		if record.Version != "1.0" || record.RequestContext.Condition != "RetriesExhausted" || record.RequestContext.ApproximateInvokeCount != 1 ||
			record.RequestContext.FunctionArn != s.ref.ARN()+":$LATEST" || record.RequestPayload["fail"] != "no" ||
			record.ResponseContext.FunctionError != "Unhandled" || record.ResponsePayload["errorMessage"] != "no" {
			s.Errorf("got %s", bad.Body)
		}
		s.event(`{"return": 1}`)
		if len(s.messages) != 3 || !strings.HasSuffix(s.messages[2].Target, ":good") || strings.Contains(s.messages[2].Body, "functionError") {
			s.Errorf("got %v", s.messages[2:])
		}
	})
}

func TestBusesAndBucketsGetResultsInTheirForms(t *testing.T) {
	suite(t, func(s *stage) {
		const bus = "arn:aws:events:us-east-1:123456789012:event-bus/results"
		_, err := s.PutEventInvoke(s.Context(), s.ref, false, func(c *lambda.EventInvoke) {
			c.Retries, c.OnSuccess, c.OnFailure = new(0), bus, "arn:aws:s3:::failures"
		})
		s.must(err)
		s.event(`{"return": 1}`)
		s.event(`{"fail": "no"}`)
		if len(s.messages) != 2 {
			s.Fatalf("got %v", s.messages)
		}
		good, bad := s.messages[0], s.messages[1]
		want := lambda.Envelope{Source: "lambda", DetailType: "Lambda Function Invocation Result - Success", Resources: []string{bus, s.ref.ARN() + ":$LATEST"}}
		if good.Target != bus || good.Event == nil || !reflect.DeepEqual(*good.Event, want) || !strings.Contains(good.Body, `"condition":"Success"`) {
			s.Errorf("the bus got %+v", good)
		}
		if !regexp.MustCompile(`^aws/lambda/async/f/(\d{4}/\d\d/\d\d)/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$`).MatchString(bad.Key) ||
			!strings.Contains(bad.Body, `"requestPayload":{"fail":"no"}`) {
			s.Errorf("the bucket got %+v", bad)
		}
	})
}

func TestDestinationFunctionIsInvoked(t *testing.T) {
	suite(t, func(s *stage) {
		other := s.make("other")
		_, err := s.PutEventInvoke(s.Context(), s.ref, false, func(c *lambda.EventInvoke) { c.OnSuccess = other.ARN() })
		s.must(err)
		s.event(`{"return": 1}`)
		if len(s.outcomes) != 2 || s.outcomes[1].Ref.Name != "other" || !strings.Contains(string(s.outcomes[1].Answer.Payload), `"condition":"Success"`) {
			s.Errorf("got %+v", s.outcomes)
		}
	})
}

func TestOldEventIsGivenUpAhead(t *testing.T) {
	suite(t, func(s *stage) {
		_, err := s.PutEventInvoke(s.Context(), s.ref, false, func(c *lambda.EventInvoke) { c.MaxAge = new(90) })
		s.must(err)
		s.event(`{"fail": "no"}`)
		s.after(61 * time.Second)
		if len(s.outcomes) != 2 || s.outcomes[1].Condition != lambda.EventAgeExceeded || s.outcomes[1].Attempt != 2 {
			s.Errorf("got %+v", s.outcomes)
		}
	})
}

func TestNoConcurrencyEndsEventsAndRefusesCalls(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		s.must(s.Reserve(ctx, s.ref, new(0)))
		_, err := s.Invoke(ctx, s.ref, lambda.Call{})
		var e *model.Error
		if !errors.As(err, &e) || e.Code != "TooManyRequestsException" || e.Fields["Reason"] != "ReservedFunctionConcurrentInvocationLimitExceeded" {
			s.Errorf("got %v", err)
		}
		s.event(`{}`)
		if len(s.outcomes) != 1 || s.outcomes[0].Condition != lambda.ZeroReservedConcurrency || s.outcomes[0].Attempt != 0 {
			s.Errorf("got %+v", s.outcomes)
		}
		s.code(s.Reserve(ctx, s.ref, new(901)), "InvalidParameterValueException")
		s.must(s.Reserve(ctx, s.ref, nil))
		s.invoke(s.ref, `{}`)
	})
}

func TestThrottledEventComesBackWithoutCostingARetry(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		s.must(s.Reserve(ctx, s.ref, new(1)))
		busy := make(chan error, 2)
		for range 2 { // one of them takes the one place, the other is turned away
			go func() {
				_, err := s.Invoke(ctx, s.ref, lambda.Call{Payload: []byte(`{"sleep": 1500}`)})
				busy <- err
			}()
		}
		s.code(<-busy, "TooManyRequestsException")
		s.event(`{"return": 1}`)
		if len(s.outcomes) != 0 {
			s.Fatalf("got %+v", s.outcomes)
		}
		s.must(<-busy)
		s.after(10 * time.Second)
		if len(s.outcomes) != 1 || s.outcomes[0].Attempt != 1 || s.outcomes[0].Condition != lambda.Success {
			s.Errorf("got %+v", s.outcomes)
		}
	})
}

func TestEventOfADeletedFunctionEnds(t *testing.T) {
	suite(t, func(s *stage) {
		ctx := s.Context()
		s.must(s.DB.Write(ctx, func(tx *db.Tx) error {
			_, err := s.InvokeAsync(ctx, tx, lambda.Event{Ref: lambda.Ref{Place: lambdatest.Place, Name: "gone"}})
			return err
		}))
		s.drain()
		if len(s.outcomes) != 1 || s.outcomes[0].Condition != lambda.FunctionMissing || !s.outcomes[0].Final {
			s.Errorf("got %+v", s.outcomes)
		}
	})
}

func TestDestinationsAreChecked(t *testing.T) {
	suite(t, func(s *stage) {
		const queue, invalid = "arn:aws:sqs:us-east-1:123456789012:", "The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=%s)) is invalid."
		for target, want := range map[string]string{
			queue + "missing":      "The destination ARN %s is invalid.",
			"arn:aws:s3:::missing": "The destination ARN %s is invalid.",
			"arn:aws:s3:::b/key":   invalid,
			queue + "ordered.fifo": invalid,
			"nonsense":             invalid,
			"arn:aws:events:us-east-1:123456789012:rule/r":    invalid,
			"arn:aws:kinesis:us-east-1:123456789012:stream/s": invalid,
			s.ref.ARN():              "You can't specify the function as a destination for itself.",
			s.ref.ARN() + ":$LATEST": "You can't specify the function as a destination for itself.",
			"arn:aws:lambda:us-east-1:123456789012:function:other": "The destination ARN %s is invalid.",
			queue + "forbidden": "The function's execution role does not have permissions to call SendMessage on %s",
		} {
			_, err := s.PutEventInvoke(s.Context(), s.ref, false, func(c *lambda.EventInvoke) { c.OnFailure = target })
			s.code(err, "InvalidParameterValueException")
			if want = strings.ReplaceAll(want, "%s", target); err == nil || !strings.HasSuffix(err.Error(), want) {
				s.Errorf("%s: got %v, want %s", target, err, want)
			}
		}
		_, err := s.PutEventInvoke(s.Context(), s.ref, false, func(c *lambda.EventInvoke) { c.OnSuccess = "arn:aws:s3:::b" })
		if err == nil || !strings.Contains(err.Error(), "DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid.") {
			s.Errorf("a bucket for successes: %v", err)
		}
		for _, target := range []string{"arn:aws:s3:::b", queue + "forbidden"} {
			_, err := s.Update(s.Context(), s.ref, lambda.Change{Settings: func(f *lambda.Function) error { f.DeadLetter = target; return nil }})
			s.code(err, "InvalidParameterValueException")
		}
		_, err = s.PutEventInvoke(s.Context(), s.ref, true, func(c *lambda.EventInvoke) { c.Retries = new(1) })
		s.code(err, "ResourceNotFoundException")
	})
}

func TestNamesAreReadInAllForms(t *testing.T) {
	p := lambdatest.Place
	for _, c := range []struct{ name, qualifier, want, code string }{
		{"f", "", "arn:aws:lambda:us-east-1:123456789012:function:f", ""},
		{"f:live", "", "arn:aws:lambda:us-east-1:123456789012:function:f:live", ""},
		{"f", "1", "arn:aws:lambda:us-east-1:123456789012:function:f:1", ""},
		{"123456789012:function:f", "", "arn:aws:lambda:us-east-1:123456789012:function:f", ""},
		{"arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST", "$LATEST", "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST", ""},
		{"f:live", "other", "", "InvalidParameterValueException"},
		{"arn:aws:lambda:eu-west-1:123456789012:function:f", "", "", "ResourceNotFoundException"},
		{"arn:aws:lambda:us-east-1:999999999999:function:f", "", "", "AccessDeniedException"},
		{"arn:aws:sqs:us-east-1:123456789012:f", "", "", "ValidationException"},
	} {
		r, err := lambda.Parse(p, c.name, c.qualifier)
		if c.code != "" && !model.IsCode(err, c.code) || c.code == "" && (err != nil || r.ARN() != c.want) {
			t.Errorf("%s, %s: got %s, %v", c.name, c.qualifier, r.ARN(), err)
		}
	}
}

// BenchmarkInvoke measures a warm invocation with all that stands before it:
// the look-up of the function and the count of what runs. Beside it stands
// environment's BenchmarkWarm.
func BenchmarkInvoke(b *testing.B) {
	f := lambdatest.New(b, dbtest.Open(b), lambda.Options{}, environment.Options{})
	_, err := f.Create(b.Context(), lambdatest.Function("f"), lambda.Source{Zip: lambdatest.Bootstrap(b)}, false)
	if err != nil {
		b.Fatal(err)
	}
	r := lambda.Ref{Place: lambdatest.Place, Name: "f"}
	for b.Loop() {
		if _, err := f.Invoke(b.Context(), r, lambda.Call{Payload: []byte(`{}`)}); err != nil {
			b.Fatal(err)
		}
	}
}
