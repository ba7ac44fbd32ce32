package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"plumb/internal/arn"
	"plumb/internal/authorization"
	"plumb/internal/awsclient"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/credential"
	"plumb/internal/db"
	"plumb/internal/eventbus"
	"plumb/internal/lambda"
	"plumb/internal/lambda/code"
	"plumb/internal/lambda/environment"
	"plumb/internal/logs"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/model/lambdaapi"
	"plumb/internal/model/sqsapi"
	"plumb/internal/outside"
	"plumb/internal/rule"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

// maxCode is the largest archive that a function's code may be read from.
const maxCode = 256 << 20

// roleSession is how long the credentials last that a function's environment
// gets; it is replaced before they end.
const roleSession = 12 * time.Hour

// addFunctions makes the function service: a sandbox, warm environments in it,
// and the functions that run there.
func (m *Machine) addFunctions(ctx context.Context) error {
	box, err := m.box()
	if err != nil {
		return err
	}
	m.closers = append(m.closers, box.Close)
	runtimes := &environment.Runtimes{Python: m.options.Settings.Python, Node: m.options.Settings.Node, NodePath: m.options.Settings.NodePath}
	folders, err := code.Open(m.folder(codeFolder))
	if err != nil {
		return fmt.Errorf("folder for code: %w", err)
	}
	m.pool, err = environment.NewPool(m.log, box, runtimes, m.folder(runFolder), environment.Options{
		Endpoint: m.options.FunctionURL, Credentials: m.roleCredentials, Log: m.functionLog, Pending: m.options.Pending, Hold: folders.Hold,
		PerFunction: m.environments(), Total: m.environments(), Idle: m.options.Settings.FunctionTTL,
		Shared: m.options.Settings.SharedByAccounts(), Reload: m.options.Reload && m.options.Settings.Mode == settings.Development,
	})
	if err != nil {
		return fmt.Errorf("function environments: %w", err)
	}
	m.addTargets()
	m.Functions, err = lambda.New(ctx, m.log, m.DB, m.Jobs, m.pool, folders, m.Clock.Now, lambda.Options{
		MayPass: m.mayPass,
		Changed: m.changed, Object: m.codeObject, Targets: m.targets, Ended: m.invoked, Ran: m.meter.Invoked,
	})
	return err
}

// addTargets makes the ways on which results of functions go.
func (m *Machine) addTargets() {
	o := outside.TargetOptions{
		Clients: m.Outside, Jobs: m.Jobs, Queues: m.Queues, Topics: m.Topics, Buckets: outside.NewBuckets(m.Outside, m.Buckets),
		Bus: func(ctx context.Context, tx *db.Tx, from, busARN string, e eventbus.Event) error {
			return m.Events.PutOn(ctx, tx, from, busARN, e)
		},
	}
	if m.options.Settings.Enforces() {
		o.RoleMay = func(ctx context.Context, tx *db.Tx, roleARN, region, action, resource string) error {
			return m.Authorizer.RoleMay(ctx, tx, roleARN, region, authorization.Ask{Action: action, Resource: resource})
		}
	}
	m.targets = outside.NewTargets(m.log, o)
}

// environments returns how many environments there may be.
func (m *Machine) environments() int {
	const perProcessor = 32
	if n := m.options.Settings.Functions; n > 0 {
		return n
	}
	return perProcessor * runtime.GOMAXPROCS(0)
}

// box makes the sandbox at the strongest level that the kernel gives, or at the
// one that the settings demand.
func (m *Machine) box() (*sandbox.Box, error) {
	report := m.options.Sandbox()
	if want := m.options.Settings.Sandbox; want != "auto" {
		level, err := sandbox.ParseLevel(want)
		if err != nil {
			return nil, err
		}
		if level > report.Level {
			return nil, fmt.Errorf("the sandbox level %s is demanded, and this machine gives %s: %v", level, report.Level, report.Reasons)
		}
		report.Level = level
	}
	if report.Level <= sandbox.Limits && m.options.Settings.Mode == settings.Server {
		m.log.Warn("functions are hardly kept apart on this machine: see plumb doctor", "level", report.Level.String())
	}
	return sandbox.New(m.log, report, m.folder(sandboxFolder))
}

// functionLog keeps what functions write.
func (m *Machine) functionLog(l environment.Line) {
	if a, err := arn.Parse(l.Function); err == nil {
		m.Logs.Add(logs.Line{Place: config.Place{Account: a.Account, Region: a.Region}, Group: l.Group, Stream: l.Stream, Text: l.Text + "\n"})
	}
	m.log.Debug("function", "function", l.Function, "request", l.RequestID, "text", l.Text)
}

// mayPass returns Lambda's answer to a role that a function may not have.
func (m *Machine) mayPass(account, roleARN string) error {
	err := m.Credentials.MayAssume(account, roleARN)
	switch {
	case errors.Is(err, credential.ErrForeignRole):
		return lambdaapi.InvalidParameterValueException("Cross-account pass role is not allowed.")
	case err != nil:
		return lambdaapi.InvalidParameterValueException("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

// roleCredentials are those of a function's role, for one environment.
func (m *Machine) roleCredentials(ctx context.Context, v environment.Version) (environment.Credentials, error) {
	c, err := m.Credentials.Assume(ctx, v.Account, credential.Role{ARN: v.Role, Session: v.Name}, roleSession)
	return environment.Credentials{ID: c.AccessKeyID, Secret: c.Secret, Token: c.SessionToken, Expires: c.Expires}, err
}

// codeObject reads a function's code from a bucket.
func (m *Machine) codeObject(ctx context.Context, p config.Place, name, key, version string) ([]byte, error) {
	body, err := m.object(ctx, p, name, key, version, maxCode)
	if errors.Is(err, errTooLarge) {
		return nil, &lambda.ObjectError{Code: "EntityTooLarge", Message: "The object is larger than code may be"}
	}
	return body, objectError(err)
}

// objectError puts an error of S3 into lambda's shape for it.
func objectError(err error) error {
	if named, ok := errors.AsType[*model.Error](err); ok {
		return &lambda.ObjectError{Code: named.Code, Message: named.Message}
	}
	return err
}

// A ruleNote goes with an invocation that a rule asked for.
type ruleNote struct {
	Rule       string     `json:"rule"`
	Evaluation string     `json:"evaluation,omitempty"` // the proactive one
	Asked      rule.Asked `json:"asked,omitzero"`
}

// invoke has functions of rules invoked, in the transaction that decided it:
// embedded ones, or those of an outside Lambda. All are of one place. Whether AWS
// Config may invoke an embedded function is asked each time.
func (m *Machine) invoke(ctx context.Context, tx *db.Tx, list []rule.Invocation) error {
	var events []lambda.Event
	refused := map[rule.Origin]error{} // nil if it may be invoked
	for _, i := range list {
		if m.Outside.Replaces(i.Place, "lambda") {
			if err := m.remote.Invoke(ctx, tx, i); err != nil {
				return err
			}
			continue
		}
		if _, asked := refused[i.Origin]; !asked {
			refusal, err := m.refusal(ctx, tx, i)
			if err != nil {
				return err
			}
			refused[i.Origin] = refusal
		}
		if refused[i.Origin] != nil {
			continue
		}
		e, err := event(i)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	return m.Functions.InvokeAll(ctx, tx, events)
}

// refusal returns why a rule's function may not be invoked, and notes it in the
// rule's status. A function that is not there is let through: its
// invocation fails and says so.
func (m *Machine) refusal(ctx context.Context, tx *db.Tx, i rule.Invocation) (error, error) {
	ref, err := lambda.ParseARN(i.FunctionARN)
	if err != nil {
		return err, m.Rules.Invoked(ctx, tx, i.Origin, "InvalidParameterValue", err.Error())
	}
	may, err := lambda.MayInvoke(ctx, tx, i.FunctionARN, "config.amazonaws.com", "", i.Place.Account)
	if err != nil || may || model.IsCode(m.Functions.Check(ctx, ref), "ResourceNotFoundException") {
		return nil, err
	}
	refused := cannotInvoke(i.FunctionARN)
	return refused, m.Rules.Invoked(ctx, tx, i.Origin, "AccessDenied", refused.Message)
}

func event(i rule.Invocation) (lambda.Event, error) {
	ref, err := lambda.ParseARN(i.FunctionARN)
	if err != nil {
		return lambda.Event{}, err
	}
	note, err := json.Marshal(ruleNote{i.RuleID, i.Evaluation, i.Asked})
	return lambda.Event{Ref: ref, Payload: i.Payload, Note: note}, err
}

func cannotInvoke(functionARN string) *model.Error {
	return configapi.InsufficientPermissionsException("The AWS Lambda function %s cannot be invoked. Check the specified "+
		"function ARN, and check the function's permissions.", functionARN)
}

// invoked tells a rule how its function did.
func (m *Machine) invoked(ctx context.Context, tx *db.Tx, o lambda.Outcome) error {
	var note ruleNote
	if len(o.Note) == 0 || json.Unmarshal(o.Note, &note) != nil || note.Rule == "" {
		return nil // somebody else's invocation
	}
	failure, text := "", ""
	if o.Err != "" {
		failure, text = "InvocationFailed", o.Err
		tx.AfterCommit(func() { m.meter.Evaluated("function", failedOutcome, 1) })
	}
	return m.Rules.Invoked(ctx, tx, rule.Origin{RuleID: note.Rule, Evaluation: note.Evaluation, Asked: note.Asked}, failure, text)
}

// enqueue puts a message into a queue that a topic's subscription names.
func (m *Machine) enqueue(ctx context.Context, tx *db.Tx, from caller.Sender, queueARN string, in sqsapi.SendMessageInput) error {
	if err := outside.May(ctx, tx, from, queueARN); err != nil {
		return err
	}
	return m.Queues.Deliver(ctx, tx, queueARN, in)
}

// notify invokes a function that a topic's subscription names. SNS needs the function's
// permission in its own account, too.
func (m *Machine) notify(ctx context.Context, tx *db.Tx, from caller.Sender, functionARN string, event []byte) error {
	if err := outside.MayAsService(ctx, tx, from, functionARN); err != nil {
		return err
	}
	ref, err := lambda.ParseARN(functionARN)
	if err != nil {
		return err
	}
	_, err = m.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: event})
	return err
}

// mayInvoke says whether AWS Config may invoke a rule's function for a place. Of
// an outside function only its existence can be asked.
func (m *Machine) MayInvoke(ctx context.Context, p config.Place, functionARN string) error {
	refused := cannotInvoke(functionARN)
	client, err := m.Outside.Service(ctx, p, "lambda")
	if err != nil {
		return err
	}
	if client != nil {
		_, err := client.Call(ctx, "lambda", "GetFunctionConfiguration", map[string]any{"FunctionName": functionARN})
		if e, ok := errors.AsType[*awsclient.Error](err); ok && e.Status < 500 {
			return refused
		}
		return err
	}
	var may bool
	err = m.DB.Read(ctx, func(tx *db.Tx) (err error) {
		may, err = lambda.MayInvoke(ctx, tx, functionARN, "config.amazonaws.com", "", p.Account)
		return err
	})
	if err == nil && !may {
		return refused
	}
	return err
}
