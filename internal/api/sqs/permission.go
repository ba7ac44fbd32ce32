package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/model/sqsapi"
	"plumb/internal/queue"
)

// A policyDocument is a queue's policy as far as permissions change it.
type policyDocument struct {
	Version   string           `json:"Version"`
	ID        string           `json:"Id,omitempty"`
	Statement []map[string]any `json:"Statement"`
}

// AddPermission adds a statement to a queue's policy.
func (f face) AddPermission(ctx context.Context, in *sqsapi.AddPermissionInput) (*sqsapi.AddPermissionOutput, error) {
	return nil, f.changePolicy(ctx, in.QueueUrl, func(q *queue.Queue, p *policyDocument) error {
		if p.find(deref(in.Label)) >= 0 {
			return invalid("Value %s for parameter Label is invalid. Reason: Already exists.", deref(in.Label))
		}
		var principals, actions []string
		for _, a := range in.AWSAccountIds {
			if !arn.IsAccount(a) {
				return invalid("Value %s for parameter PrincipalId is invalid. Reason: Unable to verify.", a)
			}
			principals = append(principals, fmt.Sprintf("arn:%s:iam::%s:root", arn.Partition(q.Region), a))
		}
		for _, a := range in.Actions {
			actions = append(actions, "SQS:"+strings.TrimPrefix(a, "SQS:"))
		}
		p.Statement = append(p.Statement, map[string]any{
			"Sid": deref(in.Label), "Effect": "Allow", "Principal": map[string]any{"AWS": principals}, "Action": actions, "Resource": q.ARN(),
		})
		return nil
	})
}

// RemovePermission removes a statement from a queue's policy.
func (f face) RemovePermission(ctx context.Context, in *sqsapi.RemovePermissionInput) (*sqsapi.RemovePermissionOutput, error) {
	return nil, f.changePolicy(ctx, in.QueueUrl, func(_ *queue.Queue, p *policyDocument) error {
		i := p.find(deref(in.Label))
		if i < 0 {
			return invalid("Value %s for parameter Label is invalid. Reason: can't find label on existing policy.", deref(in.Label))
		}
		p.Statement = append(p.Statement[:i], p.Statement[i+1:]...)
		return nil
	})
}

func (p *policyDocument) find(sid string) int {
	for i, s := range p.Statement {
		if s["Sid"] == sid {
			return i
		}
	}
	return -1
}

func (f face) changePolicy(ctx context.Context, queueURL *string, change func(*queue.Queue, *policyDocument) error) error {
	q, err := f.find(ctx, queueURL)
	if err != nil {
		return err
	}
	return f.store.Change(ctx, q, func(q *queue.Queue) error {
		p := policyDocument{Version: "2008-10-17", ID: q.ARN() + "/SQSDefaultPolicy"}
		if text := q.Attributes["Policy"]; text != "" {
			if err := json.Unmarshal([]byte(text), &p); err != nil {
				return invalid("The queue's policy is not one that permissions can be added to.")
			}
		}
		if err := change(q, &p); err != nil {
			return err
		}
		if len(p.Statement) == 0 {
			delete(q.Attributes, "Policy")
			return nil
		}
		b, err := json.Marshal(p)
		q.Attributes["Policy"] = string(b)
		return err
	})
}
