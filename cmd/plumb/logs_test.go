package main

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
)

func TestLogsPrintsWhatAFunctionPrinted(t *testing.T) {
	p := apptest.Start(t)
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	w, err := z.Create("index.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("def handler(event, context):\n    print('judging', event['n'])\n    return event['missing']\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := p.PutFunction(t.Context(), "printer", "index.handler", code.Bytes()); err != nil {
		t.Fatal(err)
	}
	out, err := p.Lambda().Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("printer"), Payload: []byte(`{"n": 7}`)})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out.Payload), "no python3") {
		t.Skip("this machine has no python3")
	}
	var text, errText bytes.Buffer
	if status := run(t.Context(), []string{"logs", "printer", "--endpoint", p.URL()}, nil, &text, &errText); status != 0 {
		t.Fatalf("status %d: %s", status, errText.String())
	}
	for _, want := range []string{"START RequestId: ", "judging 7", "[ERROR] KeyError: 'missing'", "index.py", "line 3", "END RequestId: ", "REPORT RequestId: "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, text.String())
		}
	}
	text.Reset()
	if status := run(t.Context(), []string{"logs", "printer", "--endpoint", p.URL(), "--filter", "judging"}, nil, &text, &errText); status != 0 {
		t.Fatalf("status %d: %s", status, errText.String())
	}
	if n := strings.Count(text.String(), "\n"); n != 1 {
		t.Errorf("the filter leaves %d lines:\n%s", n, text.String())
	}
	if status := run(t.Context(), []string{"logs", "nobody", "--endpoint", p.URL()}, nil, &text, &errText); status == 0 || !strings.Contains(errText.String(), "there is no log /aws/lambda/nobody") {
		t.Errorf("a function that never ran: status %d, %s", status, errText.String())
	}
}
