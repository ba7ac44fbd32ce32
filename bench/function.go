package main

import (
	"archive/zip"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"

	"plumb/internal/lambda/environment"
)

// The functions of the bench: one that answers, one that is a rule.
var (
	//go:embed echo.py
	echoPython []byte
	//go:embed rule.py
	rulePython []byte
)

// makeFunction makes a Python function that AWS Config may invoke, and returns
// its ARN.
func (s *server) makeFunction(ctx context.Context, name string, code []byte) (string, error) {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	w, err := z.Create("index.py")
	if err != nil {
		return "", err
	}
	if _, err := w.Write(code); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	answer, err := s.lambda(ctx, "POST", "/2015-03-31/functions", map[string]any{
		"FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler", "Timeout": 30, "MemorySize": 256,
		"Role": "arn:aws:iam::" + benchAccount + ":role/rule", "Code": map[string]any{"ZipFile": archive.Bytes()},
	})
	if err != nil {
		return "", err
	}
	var made struct{ FunctionArn string }
	if err := json.Unmarshal(answer, &made); err != nil {
		return "", err
	}
	_, err = s.lambda(ctx, "POST", "/2015-03-31/functions/"+name+"/policy", map[string]any{
		"StatementId": "config", "Action": "lambda:InvokeFunction", "Principal": "config.amazonaws.com", "SourceAccount": benchAccount,
	})
	return made.FunctionArn, err
}

func (s *server) lambda(ctx context.Context, method, path string, in any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.send(ctx, method, path, "lambda", body)
}

// chill makes a function's next invocation a cold one: a changed function gets
// new environments.
func (s *server) chill(ctx context.Context, name, mark string) error {
	_, err := s.lambda(ctx, "PUT", "/2015-03-31/functions/"+name+"/configuration", map[string]any{
		"Environment": map[string]any{"Variables": map[string]string{"MARK": mark}},
	})
	return err
}

// python returns the interpreter that functions run with; empty without one.
func python(ctx context.Context) (interpreter string, boto3 bool) {
	host := (&environment.Runtimes{}).Look(ctx)
	return host.Python, host.Boto3 != ""
}
