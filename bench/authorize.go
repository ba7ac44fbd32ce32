package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"plumb/internal/app"
	"plumb/internal/awsclient"
	"plumb/internal/settings"
)

const (
	rootKey, rootSecret = "AKIABENCHROOT", "secret of the bench"
	benchUser           = "least"
	benchQueue          = "asked"
	authorizeGoal       = 0.85 // of what a server does that asks no policy
)

// leastPrivilege lets a user do what is measured, and a few things more.
const leastPrivilege = `{"Version": "2012-10-17", "Statement": [
	{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "arn:aws:s3:::logs-*"},
	{"Effect": "Allow", "Action": "config:Describe*", "Resource": "*"},
	{"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueAttributes"], "Resource": "arn:aws:sqs:*:` + benchAccount + `:ask*",
		"Condition": {"StringEquals": {"aws:PrincipalAccount": "` + benchAccount + `"}}},
	{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "` + benchRegion + `"}}}]}`

// A signedServer is a Plumb in server mode, and a user of it who has a policy.
type signedServer struct {
	app    *app.App
	client *http.Client
	keys   [2]string // id and secret
}

// authorize measures signed requests of a user while policies are asked, against the same
// while none are. Requests are signed beforehand: a client's signing would be most of what
// is measured.
func authorize(ctx context.Context, b *bench) error {
	on, err := b.newSignedServer(ctx, "enforce")
	if err != nil {
		return err
	}
	off, err := b.newSignedServer(ctx, "off")
	if err != nil {
		return err
	}
	for _, op := range []struct{ service, target, body string }{
		{"config", "StarlingDoveService.DescribeConfigRules", `{}`},
		{"sqs", "AmazonSQS.GetQueueAttributes", `{"QueueUrl": "http://localhost/` + benchAccount + `/` + benchQueue + `", "AttributeNames": ["All"]}`},
	} {
		r, err := b.compare(ctx, on.ask(b.clients, op.service, op.target, op.body), off.ask(b.clients, op.service, op.target, op.body))
		if err != nil {
			return fmt.Errorf("%s: %w", op.target, err)
		}
		b.table.race(fmt.Sprintf("signed %s with policies, %d clients", op.target, b.clients), "calls/s", r, authorizeGoal)
	}
	return nil
}

// newSignedServer starts a server, and makes a queue and a user with a policy.
func (b *bench) newSignedServer(ctx context.Context, iam string) (*signedServer, error) {
	s, err := b.settings(ctx)
	if err != nil {
		return nil, err
	}
	s.Mode, s.IAM, s.AccessKeys = settings.Server, iam, []settings.AccessKey{{ID: rootKey, Secret: rootSecret, Account: benchAccount}}
	if err := s.Check(); err != nil {
		return nil, err
	}
	a, err := b.start(ctx, s)
	if err != nil {
		return nil, err
	}
	root := awsclient.New(awsclient.Options{Region: benchRegion, Endpoint: a.URL(), Credentials: awsclient.Static(rootKey, rootSecret, ""), Attempts: 1})
	var out map[string]any
	for _, call := range []struct {
		service, operation string
		in                 map[string]any
	}{
		{"sqs", "CreateQueue", map[string]any{"QueueName": benchQueue}},
		{"iam", "CreateUser", map[string]any{"UserName": benchUser}},
		{"iam", "PutUserPolicy", map[string]any{"UserName": benchUser, "PolicyName": "p", "PolicyDocument": leastPrivilege}},
		{"iam", "CreateAccessKey", map[string]any{"UserName": benchUser}},
	} {
		if out, err = root.Call(ctx, call.service, call.operation, call.in); err != nil {
			return nil, err
		}
	}
	key, _ := out["AccessKey"].(map[string]any)
	id, _ := key["AccessKeyId"].(string)
	secret, _ := key["SecretAccessKey"].(string)
	return &signedServer{a, newClient(), [2]string{id, secret}}, nil
}

// ask has clients send a request again and again, which is signed once for a few calls each.
func (s *signedServer) ask(clients int, service, target, body string) act {
	return func(ctx context.Context) (int, error) {
		signed, err := http.NewRequestWithContext(ctx, "POST", s.app.URL()+"/", nil)
		if err != nil {
			return 0, err
		}
		signed.Header.Set("X-Amz-Target", target)
		signed.Header.Set("Content-Type", "application/x-amz-json-1.0")
		if service == "config" {
			signed.Header.Set("Content-Type", "application/x-amz-json-1.1")
		}
		err = awsclient.Sign(ctx, signed, []byte(body), awsclient.Static(s.keys[0], s.keys[1], ""), service, benchRegion, time.Now())
		if err != nil {
			return 0, err
		}
		return together(clients, func(ctx context.Context) error {
			r := signed.Clone(ctx)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader([]byte(body))), int64(len(body))
			_, err := do(s.client, r)
			return err
		})(ctx)
	}
}
