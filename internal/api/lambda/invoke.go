package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// Invoke runs a function, or takes an event for it.
func (f face) Invoke(ctx context.Context, in *lambdaapi.InvokeInput) (*lambdaapi.InvokeOutput, error) {
	r, err := invoked(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	switch in.InvocationType {
	case "DryRun":
		return &lambdaapi.InvokeOutput{StatusCode: new(int32(204))}, f.functions.Check(ctx, r)
	case "Event":
		return f.accept(ctx, r, in.Payload)
	}
	client, err := clientContext(in.ClientContext)
	if err != nil {
		return nil, err
	}
	a, err := f.functions.Invoke(ctx, r, lambda.Call{
		RequestID: caller.From(ctx).RequestID, Payload: in.Payload, ClientContext: client, Tail: in.LogType == "Tail",
	})
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.InvokeOutput{StatusCode: new(int32(200)), Payload: a.Payload, FunctionError: model.Optional(a.FunctionError), ExecutedVersion: &a.Version}
	if in.LogType == "Tail" {
		out.LogResult = new(base64.StdEncoding.EncodeToString(a.Log))
	}
	return out, nil
}

// invoked names a function that is to be invoked: one of the account, or one of another
// account whose policy lets the caller in.
func invoked(ctx context.Context, name, qualifier *string) (lambda.Ref, error) {
	r, err := ref(ctx, name, qualifier)
	if p := caller.Place(ctx); r.Account != "" && r.Account != p.Account && caller.MayUse(ctx, r.Account) {
		p.Account = r.Account
		return lambda.Parse(p, value(name), value(qualifier))
	}
	return r, err
}

// accept takes an event; its request id is the one that the function will see.
func (f face) accept(ctx context.Context, r lambda.Ref, payload []byte) (*lambdaapi.InvokeOutput, error) {
	_, err := f.functions.Accept(ctx, lambda.Event{Ref: r, Payload: payload, RequestID: caller.From(ctx).RequestID})
	if err != nil {
		return nil, err
	}
	return &lambdaapi.InvokeOutput{StatusCode: new(int32(202))}, nil
}

// clientContext decodes the header that mobile clients send.
func clientContext(header *string) (string, error) {
	if value(header) == "" {
		return "", nil
	}
	text, err := base64.StdEncoding.DecodeString(*header)
	if err != nil || !json.Valid(text) {
		return "", lambdaapi.InvalidRequestContentException("Client context must be a valid Base64-encoded JSON object.")
	}
	return string(text), nil
}

// InvokeAsync is the old way to hand in an event.
func (f face) InvokeAsync(ctx context.Context, in *lambdaapi.InvokeAsyncInput) (*lambdaapi.InvokeAsyncOutput, error) {
	r, err := invoked(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := f.accept(ctx, r, in.InvokeArgs); err != nil {
		return nil, err
	}
	return &lambdaapi.InvokeAsyncOutput{Status: new(int32(202))}, nil
}
