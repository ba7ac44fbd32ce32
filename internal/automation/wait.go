package automation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Steps that wait leave what they wait for in waited, and are tried again by the
// clock.

const (
	pollFirst = 2 * time.Second // how soon a property is looked at again
	pollLast  = 30 * time.Second
)

// sleep ends at a time that its first attempt sets.
func sleep(o *outcome, at setting) {
	if at.waited != nil {
		return
	}
	until, err := sleepUntil(o.inputs, at.now)
	if err != nil {
		o.err = err
		return
	}
	o.answer = map[string]any{}
	if until.After(at.now) {
		o.again, o.waited = until.Sub(at.now), map[string]any{"until": until.Format(time.RFC3339Nano)}
	}
}

func sleepUntil(in map[string]any, now time.Time) (time.Time, error) {
	if stamp := text(in["Timestamp"]); stamp != "" {
		t, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			return t, fmt.Errorf("the Timestamp %q is not of ISO 8601", stamp)
		}
		return t, nil
	}
	d, err := duration(text(in["Duration"]))
	return now.Add(d), err
}

// duration reads PT10S, PT1H30M, P1DT2H.
func duration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("the Duration %q is not of ISO 8601, such as PT10M", s)
	rest, ok := strings.CutPrefix(strings.ToUpper(s), "P")
	if !ok {
		return 0, wrong
	}
	days, clock, timed := strings.Cut(rest, "T")
	var total time.Duration
	if days != "" {
		var n int
		if _, err := fmt.Sscanf(days, "%dD", &n); err != nil || fmt.Sprintf("%dD", n) != days {
			return 0, wrong
		}
		total = time.Duration(n) * 24 * time.Hour
	}
	if timed {
		d, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil || d < 0 {
			return 0, wrong
		}
		total += d
	}
	if !timed && days == "" || total > 7*24*time.Hour {
		return 0, wrong
	}
	return total, nil
}

// property reads what a PropertySelector finds, and whether it is desired.
func (sv Services) property(ctx context.Context, o *outcome, at setting) (found any, desired bool, err error) {
	service, operation, rest, err := apiOf(o.inputs, "PropertySelector", "DesiredValues")
	if err != nil {
		return nil, false, err
	}
	wanted, ok := o.inputs["DesiredValues"].([]any)
	if !ok || len(wanted) == 0 {
		return nil, false, errors.New("the input DesiredValues is a list of values")
	}
	o.answer, err = sv.call(ctx, at, service, operation, rest)
	if err != nil {
		return nil, false, err
	}
	found, err = pick(any(o.answer), text(o.inputs["PropertySelector"]))
	if err != nil {
		return nil, false, err
	}
	return found, desiredIn(found, wanted), nil
}

// desiredIn reports whether a value, or all values of a list, are among those.
func desiredIn(found any, wanted []any) bool {
	values, ok := found.([]any)
	if !ok {
		values = []any{found}
	}
	if len(values) == 0 {
		return false
	}
	for _, v := range values {
		if !slices.ContainsFunc(wanted, func(w any) bool { return strings.EqualFold(text(w), text(v)) && (v != nil || w == nil) }) {
			return false
		}
	}
	return true
}

func (sv Services) assert(ctx context.Context, o *outcome, at setting) {
	found, desired, err := sv.property(ctx, o, at)
	if err == nil && !desired {
		err = fmt.Errorf("the property value %s is not among the desired values %s", text(found), text(o.inputs["DesiredValues"]))
	}
	o.err = err
}

func (sv Services) wait(ctx context.Context, o *outcome, at setting) {
	_, desired, err := sv.property(ctx, o, at)
	if err != nil {
		o.err = err
		return
	}
	if !desired {
		o.poll(at)
	}
}

// poll has the step look again, at longer and longer intervals.
func (o *outcome) poll(at setting) {
	n := int64(0)
	if v, ok := at.waited["polls"].(int64); ok {
		n = v
	}
	o.again = min(pollFirst<<min(n, 10), pollLast)
	o.waited = map[string]any{"polls": n + 1}
}

// changeInstance asks EC2 for a state, once, and waits until the instances have it.
func (sv Services) changeInstance(ctx context.Context, o *outcome, at setting) {
	ids, ok := o.inputs["InstanceIds"].([]any)
	state := strings.ToLower(text(o.inputs["DesiredState"]))
	operation := map[string]string{"running": "StartInstances", "stopped": "StopInstances", "terminated": "TerminateInstances"}[state]
	if !ok || len(ids) == 0 || operation == "" {
		o.err = errors.New("the inputs InstanceIds and DesiredState (running, stopped or terminated) are required")
		return
	}
	if at.waited == nil && !strings.EqualFold(text(o.inputs["CheckStateOnly"]), "true") {
		in := map[string]any{"InstanceIds": ids}
		if state == "stopped" && strings.EqualFold(text(o.inputs["Force"]), "true") {
			in["Force"] = true
		}
		if _, o.err = sv.call(ctx, at, "ec2", operation, in); o.err != nil {
			return
		}
	}
	answer, err := sv.call(ctx, at, "ec2", "DescribeInstances", map[string]any{"InstanceIds": ids})
	if err != nil {
		o.err = err
		return
	}
	states := []any{}
	reservations, _ := answer["Reservations"].([]any)
	for _, r := range reservations {
		found, _ := follow(r, []string{"Instances", "*", "State", "Name"}).([]any)
		states = append(states, found...)
	}
	o.answer = map[string]any{"InstanceStates": states}
	if len(states) < len(ids) || !desiredIn(states, []any{state}) {
		o.poll(at)
	}
}
