package cognitosync

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"plumb/internal/cognito"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/cognitosyncapi"
)

// principal is who invokes functions for pools, and within is how long it waits.
const (
	principal = "cognito-sync.amazonaws.com"
	within    = 5 * time.Second
)

// Trigger is the event of a pool that a function can be set for.
const Trigger = "SyncTrigger"

func trigger(ctx context.Context, tx *db.Tx, pool string) (function string, err error) {
	err = tx.QueryRow(ctx, "SELECT function FROM cognito_trigger WHERE pool = ?", pool).Scan(&function)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return function, err
}

// Events returns the functions of a pool's events.
func Events(ctx context.Context, tx *db.Tx, pool string) (map[string]string, error) {
	function, err := trigger(ctx, tx, pool)
	if err != nil || function == "" {
		return map[string]string{}, err
	}
	return map[string]string{Trigger: function}, nil
}

// SetEvents sets the functions of a pool's events. An event without a function loses the
// one it had.
func SetEvents(ctx context.Context, tx *db.Tx, p cognito.Pool, events map[string]string) error {
	for event, function := range events {
		if event != Trigger {
			return api.InvalidParameterException("The event %q is not one of Cognito Sync: %s is.", event, Trigger)
		}
		if function == "" {
			_, err := tx.Exec(ctx, "DELETE FROM cognito_trigger WHERE pool = ?", p.ID)
			return err
		}
		r, err := lambda.ParseARN(function)
		if err != nil || r.Region != p.Region {
			return api.InvalidParameterException("%q is not the ARN of a function in %s.", function, p.Region)
		}
		_, err = tx.Exec(ctx, "INSERT INTO cognito_trigger (pool, function) VALUES (?, ?) ON CONFLICT (pool) DO UPDATE SET function = excluded.function", p.ID, function)
		return err
	}
	return nil
}

// A syncEvent is what the function gets and gives back.
type syncEvent struct {
	Version  int                `json:"version"`
	Type     string             `json:"eventType"`
	Region   string             `json:"region"`
	Pool     string             `json:"identityPoolId"`
	Identity string             `json:"identityId"`
	Dataset  string             `json:"datasetName"`
	Records  map[string]patched `json:"datasetRecords"`
}

type patched struct {
	Old *string `json:"oldValue"`
	New *string `json:"newValue"`
	Op  string  `json:"op"`
}

const (
	opReplace = "replace"
	opRemove  = "remove"
)

func newEvent(u Update, old map[string]Record) syncEvent {
	e := syncEvent{Version: 2, Type: Trigger, Region: u.Pool.Region, Pool: u.Pool.ID, Identity: u.Identity, Dataset: u.Dataset, Records: map[string]patched{}}
	for _, p := range u.Patches {
		op := opReplace
		if p.Value == nil {
			op = opRemove
		}
		e.Records[p.Key] = patched{Old: old[p.Key].Value, New: p.Value, Op: op}
	}
	return e
}

func badOutput(format string, args ...any) error {
	return api.InvalidLambdaFunctionOutputException(format, args...)
}

// ask has the function of a pool change, remove and add patches.
func (s *Sync) ask(ctx context.Context, function string, u Update, old map[string]Record) ([]Patch, error) {
	sent := newEvent(u, old)
	payload, err := json.Marshal(sent)
	if err != nil {
		return nil, err
	}
	a, err := s.functions.InvokeFor(ctx, lambda.Invoker{Service: principal, ARN: u.Pool.ARN("cognito-sync"), Account: u.Pool.Account}, function,
		lambda.Call{Payload: payload}, within)
	switch {
	case errors.Is(err, lambda.ErrNotPermitted):
		return nil, api.NotAuthorizedException("Cognito Sync is not authorized to invoke the Lambda function %s.", function)
	case errors.Is(err, lambda.ErrTooSlow):
		return nil, model.Errorf(model.Error{Code: "LambdaSocketTimeoutException", Status: http.StatusBadRequest},
			"The Lambda function %s did not answer within 5 seconds.", function)
	case model.IsCode(err, "TooManyRequestsException"):
		return nil, api.LambdaThrottledException("The Lambda function %s was throttled.", function)
	case err != nil:
		return nil, err
	case a.FunctionError != "":
		return nil, badOutput("The Lambda function %s failed.", function)
	}
	return patches(u, sent, a.Payload)
}

// patches reads the answer of a function. What it leaves out is written as it was asked.
func patches(u Update, sent syncEvent, answer []byte) ([]Patch, error) {
	var got syncEvent
	d := json.NewDecoder(bytes.NewReader(answer))
	if err := d.Decode(&got); err != nil {
		return nil, badOutput("The output of the Lambda function is not the event.")
	}
	records := got.Records
	got.Records = sent.Records
	if !reflect.DeepEqual(got, sent) {
		return nil, badOutput("The output of the Lambda function changed more than datasetRecords.")
	}
	if records == nil {
		return nil, badOutput("The output of the Lambda function has no datasetRecords.")
	}
	out := slices.Clone(u.Patches)
	for i, p := range out {
		r, ok := records[p.Key]
		if !ok {
			continue
		}
		delete(records, p.Key)
		value, err := r.value(p.Key)
		if err != nil {
			return nil, err
		}
		out[i].Value = value
	}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		value, err := records[key].value(key)
		if err != nil {
			return nil, err
		}
		out = append(out, Patch{Key: key, Value: value, added: true})
	}
	return out, nil
}

// value is what a record of a function's output is to be; nil removes it.
func (r patched) value(key string) (*string, error) {
	const longest = 1024
	switch {
	case key == "" || len(key) > longest:
		return nil, badOutput("The output of the Lambda function has a record whose key is not 1 to %d characters long.", longest)
	case r.Op == opRemove:
		return nil, nil
	case r.Op != opReplace:
		return nil, badOutput("The output of the Lambda function has the op %q for the record %q: replace and remove are known.", r.Op, key)
	case r.New == nil:
		return nil, badOutput("The output of the Lambda function has no newValue for the record %q.", key)
	}
	return r.New, nil
}
