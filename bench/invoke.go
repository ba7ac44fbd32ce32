package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// barePython is the Runtime API loop with nothing around it.
//
//go:embed loop.py
var barePython string

// invoke measures warm invocations of the least function, through Lambda's
// Invoke, against the Runtime API alone behind an HTTP server alone.
func invoke(ctx context.Context, b *bench) error {
	interpreter, _ := python(ctx)
	if interpreter == "" {
		b.table.missing("warm invocations", "no python3 here")
		return nil
	}
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	if _, err := s.makeFunction(ctx, "echo", echoPython); err != nil {
		return err
	}
	event, err := changeEvent()
	if err != nil {
		return err
	}
	for _, clients := range []int{1, b.clients} {
		front, err := b.bareRuntime(ctx, interpreter, clients)
		if err != nil {
			return err
		}
		r, err := b.compare(ctx,
			together(clients, func(ctx context.Context) error {
				answer, err := s.send(ctx, "POST", "/2015-03-31/functions/echo/invocations", "lambda", event)
				return wantEcho(answer, err)
			}),
			together(clients, func(ctx context.Context) error {
				r, err := http.NewRequestWithContext(ctx, "POST", front, bytes.NewReader(event))
				if err != nil {
					return err
				}
				answer, err := do(s.client, r)
				return wantEcho(answer, err)
			}))
		if err != nil {
			return err
		}
		b.table.race(fmt.Sprintf("warm invocations through Invoke, %.1f KB, %d at once", float64(len(event))/1000, clients), "calls/s", r, 0.7)
	}
	return nil
}

func wantEcho(answer []byte, err error) error {
	if err == nil && !strings.Contains(string(answer), "1.0") {
		err = fmt.Errorf("the function answered %s", answer)
	}
	return err
}

// changeEvent is an event as AWS Config sends it for a change.
func changeEvent() ([]byte, error) {
	invoking, err := json.Marshal(map[string]any{
		"configurationItem": json.RawMessage(instanceJSON), "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3",
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"version": "1.0", "invokingEvent": string(invoking), "ruleParameters": "{}", "resultToken": "token", "eventLeftScope": false,
		"configRuleName": "rule", "accountId": benchAccount,
	})
}

// A bareLoop hands events to whoever asks next, and answers back.
type bareLoop struct{ waiting chan bareEvent }

type bareEvent struct {
	body   []byte
	answer chan []byte
}

// bareRuntime starts n bare processes and returns the URL that invokes them.
func (b *bench) bareRuntime(ctx context.Context, interpreter string, n int) (front string, err error) {
	loop := &bareLoop{make(chan bareEvent)}
	if front, err = b.serve(http.HandlerFunc(loop.invoke)); err != nil {
		return "", err
	}
	for range n {
		api, err := b.serve(loop.runtimeAPI())
		if err != nil {
			return "", err
		}
		cmd := exec.CommandContext(ctx, interpreter, "-S", "-E", "-c", barePython)
		cmd.Env, cmd.Stderr = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api, "http://")}, os.Stderr
		if err := cmd.Start(); err != nil {
			return "", err
		}
		b.atEnd(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
	return front, nil
}

func (l *bareLoop) invoke(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	e := bareEvent{body, make(chan []byte, 1)}
	select {
	case l.waiting <- e:
	case <-r.Context().Done():
		return
	}
	select {
	case answer := <-e.answer:
		w.Write(answer)
	case <-r.Context().Done():
	}
}

// runtimeAPI is the two calls of one process, which has one event at a time.
func (l *bareLoop) runtimeAPI() http.Handler {
	var current bareEvent
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case current = <-l.waiting:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Write(current.body)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/response", func(w http.ResponseWriter, r *http.Request) {
		answer, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		current.answer <- answer
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}
