package firehose

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
)

// processTimeout is how long a function may take, and some time around it.
const processTimeout = 16 * time.Minute

// An event is what the function gets.
type event struct {
	Invocation string        `json:"invocationId"`
	Stream     string        `json:"deliveryStreamArn"`
	Region     string        `json:"region"`
	Records    []eventRecord `json:"records"`
}

type eventRecord struct {
	ID      string `json:"recordId"`
	Arrived int64  `json:"approximateArrivalTimestamp"` // milliseconds
	Data    []byte `json:"data"`
}

// An answer is what the function says.
type answer struct {
	Records []struct {
		ID     string  `json:"recordId"`
		Result string  `json:"result"`
		Data   *string `json:"data"`
	} `json:"records"`
}

// A failure is why records were not transformed or delivered.
type failure struct{ code, message string }

// A processed is a record after the function.
type processed struct {
	record
	out  []byte
	drop bool
	err  *failure
}

// process hands a buffer to the function, and what it makes of it on.
func (s *Streams) process(ctx context.Context, j job.Job[processing]) (job.Commit, error) {
	x, b, ok, err := s.take(ctx, j.Args.flush)
	if err != nil || !ok {
		return nil, err
	}
	var all []record
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		all, err = records(ctx, tx, b.id, 0, maxRecords)
		return err
	})
	if err != nil {
		return nil, err
	}
	function := x.Destination.function()
	if function == "" { // it was taken away meanwhile
		return func(ctx context.Context, tx *db.Tx) error { return s.pass(ctx, tx, x, b, all, nil) }, nil
	}
	done, whole := s.transform(ctx, x, b, all)
	if whole != nil && whole != malformed && b.attempts < x.Destination.retries() {
		return func(ctx context.Context, tx *db.Tx) error {
			return s.again(ctx, tx, x, b, backOff(b.attempts))
		}, nil
	}
	return func(ctx context.Context, tx *db.Tx) error {
		if whole != nil {
			if err := s.note(ctx, tx, x, *whole); err != nil {
				return err
			}
		}
		return s.settle(ctx, tx, x, b, done, function)
	}, nil
}

// backOff is how long a buffer waits that was tried so often.
func backOff(attempts int) time.Duration { return time.Second << min(attempts, 6) }

// transform returns what the function made of the records, or the failure of all.
func (s *Streams) transform(ctx context.Context, x Stream, b buffer, all []record) (done []processed, whole *failure) {
	done = make([]processed, len(all))
	for i, r := range all {
		done[i].record = r
	}
	payload, whole := s.invoke(ctx, x, b, all)
	if whole == nil {
		whole = apply(payload, b, done)
	}
	if whole != nil {
		for i := range done {
			done[i] = processed{record: all[i], err: whole}
		}
	}
	return done, whole
}

func (s *Streams) invoke(ctx context.Context, x Stream, b buffer, all []record) ([]byte, *failure) {
	e := event{Invocation: lambda.NewID(), Stream: x.ARN(), Region: x.Region, Records: make([]eventRecord, len(all))}
	for i, r := range all {
		e.Records[i] = eventRecord{recordID(b.id, r.seq), r.arrived.UnixMilli(), r.data}
		if r.data == nil {
			e.Records[i].Data = []byte{}
		}
	}
	payload, err := json.Marshal(e)
	if err != nil {
		return nil, &failure{"Lambda.InternalError", err.Error()}
	}
	function := x.Destination.function()
	ref, err := lambda.ParseARN(function)
	if err == nil {
		err = s.db.Read(ctx, func(tx *db.Tx) error {
			return s.o.May(ctx, tx, caller.Sender{Account: x.Account, Region: x.Region, ARN: x.ARN(), Role: x.Destination.Role}, function)
		})
	}
	if err != nil {
		return nil, &failure{"Lambda.InvokeAccessDenied", "Access was denied. Ensure that the access policy allows access to the Lambda function."}
	}
	a, err := s.functions.Invoke(ctx, ref, lambda.Call{Payload: payload})
	switch {
	case model.IsCode(err, "ResourceNotFoundException"):
		return nil, &failure{"Lambda.ResourceNotFound", "The specified Lambda function does not exist. Use a different function that does exist."}
	case model.IsCode(err, "TooManyRequestsException"):
		return nil, &failure{"Lambda.InvokeLimitExceeded", "The Lambda concurrent execution limit is exceeded. Increase the concurrent execution limit."}
	case err != nil:
		s.log.Warn("records of a delivery stream could not be handed over", "stream", x.ARN(), "function", function, "err", err)
		return nil, &failure{"Lambda.InternalError", "The Lambda function could not be invoked."}
	case a.FunctionError != "" && bytes.Contains(a.Payload, []byte(`"Sandbox.Timedout"`)):
		return nil, &failure{"Lambda.FunctionTimedOut", "The Lambda function timed out."}
	case a.FunctionError != "":
		return nil, &failure{"Lambda.FunctionError", "The Lambda function was successfully invoked but it returned an error result."}
	}
	return a.Payload, nil
}

// malformed is that a function was invoked and answered something else than records.
var malformed = &failure{"Lambda.JsonProcessingException",
	"There was an error parsing returned records from the Lambda function. Ensure that the returned records follow the status model required by Kinesis Data Firehose."}

// apply reads what the function answered into the records, or returns why it cannot be
// read as a whole.
func apply(payload []byte, b buffer, done []processed) *failure {
	var a answer
	if json.Unmarshal(payload, &a) != nil || a.Records == nil {
		return malformed
	}
	byID := make(map[string]int, len(done))
	for i := range done {
		byID[recordID(b.id, done[i].seq)] = i
	}
	seen := make([]int, len(done))
	for _, r := range a.Records {
		i, ok := byID[r.ID]
		if !ok {
			continue
		}
		seen[i]++
		switch r.Result {
		case "Ok":
			if r.Data == nil {
				return malformed
			}
			data, err := base64.StdEncoding.DecodeString(*r.Data)
			if err != nil {
				return malformed
			}
			done[i].out = data
		case "Dropped":
			done[i].drop = true
		case "ProcessingFailed":
			done[i].err = &failure{"Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"}
		default:
			return malformed
		}
	}
	for i, n := range seen {
		switch {
		case n == 0:
			done[i].err = &failure{"Lambda.MissingRecordId", "One or more record IDs were not returned. Ensure that the Lambda function returns all received record IDs."}
		case n > 1:
			done[i].err = &failure{"Lambda.DuplicatedRecordId",
				"Multiple records were returned with the same record ID. Ensure that the Lambda function returns unique record IDs for each record."}
		}
	}
	return nil
}

// An errorLine is what is written of a record that was not transformed.
type errorLine struct {
	Attempts int    `json:"attemptsMade"`
	Arrived  int64  `json:"arrivalTimestamp"`
	Code     string `json:"errorCode"`
	Message  string `json:"errorMessage"`
	Ended    int64  `json:"attemptEndingTimestamp"`
	Raw      []byte `json:"rawData"`
	Function string `json:"lambdaArn"`
}

// settle ends a buffer that the function had: its records go to the buffers that come
// next.
func (s *Streams) settle(ctx context.Context, tx *db.Tx, x Stream, b buffer, done []processed, function string) error {
	var good, bad []record
	for _, r := range done {
		switch {
		case r.err != nil:
			line, err := compact(errorLine{b.attempts + 1, r.arrived.UnixMilli(), r.err.code, r.err.message, s.now().UnixMilli(), r.data, function})
			if err != nil {
				return err
			}
			bad = append(bad, record{arrived: r.arrived, data: line})
		case !r.drop:
			good = append(good, record{arrived: r.arrived, data: r.out})
		}
	}
	return s.pass(ctx, tx, x, b, good, bad)
}

// compact writes a line of JSON without escaping what HTML needs.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// pass ends a buffer and puts records into the next ones.
func (s *Streams) pass(ctx context.Context, tx *db.Tx, x Stream, b buffer, good, bad []record) error {
	if err := lock(ctx, tx, x.id); err != nil {
		return err
	}
	x, err := byID(ctx, tx, x.Place, x.id) // as it is now
	if err != nil {
		return gone(err)
	}
	if ok, err := end(ctx, tx, b); err != nil || !ok {
		return err
	}
	if _, err := s.add(ctx, tx, x, toDeliver, good); err != nil {
		return err
	}
	_, err = s.add(ctx, tx, x, failed, bad)
	return err
}

// A logLine is what is logged of a failure.
type logLine struct {
	Stream      string `json:"deliveryStreamARN"`
	Destination string `json:"destination"`
	Version     int    `json:"deliveryStreamVersionId"`
	Message     string `json:"message"`
	Code        string `json:"errorCode"`
	Processor   string `json:"processor,omitempty"`
}

// note writes a failure to the log group that the destination names, if it does.
func (s *Streams) note(ctx context.Context, tx *db.Tx, x Stream, f failure) error {
	o := x.Destination.Output
	s.log.Warn("a delivery stream failed", "stream", x.ARN(), "code", f.code, "err", f.message)
	if s.o.Log == nil || !o.Logs || o.LogGroup == "" || o.LogStream == "" {
		return nil
	}
	l := logLine{Stream: x.ARN(), Destination: o.Bucket, Version: x.Version, Message: f.message, Code: f.code}
	if strings.HasPrefix(f.code, "Lambda.") {
		l.Processor = x.Destination.function()
	}
	line, err := compact(l)
	if err != nil {
		return err
	}
	err = s.o.Log(ctx, tx, x.Place, o.LogGroup, o.LogStream, string(bytes.TrimSpace(line)))
	if _, named := model.Named(err); named { // the group is not there: so on AWS, nobody is told
		return nil
	}
	if err != nil {
		return fmt.Errorf("log a failure: %w", err)
	}
	return nil
}
