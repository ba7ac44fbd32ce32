package rulebench

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/config"
)

// An Occasion is something that a rule is told of.
type Occasion struct {
	Item      *config.Item // nil for the tick of a schedule
	Before    *config.Item // the item before
	LeftScope bool
	Oversized bool
	// Recorded names a resource whose newest item is taken in the place of Item.
	Type, ID string
}

// An Answer is what a function did.
type Answer struct {
	Verdicts []Verdict // what the rule says of every resource, sorted
	Log      string    // the end of what it printed
	Error    string    // its error, with its type; empty if it ended well
	Trace    []string  // of the error
	Cause    Place     // the line of the function's code that failed, after In; empty if none is known
	Took     time.Duration
}

// A Verdict is what a rule says of one resource.
type Verdict struct {
	Type, ID   string
	Compliance config.Compliance
	Annotation string
	Invoked    time.Time // when the function was asked
}

// Event returns what the rule's function would be invoked with.
func (b *Bench) Event(ctx context.Context, rule string, o Occasion) (event json.RawMessage, now time.Time, err error) {
	event, _, now, err = b.event(ctx, rule, o)
	return event, now, err
}

func (b *Bench) event(ctx context.Context, rule string, o Occasion) (event json.RawMessage, function string, now time.Time, err error) {
	in := shape{"account": b.Account, "region": b.Region, "rule": rule, "leftScope": o.LeftScope, "oversized": o.Oversized}
	if o.Item != nil {
		in["item"] = *o.Item
	}
	if o.Before != nil {
		in["before"] = *o.Before
	}
	if o.ID != "" {
		in["resourceType"], in["resourceId"] = o.Type, o.ID
	}
	var out struct {
		Event    json.RawMessage
		Function string
		Now      time.Time
	}
	err = b.Control(ctx, "event", in, &out)
	return out.Event, out.Function, out.Now, err
}

// Ask invokes the rule's function with the event of an occasion, waits for it and
// returns what the rule says since.
func (b *Bench) Ask(ctx context.Context, rule string, o Occasion) (Answer, error) {
	event, function, now, err := b.event(ctx, rule, o)
	if err != nil {
		return Answer{}, err
	}
	began := time.Now()
	out, err := b.client.Call(ctx, "lambda", "Invoke", shape{"FunctionName": function, "Payload": []byte(event), "LogType": "Tail"})
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Took: time.Since(began), Log: tail(out["LogResult"])}
	if failed, _ := out["FunctionError"].(string); failed != "" {
		payload, _ := out["Payload"].([]byte)
		a.Error, a.Trace = failure(payload)
		if m := outgrown.FindStringSubmatch(a.Log); m != nil {
			a.Error += ": the function needs more than its memory of " + m[1] + " MB"
		}
	}
	all, err := b.Verdicts(ctx, rule)
	a.Verdicts = slices.DeleteFunc(all, func(v Verdict) bool { return v.Invoked.Before(now.Truncate(time.Millisecond)) })
	return a, err
}

// outgrown is the report of a function that was killed for its memory. Its answer says "signal: killed".
var outgrown = regexp.MustCompile(`\tMemory Size: (\d+) MB\t.*\tError Type: Runtime\.OutOfMemory\n`)

// tail reads the end of a log, which comes in base64.
func tail(v any) string {
	s, _ := v.(string)
	text, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return s
	}
	return strings.ReplaceAll(string(text), "\r", "\n") // which keeps the lines of an error one event
}

// failure reads what a runtime answers of an error.
func failure(payload []byte) (string, []string) {
	var e struct {
		Message string          `json:"errorMessage"`
		Type    string          `json:"errorType"`
		Trace   json.RawMessage `json:"stackTrace"`
		JSTrace []string        `json:"trace"`
	}
	if err := json.Unmarshal(payload, &e); err != nil || e.Message+e.Type == "" {
		return strings.TrimSpace(string(payload)), nil
	}
	trace := traceOf(e.Trace)
	if trace == nil {
		trace = e.JSTrace
	}
	message := short(e.Message, maxMessage)
	if e.Type == "" {
		return message, trace
	}
	return e.Type + ": " + message, trace
}

// maxMessage is how much of an error's message is shown: AWS Config's answer to an unknown type names all that there are.
const maxMessage = 1000 // bytes

func short(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return fmt.Sprintf("%s... and %d bytes more", strings.ToValidUTF8(s[:limit], ""), len(s)-limit)
}

// traceOf reads a stack trace: Python's lines as they are, the frames of Go's as lines
// of that form, without those of the runtime and of Lambda's library.
func traceOf(text json.RawMessage) (trace []string) {
	if json.Unmarshal(text, &trace) == nil {
		return trace
	}
	var frames []struct {
		Path, Label string
		Line        int
	}
	if json.Unmarshal(text, &frames) != nil {
		return nil
	}
	trace = nil
	for _, f := range frames {
		if strings.HasPrefix(f.Path, "runtime/") || strings.HasPrefix(f.Path, "reflect/") || strings.Contains(f.Path, "aws/aws-lambda-go") {
			continue
		}
		trace = append(trace, fmt.Sprintf("  %s:%d, in %s\n", f.Path, f.Line, f.Label))
	}
	return trace
}

// Verdicts returns what a rule says of every resource, NOT_APPLICABLE too.
func (b *Bench) Verdicts(ctx context.Context, rule string) ([]Verdict, error) {
	var out struct {
		Verdicts []struct {
			ResourceType, ResourceID, Annotation string
			Compliance                           config.Compliance
			Invoked                              time.Time
		}
	}
	if err := b.Control(ctx, "verdicts", shape{"account": b.Account, "region": b.Region, "rule": rule}, &out); err != nil {
		return nil, err
	}
	all := make([]Verdict, len(out.Verdicts))
	for i, v := range out.Verdicts {
		all[i] = Verdict{v.ResourceType, v.ResourceID, v.Compliance, v.Annotation, v.Invoked}
	}
	slices.SortFunc(all, func(a, b Verdict) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}
