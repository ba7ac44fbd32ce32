package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"plumb/internal/config"
)

// Status is how far an execution or one of its steps is.
type Status string

// The statuses, in AWS's spelling.
const (
	Pending    Status = "Pending"
	InProgress Status = "InProgress"
	Waiting    Status = "Waiting"
	Success    Status = "Success"
	Failed     Status = "Failed"
	TimedOut   Status = "TimedOut"
	Cancelled  Status = "Cancelled"
)

// Ended reports whether nothing more comes.
func (s Status) Ended() bool { return s != Pending && s != InProgress && s != Waiting }

// Services are how steps act.
type Services struct {
	// Call makes one call of an API, as a role if one is named.
	Call func(ctx context.Context, p config.Place, role, service, operation string, in map[string]any) (map[string]any, error)
	// Script runs a script and returns what it answered, JSON.
	Script func(ctx context.Context, p config.Place, s Script) ([]byte, error)
}

// A Script is the program of aws:executeScript.
type Script struct {
	Runtime string // python3.11
	Handler string // the name of its function
	Text    string
	Payload []byte // JSON
	Role    string // that its calls are made as; may be empty
	Limit   time.Duration
}

// A setting is where a step runs.
type setting struct {
	place   config.Place
	role    string
	values  Values
	started time.Time // of the step
	now     time.Time
	waited  map[string]any // what a step that waited left for itself
}

// An outcome is what an attempt at a step brought. With again it is not over: the
// step goes on after that time.
type outcome struct {
	inputs  map[string]any // filled
	answer  map[string]any
	outputs Values // by step.Name
	next    string // of a branch
	again   time.Duration
	waited  map[string]any
	timeout bool
	err     error
}

// run makes one attempt at a step.
func (sv Services) run(ctx context.Context, s Step, at setting) outcome {
	ctx, cancel := context.WithTimeout(ctx, min(s.limit(), maxAttempt))
	defer cancel()
	o := outcome{outputs: Values{}, waited: at.waited}
	filled, err := at.values.fill(anyMap(s.Inputs))
	if err != nil {
		o.err = err
		return o
	}
	o.inputs, _ = filled.(map[string]any)
	switch s.Action {
	case actionAPI:
		o.answer, o.err = sv.callAPI(ctx, at, o.inputs)
	case actionScript:
		o.answer, o.err = sv.script(ctx, s, at, o.inputs)
	case actionBranch:
		o.next, o.err = branch(o.inputs)
	case actionSleep:
		sleep(&o, at)
	case actionAssert:
		sv.assert(ctx, &o, at)
	case actionWait:
		sv.wait(ctx, &o, at)
	case actionInstance:
		sv.changeInstance(ctx, &o, at)
	case actionLambda:
		o.answer, o.err = sv.invokeLambda(ctx, at, o.inputs)
	}
	if o.err == nil && o.again > 0 && at.now.Add(o.again).Sub(at.started) > s.limit() {
		o.again, o.timeout = 0, true
		o.err = fmt.Errorf("the step timed out after %d seconds", int(s.limit().Seconds()))
	}
	if errors.Is(o.err, context.DeadlineExceeded) {
		o.timeout = true
	}
	if o.err == nil && o.again == 0 {
		o.collect(s)
	}
	return o
}

// maxAttempt is how long one attempt may take, whatever a document says.
const maxAttempt = 10 * time.Minute

func anyMap(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// collect picks the outputs that the step declares, and those that its action
// always has.
func (o *outcome) collect(s Step) {
	for name, v := range o.answer {
		if s.Action == actionLambda || s.Action == actionScript || s.Action == actionInstance {
			o.outputs[s.Name+"."+name] = v
		}
	}
	for _, out := range s.Outputs {
		selector := out.Selector
		if selector == "" {
			selector = "$." + out.Name
		}
		v, err := pick(any(o.answer), selector)
		if err == nil {
			v, err = as(out.Type, v)
		}
		if err != nil {
			o.err = fmt.Errorf("output %s: %w", out.Name, err)
			return
		}
		o.outputs[s.Name+"."+out.Name] = v
	}
}

// apiOf splits the inputs of a call from what names it.
func apiOf(in map[string]any, but ...string) (service, operation string, rest map[string]any, err error) {
	service, _ = in["Service"].(string)
	operation, _ = in["Api"].(string)
	if service == "" || operation == "" {
		return "", "", nil, errors.New("the inputs Service and Api are required")
	}
	rest = maps.Clone(in)
	for _, name := range append(but, "Service", "Api") {
		delete(rest, name)
	}
	return strings.ToLower(service), camel(operation), rest, nil
}

// camel turns put_bucket_versioning into PutBucketVersioning; other names stay.
func camel(operation string) string {
	if !strings.Contains(operation, "_") && operation != strings.ToLower(operation) {
		return operation
	}
	var b strings.Builder
	for part := range strings.SplitSeq(operation, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

func (sv Services) callAPI(ctx context.Context, at setting, in map[string]any) (map[string]any, error) {
	service, operation, rest, err := apiOf(in)
	if err != nil {
		return nil, err
	}
	return sv.call(ctx, at, service, operation, rest)
}

func (sv Services) call(ctx context.Context, at setting, service, operation string, in map[string]any) (map[string]any, error) {
	answer, err := sv.Call(ctx, at.place, at.role, service, operation, in)
	if err != nil {
		return nil, err
	}
	out, _ := normal(answer).(map[string]any)
	return out, nil
}

func (sv Services) script(ctx context.Context, s Step, at setting, in map[string]any) (map[string]any, error) {
	// The text of a script is not filled: {{ }} in it is the script's own. What it
	// gets of the document it gets as InputPayload.
	code, _ := s.Inputs["Script"].(string)
	handler, _ := in["Handler"].(string)
	runtime, _ := in["Runtime"].(string)
	if code == "" || handler == "" || runtime == "" {
		return nil, errors.New("the inputs Runtime, Handler and Script are required")
	}
	payload, err := json.Marshal(anyOr(in["InputPayload"], map[string]any{}))
	if err != nil {
		return nil, fmt.Errorf("the InputPayload is not JSON: %w", err)
	}
	answer, err := sv.Script(ctx, at.place, Script{Runtime: runtime, Handler: handler, Text: code, Payload: payload, Role: at.role, Limit: s.limit()})
	if err != nil {
		return nil, err
	}
	v, err := config.Decode(answer)
	if err != nil {
		return nil, fmt.Errorf("the script's answer is not JSON: %w", err)
	}
	return map[string]any{"Payload": v}, nil
}

func anyOr(v, other any) any {
	if v == nil {
		return other
	}
	return v
}

func (sv Services) invokeLambda(ctx context.Context, at setting, in map[string]any) (map[string]any, error) {
	call := map[string]any{}
	for _, name := range []string{"FunctionName", "InvocationType", "Qualifier", "LogType", "ClientContext"} {
		if v := in[name]; v != nil && v != "" {
			call[name] = v
		}
	}
	payload, err := lambdaPayload(in)
	if err != nil {
		return nil, err
	}
	call["Payload"] = payload
	raw, err := sv.Call(ctx, at.place, at.role, "lambda", "Invoke", call)
	if err != nil {
		return nil, err
	}
	body, _ := raw["Payload"].([]byte)
	out := map[string]any{"StatusCode": raw["StatusCode"], "Payload": string(body)}
	if kind := text(raw["FunctionError"]); kind != "" {
		return nil, fmt.Errorf("the function failed (%s): %s", kind, body)
	}
	return out, nil
}

func lambdaPayload(in map[string]any) ([]byte, error) {
	if s, ok := in["Payload"].(string); ok && s != "" {
		return []byte(s), nil
	}
	for _, name := range []string{"InputPayload", "Payload"} {
		if v := in[name]; v != nil {
			return json.Marshal(v)
		}
	}
	return []byte("{}"), nil
}
