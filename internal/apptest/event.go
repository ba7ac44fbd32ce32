package apptest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/events"
	"github.com/rogpeppe/go-internal/testscript"
)

// kinds are the types that aws-lambda-go has for the events of sources. "json" is for
// sources of which it has none.
var kinds = map[string]func() any{
	"alb":            func() any { return &events.ALBTargetGroupRequest{} },
	"apigateway":     func() any { return &events.APIGatewayProxyRequest{} },
	"authorizer":     func() any { return &events.APIGatewayCustomAuthorizerRequestTypeRequest{} },
	"button":         func() any { return &events.IoTButtonEvent{} },
	"cloudformation": func() any { return &cfn.Event{} },
	"codecommit":     func() any { return &events.CodeCommitEvent{} },
	"cognito-sync":   func() any { return &events.CognitoEvent{} },
	"config":         func() any { return &events.ConfigEvent{} },
	"dynamodb":       func() any { return &events.DynamoDBEvent{} },
	"eventbridge":    func() any { return &events.EventBridgeEvent{} },
	"firehose":       func() any { return &events.KinesisFirehoseEvent{} },
	"http-api":       func() any { return &events.APIGatewayV2HTTPRequest{} },
	"json":           func() any { return &map[string]any{} },
	"kinesis":        func() any { return &events.KinesisEvent{} },
	"lex":            func() any { return &events.LexEvent{} },
	"logs":           func() any { return &events.CloudwatchLogsEvent{} },
	"s3":             func() any { return &events.S3Event{} },
	"ses":            func() any { return &events.SimpleEmailEvent{} },
	"sns":            func() any { return &events.SNSEvent{} },
	"sqs":            func() any { return &events.SQSEvent{} },
	"url":            func() any { return &events.LambdaFunctionURLRequest{} },
}

// notInType are members that AWS sends and that the types do not have, by their paths.
var notInType = map[string][]string{
	"apigateway":     {"requestContext.deploymentId", "requestContext.identity.principalOrgId"},
	"cloudformation": {"ServiceToken"},
	"config":         {"evaluationMode"},
	"url":            {"routeKey", "requestContext.routeKey", "requestContext.stage"},
}

// DecodeEvent decodes an event into the type that aws-lambda-go has for a kind of source
// (see kinds), and refuses members that the type does not have, unless AWS documents them.
func DecodeEvent(kind string, event []byte) error {
	newEvent, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("there is no kind %s of events; there are %s", kind, strings.Join(slices.Sorted(maps.Keys(kinds)), " "))
	}
	if more := notInType[kind]; len(more) > 0 {
		var members map[string]any
		if err := json.Unmarshal(event, &members); err != nil {
			return err
		}
		for _, path := range more {
			in, names := members, strings.Split(path, ".")
			for _, name := range names[:len(names)-1] {
				in, _ = in[name].(map[string]any)
			}
			delete(in, names[len(names)-1])
		}
		var err error
		if event, err = json.Marshal(members); err != nil {
			return err
		}
	}
	if err := decodeStrictly(event, newEvent()); err != nil || kind != "logs" {
		return err
	}
	data, err := unpacked(event)
	if err != nil {
		return err
	}
	return decodeStrictly(data, &events.CloudwatchLogsData{})
}

func decodeStrictly(event []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("this is no %T: %w: %s", into, err, event)
	}
	return nil
}

// receiver makes a function that prints its events.
func (st *story) receiver(_ *testscript.TestScript, args []string) error {
	if len(args) != 1 {
		return errors.New("want receiver NAME")
	}
	code, err := zipText("main.py", []byte(EventPrinter+"    return event\n"))
	if err != nil {
		return err
	}
	return st.plumb.PutFunction(context.Background(), args[0], "main.handler", code)
}

// event compares the last event that a function printed with a file. In the file, "..."
// is any text, number or truth value, and a text that begins with "~" is a pattern that
// the text has to match as a whole. What is packed in the event of CloudWatch Logs is
// compared as it is.
func (st *story) event(ts *testscript.TestScript, args []string) error {
	if len(args) != 3 {
		return errors.New("want event NAME KIND FILE")
	}
	lines, err := st.plumb.logLines(context.Background(), "/aws/lambda/"+args[0])
	if err != nil {
		return err
	}
	all := printed(lines)
	if len(all) == 0 {
		return fmt.Errorf("the function %s got no event; it printed %q", args[0], lines)
	}
	event := []byte(all[len(all)-1])
	if err := DecodeEvent(args[1], event); err != nil {
		return err
	}
	if args[1] == "logs" {
		if event, err = unpacked(event); err != nil {
			return err
		}
	}
	var got, want any
	if err := json.Unmarshal(event, &got); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(ts.ReadFile(args[2])), &want); err != nil {
		return fmt.Errorf("%s: %w", args[2], err)
	}
	if err := compare("", got, want); err != nil {
		return fmt.Errorf("%w\nthe event is %s", err, event)
	}
	return nil
}

// unpacked returns the data in an event of CloudWatch Logs.
func unpacked(event []byte) ([]byte, error) {
	var e events.CloudwatchLogsEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	packed, err := base64.StdEncoding.DecodeString(e.AWSLogs.Data)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// compare says where a value differs from what is wanted.
func compare(at string, got, want any) error {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is %v, and no object", at, got)
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			v, ok := g[name]
			if !ok {
				return fmt.Errorf("%s.%s is missing", at, name)
			}
			if err := compare(at+"."+name, v, w[name]); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[name]; !ok {
				return fmt.Errorf("%s.%s is %v, and should not be there", at, name, g[name])
			}
		}
		return nil
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Errorf("%s is %v, and no list of %d", at, got, len(w))
		}
		for i := range w {
			if err := compare(fmt.Sprintf("%s[%d]", at, i), g[i], w[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		return compareText(at, got, w)
	}
	if got != want {
		return fmt.Errorf("%s is %v, want %v", at, got, want)
	}
	return nil
}

func compareText(at string, got any, want string) error {
	if want == "..." {
		switch got.(type) {
		case string, float64, bool:
			return nil
		}
	}
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		p, err := regexp.Compile("^(?s:" + pattern + ")$")
		if err != nil {
			return err
		}
		if text, ok := got.(string); ok && p.MatchString(text) {
			return nil
		}
	}
	if got != want {
		return fmt.Errorf("%s is %v, want %s", at, got, want)
	}
	return nil
}
