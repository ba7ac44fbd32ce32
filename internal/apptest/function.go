package apptest

import (
	"archive/zip"
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"plumb/internal/awsclient"
)

// MakeFunction makes a Python function whose code is a file's text with a func
// named handler, and returns its ARN. What it prints with the prefix of Printed can
// be read back.
func (p *Plumb) MakeFunction(t testing.TB, name, code string) string {
	t.Helper()
	zipped, err := zipText("main.py", []byte(code))
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Lambda().CreateFunction(context.Background(), &lambda.CreateFunctionInput{
		FunctionName: &name, Handler: aws.String("main.handler"), Runtime: lambdatypes.RuntimePython312,
		Role: aws.String("arn:aws:iam::" + p.account + ":role/function"), Code: &lambdatypes.FunctionCode{ZipFile: zipped},
		Timeout: aws.Int32(30),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.FunctionArn
}

// zipText makes an archive of one file.
func zipText(name string, text []byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = z.Close()
	}
	return b.Bytes(), err
}

// EventPrinter is the code of a function that prints the events it gets.
const EventPrinter = `import json, time
def handler(event, context):
    print("EVENT %017.6f %s" % (time.time(), json.dumps(event)))
`

// Printed returns what a function printed after "EVENT " and the time, in the order of
// that time: each environment has a log stream of its own.
func (p *Plumb) Printed(t testing.TB, function string) []string {
	t.Helper()
	return printed(p.LogLines(t, "/aws/lambda/"+function))
}

func printed(lines []string) (out []string) {
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, "EVENT "); ok {
			out = append(out, strings.TrimRight(text, "\n"))
		}
	}
	slices.Sort(out)
	for i := range out {
		_, out[i], _ = strings.Cut(out[i], " ")
	}
	return out
}

// LogLines returns every line of a log group; none if it is not there.
func (p *Plumb) LogLines(t testing.TB, group string) []string {
	t.Helper()
	out, err := p.logLines(context.Background(), group)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *Plumb) logLines(ctx context.Context, group string) ([]string, error) {
	in, out := map[string]any{"logGroupName": group}, []string{}
	for {
		page, err := p.Client().Call(ctx, "logs", "FilterLogEvents", in)
		if awsclient.Code(err) == "ResourceNotFoundException" {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		events, _ := page["events"].([]any)
		for _, e := range events {
			members, _ := e.(map[string]any)
			text, _ := members["message"].(string)
			out = append(out, text)
		}
		if page["nextToken"] == nil {
			return slices.Clip(out), nil
		}
		in["nextToken"] = page["nextToken"]
	}
}

// Client is a client of any service, without a module of its own.
func (p *Plumb) Client() *awsclient.Client {
	key, secret := p.account, "any"
	if p.key != "" {
		key, secret = p.key, p.secret
	}
	return awsclient.New(awsclient.Options{Endpoint: p.URL(), Region: p.region, Credentials: awsclient.Static(key, secret, ""), Attempts: 1})
}
