// Command bootstrap is a function for tests, with a provided runtime. Its event
// says what it does:
//
//	{"return": ANY}            answers that
//	{"fail": TEXT}             answers an error
//	{"exit": N}                leaves
//	{"sleep": MILLISECONDS}    takes its time, then answers
//	{"env": NAME}              answers a variable
//	{"count": true}            answers how many events this process has had
//	{"after": MILLISECONDS}    answers, and works on for as long
//
// Anything else it answers as it came.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type event struct {
	Return json.RawMessage `json:"return"`
	Fail   string          `json:"fail"`
	Exit   *int            `json:"exit"`
	Sleep  int             `json:"sleep"`
	Env    string          `json:"env"`
	Count  bool            `json:"count"`
	After  int             `json:"after"`
}

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for count := 1; ; count++ {
		r, err := http.Get(base + "next")
		if err != nil {
			fmt.Println("next:", err)
			os.Exit(1)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		answer, path := handle(body, count)
		p, err := http.Post(base+r.Header.Get("Lambda-Runtime-Aws-Request-Id")+path, "application/json", bytes.NewReader(answer))
		if err != nil {
			fmt.Println("answer:", err)
			os.Exit(1)
		}
		io.Copy(io.Discard, p.Body)
		p.Body.Close()
		var e event
		_ = json.Unmarshal(body, &e)
		time.Sleep(time.Duration(e.After) * time.Millisecond)
	}
}

// handle does what the event says and returns the answer and where it is
// posted.
func handle(body []byte, count int) ([]byte, string) {
	var e event
	if json.Unmarshal(body, &e) != nil {
		return body, "/response"
	}
	time.Sleep(time.Duration(e.Sleep) * time.Millisecond)
	fmt.Println("event", string(body))
	switch {
	case e.Exit != nil:
		os.Exit(*e.Exit)
	case e.Fail != "":
		text, _ := json.Marshal(map[string]any{"errorType": "Failed", "errorMessage": e.Fail})
		return text, "/error"
	case e.Return != nil:
		return e.Return, "/response"
	case e.Env != "":
		text, _ := json.Marshal(os.Getenv(e.Env))
		return text, "/response"
	case e.Count:
		return fmt.Append(nil, count), "/response"
	}
	return body, "/response"
}
