package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumb/internal/awsclient"
)

// IsFunction reports whether this process was started as the demo's rule, a
// function for the runtime provided.al2023.
func IsFunction() bool {
	return filepath.Base(os.Args[0]) == "bootstrap" && os.Getenv("AWS_LAMBDA_RUNTIME_API") != ""
}

// Rule serves the Lambda Runtime API: it is rule.py again, for machines without
// Python. It returns an error when the runtime goes away.
func Rule(ctx context.Context) error {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	client := awsclient.New(awsclient.Options{
		Region: os.Getenv("AWS_REGION"), Endpoint: os.Getenv("AWS_ENDPOINT_URL"),
		Credentials: awsclient.Static(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
	})
	for {
		id, event, err := next(ctx, base)
		if err != nil {
			return err
		}
		answer, body := "response", any(nil)
		if err := evaluate(ctx, client, event); err != nil {
			answer, body = "error", map[string]string{"errorType": "RuleError", "errorMessage": err.Error()}
		}
		if err := post(ctx, base+id+"/"+answer, body); err != nil {
			return err
		}
	}
}

func next(ctx context.Context, base string) (id string, event []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"next", nil)
	if err != nil {
		return "", nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	event, err = io.ReadAll(resp.Body)
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), event, err
}

func post(ctx context.Context, url string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// The parts of an event that the rule reads.
type ruleEvent struct {
	InvokingEvent string `json:"invokingEvent"`
	ResultToken   string `json:"resultToken"`
}

type ruleItem struct {
	Type          string            `json:"resourceType"`
	ID            string            `json:"resourceId"`
	Status        string            `json:"configurationItemStatus"`
	Captured      time.Time         `json:"configurationItemCaptureTime"`
	Tags          map[string]string `json:"tags"`
	Supplementary struct {
		Versioning struct {
			Status string `json:"status"`
		} `json:"BucketVersioningConfiguration"`
	} `json:"supplementaryConfiguration"`
}

func evaluate(ctx context.Context, client *awsclient.Client, event []byte) error {
	var e ruleEvent
	if err := json.Unmarshal(event, &e); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	var invoking struct {
		Item ruleItem `json:"configurationItem"`
	}
	if err := json.Unmarshal([]byte(e.InvokingEvent), &invoking); err != nil {
		return fmt.Errorf("invoking event: %w", err)
	}
	it := invoking.Item
	verdict, annotation := judge(it)
	evaluation := shape{
		"ComplianceResourceType": it.Type, "ComplianceResourceId": it.ID, "ComplianceType": verdict, "OrderingTimestamp": it.Captured,
	}
	if annotation != "" {
		evaluation["Annotation"] = annotation
	}
	_, err := client.Call(ctx, "config", "PutEvaluations", shape{"ResultToken": e.ResultToken, "Evaluations": []any{evaluation}})
	return err
}

func judge(it ruleItem) (compliance, annotation string) {
	status := it.Supplementary.Versioning.Status
	switch {
	case strings.HasPrefix(it.Status, "ResourceDeleted"), it.Tags["data"] != "important":
		return "NOT_APPLICABLE", ""
	case status == "Enabled":
		return "COMPLIANT", ""
	case status == "":
		status = "Off"
	}
	return "NON_COMPLIANT", "The data is important, and versioning is " + status + "."
}
