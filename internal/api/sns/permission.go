package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"plumb/internal/arn"
	"plumb/internal/model"
	"plumb/internal/model/snsapi"
	"plumb/internal/topic"
)

func isNotFound(err error) bool { return model.IsCode(err, "NotFound") }

// A policyDocument is a topic's policy as far as permissions change it.
type policyDocument struct {
	Version   string           `json:"Version"`
	ID        string           `json:"Id,omitempty"`
	Statement []map[string]any `json:"Statement"`
}

// AddPermission adds a statement to a topic's policy.
func (f face) AddPermission(ctx context.Context, in *snsapi.AddPermissionInput) (*snsapi.AddPermissionOutput, error) {
	return nil, f.changePolicy(ctx, in.TopicArn, func(t *topic.Topic, p *policyDocument) error {
		if slices.ContainsFunc(p.Statement, func(s map[string]any) bool { return s["Sid"] == deref(in.Label) }) {
			return invalid("Statement already exists")
		}
		var principals, actions []string
		for _, a := range in.AWSAccountId {
			if !arn.IsAccount(a) {
				return invalid("AWSAccountId")
			}
			principals = append(principals, fmt.Sprintf("arn:%s:iam::%s:root", arn.Partition(t.Region), a))
		}
		for _, a := range in.ActionName {
			actions = append(actions, "SNS:"+a)
		}
		p.Statement = append(p.Statement, map[string]any{
			"Sid": deref(in.Label), "Effect": "Allow", "Principal": map[string]any{"AWS": principals}, "Action": actions, "Resource": t.ARN(),
		})
		return nil
	})
}

// RemovePermission removes a statement from a topic's policy.
func (f face) RemovePermission(ctx context.Context, in *snsapi.RemovePermissionInput) (*snsapi.RemovePermissionOutput, error) {
	return nil, f.changePolicy(ctx, in.TopicArn, func(_ *topic.Topic, p *policyDocument) error {
		p.Statement = slices.DeleteFunc(p.Statement, func(s map[string]any) bool { return s["Sid"] == deref(in.Label) })
		return nil
	})
}

func (f face) changePolicy(ctx context.Context, topicARN *string, change func(*topic.Topic, *policyDocument) error) error {
	if err := own(ctx, topicARN, "TopicArn"); err != nil {
		return err
	}
	return f.store.Change(ctx, *topicARN, func(t *topic.Topic) error {
		var p policyDocument
		if err := json.Unmarshal([]byte(topic.PolicyOf(*t)), &p); err != nil {
			return invalid("Policy")
		}
		if err := change(t, &p); err != nil {
			return err
		}
		b, err := json.Marshal(p)
		t.Attributes["Policy"] = string(b)
		return err
	})
}
