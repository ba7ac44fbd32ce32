package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model/lambdaapi"
)

func registerPermissions(s *lambdaapi.Service, f face) {
	s.AddPermission(f.AddPermission)
	s.GetPolicy(f.GetPolicy)
	s.RemovePermission(f.RemovePermission)
}

// AddPermission adds a statement to a policy.
func (f face) AddPermission(ctx context.Context, in *lambdaapi.AddPermissionInput) (*lambdaapi.AddPermissionOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	text, err := f.functions.AddPermission(ctx, r, lambda.Permission{
		Sid: value(in.StatementId), Action: value(in.Action), Principal: value(in.Principal), SourceARN: value(in.SourceArn),
		SourceAccount: value(in.SourceAccount), Token: value(in.EventSourceToken), Organization: value(in.PrincipalOrgID),
		URLAuth: string(in.FunctionUrlAuthType), ViaURL: in.InvokedViaFunctionUrl,
	}, value(in.RevisionId))
	if err != nil {
		return nil, err
	}
	return &lambdaapi.AddPermissionOutput{Statement: &text}, nil
}

// GetPolicy returns a policy.
func (f face) GetPolicy(ctx context.Context, in *lambdaapi.GetPolicyInput) (*lambdaapi.GetPolicyOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	text, revision, err := f.functions.Policy(ctx, r)
	if err != nil {
		return nil, err
	}
	return &lambdaapi.GetPolicyOutput{Policy: &text, RevisionId: &revision}, nil
}

// RemovePermission takes a statement out of a policy.
func (f face) RemovePermission(ctx context.Context, in *lambdaapi.RemovePermissionInput) (*lambdaapi.RemovePermissionOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.RemovePermission(ctx, r, value(in.StatementId), value(in.RevisionId))
}
