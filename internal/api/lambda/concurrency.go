package lambda

import (
	"context"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/lambda/code"
	"plumb/internal/model/lambdaapi"
)

func registerConcurrency(s *lambdaapi.Service, f face) {
	s.PutFunctionConcurrency(f.PutFunctionConcurrency)
	s.GetFunctionConcurrency(f.GetFunctionConcurrency)
	s.DeleteFunctionConcurrency(f.DeleteFunctionConcurrency)
	s.GetAccountSettings(f.GetAccountSettings)
}

// whole reads the name of a function as a whole.
func whole(ctx context.Context, name *string) (lambda.Ref, error) {
	r, err := ref(ctx, name, nil)
	if err == nil && r.Qualifier != "" {
		err = lambdaapi.InvalidParameterValueException("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return r, err
}

// PutFunctionConcurrency reserves concurrency.
func (f face) PutFunctionConcurrency(ctx context.Context, in *lambdaapi.PutFunctionConcurrencyInput) (*lambdaapi.PutFunctionConcurrencyOutput, error) {
	r, err := whole(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	if err := f.functions.Reserve(ctx, r, new(int(value(in.ReservedConcurrentExecutions)))); err != nil {
		return nil, err
	}
	return &lambdaapi.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: in.ReservedConcurrentExecutions}, nil
}

// GetFunctionConcurrency returns the reserved concurrency, if there is any.
func (f face) GetFunctionConcurrency(ctx context.Context, in *lambdaapi.GetFunctionConcurrencyInput) (*lambdaapi.GetFunctionConcurrencyOutput, error) {
	r, err := whole(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Function(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.GetFunctionConcurrencyOutput{}
	if fn.Reserved != nil {
		out.ReservedConcurrentExecutions = new(int32(*fn.Reserved))
	}
	return out, nil
}

// DeleteFunctionConcurrency takes the reservation away.
func (f face) DeleteFunctionConcurrency(
	ctx context.Context, in *lambdaapi.DeleteFunctionConcurrencyInput,
) (*lambdaapi.DeleteFunctionConcurrencyOutput, error) {
	r, err := whole(ctx, in.FunctionName)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.Reserve(ctx, r, nil)
}

// GetAccountSettings returns limits and usage.
func (f face) GetAccountSettings(ctx context.Context, _ *lambdaapi.GetAccountSettingsInput) (*lambdaapi.GetAccountSettingsOutput, error) {
	total, unreserved, err := f.functions.Concurrency(ctx, caller.Place(ctx))
	if err != nil {
		return nil, err
	}
	count, size, err := f.functions.Usage(ctx, caller.Place(ctx))
	if err != nil {
		return nil, err
	}
	return &lambdaapi.GetAccountSettingsOutput{
		AccountLimit: &lambdaapi.AccountLimit{
			TotalCodeSize: new(int64(lambda.MaxCode)), CodeSizeUnzipped: new(int64(code.MaxUnzipped)), CodeSizeZipped: new(int64(lambda.MaxZip)),
			ConcurrentExecutions: new(int32(total)), UnreservedConcurrentExecutions: new(int32(unreserved)),
		},
		AccountUsage: &lambdaapi.AccountUsage{TotalCodeSize: &size, FunctionCount: &count},
	}, nil
}
