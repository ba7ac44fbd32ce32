package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"plumb/internal/config"
)

// Check carries out a document as the example says, and returns an error unless it
// makes those calls and ends so.
func (e Example) Check(d *Document) error {
	c := &script{left: e.Calls}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ran, err := d.Run(context.Background(), Services{Call: c.call, Script: c.run}, config.Place{Account: "123456789012", Region: "us-east-1"}, e.given(), at)
	switch {
	case c.wrong != nil:
		return fmt.Errorf("%s: %w", e.Name, c.wrong)
	case err != nil:
		return fmt.Errorf("%s: %w", e.Name, err)
	case ran.Status != e.Status:
		return fmt.Errorf("%s: it ends as %s, where %s is expected: %s", e.Name, ran.Status, e.Status, ran.Failure)
	case len(c.left) > 0:
		return fmt.Errorf("%s: it does not call %s %s", e.Name, c.left[0].Service, c.left[0].API)
	case e.Outputs != nil && !same(e.Outputs, ran.Outputs):
		return fmt.Errorf("%s: the outputs are %v, where %v are expected", e.Name, ran.Outputs, e.Outputs)
	}
	return nil
}

// A script answers the calls of an example in their order.
type script struct {
	left  []ExampleCall
	wrong error // the first call that is not expected
}

func (c *script) call(_ context.Context, _ config.Place, _, service, operation string, in map[string]any) (map[string]any, error) {
	got, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if len(c.left) == 0 {
		return nil, c.unexpected(fmt.Errorf("it calls %s %s with %s, and nothing more is expected", service, operation, got))
	}
	next := c.left[0]
	c.left = c.left[1:]
	if service != next.Service || operation != next.API || !same(next.Input, in) {
		want, _ := json.Marshal(next.Input)
		return nil, c.unexpected(fmt.Errorf("it calls %s %s with %s, where %s %s with %s is expected", service, operation, got, next.Service, next.API, want))
	}
	if next.Error != "" {
		return nil, errors.New(next.Error)
	}
	return next.Answer, nil
}

func (c *script) unexpected(err error) error {
	if c.wrong == nil {
		c.wrong = err
	}
	return err
}

// run answers a script as a call of the service script.
func (c *script) run(ctx context.Context, p config.Place, s Script) ([]byte, error) {
	var in map[string]any
	if err := json.Unmarshal(s.Payload, &in); err != nil {
		return nil, err
	}
	out, err := c.call(ctx, p, s.Role, "script", s.Handler, in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// same compares values whatever the kinds of their numbers.
func same(a, b map[string]any) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	return reflect.DeepEqual(normal(a), normal(b))
}

// given returns the parameters as an execution takes them.
func (e Example) given() map[string][]string {
	out := map[string][]string{}
	for name, v := range e.Parameters {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		out[name] = []string{}
		for _, inner := range list {
			out[name] = append(out[name], text(normal(inner)))
		}
	}
	return out
}
