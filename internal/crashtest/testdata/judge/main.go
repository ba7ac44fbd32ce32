// Command judge is the function of the crash test's rules, for the runtime
// provided.al2023. It knows nothing but HTTP: a rule's function is a client like
// any other.
//
// It reads the serial number out of the item, says with PutEvaluations whether
// that is even, with the number as the annotation, and then notes in a queue
// which version it judged.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		resp, err := http.Get(base + "next")
		if err != nil {
			return
		}
		event, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return
		}
		answer, body := "response", []byte("null")
		if err := handle(event); err != nil {
			answer = "error"
			body, _ = json.Marshal(map[string]string{"errorType": "JudgeError", "errorMessage": err.Error()})
		}
		resp, err = http.Post(base+resp.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/"+answer, "application/json", bytes.NewReader(body))
		if err != nil {
			return
		}
		resp.Body.Close()
	}
}

type event struct {
	InvokingEvent string `json:"invokingEvent"`
	ResultToken   string `json:"resultToken"`
}

type invoking struct {
	Item struct {
		Type     string          `json:"resourceType"`
		ID       string          `json:"resourceId"`
		StateID  json.Number     `json:"configurationStateId"`
		Status   string          `json:"configurationItemStatus"`
		Captured time.Time       `json:"configurationItemCaptureTime"`
		Config   json.RawMessage `json:"configuration"`
		Tags     json.RawMessage `json:"tags"`
	} `json:"configurationItem"`
}

// serial finds the number where the test hides it in resources of each type.
var serial = regexp.MustCompile(`"(?i:serial|visibilityTimeout)": ?"?([0-9]+)|"serial=([0-9]+)`)

func handle(text []byte) error {
	var e event
	var in invoking
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(e.InvokingEvent), &in); err != nil {
		return err
	}
	it := in.Item
	if it.Type == "" {
		return nil // the clock's: it only has to run
	}
	if it.Type == "Acme::Widget::Token" {
		return note("token " + e.ResultToken)
	}
	verdict, annotation := "NOT_APPLICABLE", "gone"
	if m := serial.FindSubmatch(append(it.Tags, it.Config...)); m != nil {
		n, _ := strconv.Atoi(string(m[1]) + string(m[2]))
		verdict, annotation = [2]string{"COMPLIANT", "NON_COMPLIANT"}[n%2], strconv.Itoa(n)
	} else if it.Status == "OK" || it.Status == "ResourceDiscovered" {
		annotation = "none"
	}
	// Seconds without a fraction, as boto3 sends them.
	err := call("config", "StarlingDoveService.PutEvaluations", "application/x-amz-json-1.1", map[string]any{
		"ResultToken": e.ResultToken, "Evaluations": []any{map[string]any{
			"ComplianceResourceType": it.Type, "ComplianceResourceId": it.ID, "ComplianceType": verdict,
			"Annotation": annotation, "OrderingTimestamp": it.Captured.Unix(),
		}},
	})
	if err != nil {
		return err
	}
	return note(fmt.Sprintf("judged %s %s %s", it.Type, it.ID, it.StateID))
}

func note(text string) error {
	return call("sqs", "AmazonSQS.SendMessage", "application/x-amz-json-1.0",
		map[string]any{"QueueUrl": os.Getenv("JUDGED"), "MessageBody": text})
}

func call(service, target, contentType string, in any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, os.Getenv("AWS_ENDPOINT_URL")+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	req.Header.Set("X-Amz-Security-Token", os.Getenv("AWS_SESSION_TOKEN"))
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
		os.Getenv("AWS_ACCESS_KEY_ID"), now.Format("20060102"), os.Getenv("AWS_REGION"), service))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %s", target, resp.Status, text)
	}
	return err
}
