package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

func registerEventInvokes(s *lambdaapi.Service, f face) {
	s.PutFunctionEventInvokeConfig(f.PutFunctionEventInvokeConfig)
	s.UpdateFunctionEventInvokeConfig(f.UpdateFunctionEventInvokeConfig)
	s.GetFunctionEventInvokeConfig(f.GetFunctionEventInvokeConfig)
	s.ListFunctionEventInvokeConfigs(f.ListFunctionEventInvokeConfigs)
	s.DeleteFunctionEventInvokeConfig(f.DeleteFunctionEventInvokeConfig)
}

func eventInvokeShape(c lambda.EventInvoke) *lambdaapi.FunctionEventInvokeConfig {
	out := &lambdaapi.FunctionEventInvokeConfig{
		FunctionArn: new(c.Ref.ARN()), LastModified: new(c.Modified),
		DestinationConfig: &lambdaapi.DestinationConfig{
			OnSuccess: &lambdaapi.OnSuccess{Destination: model.Optional(c.OnSuccess)}, OnFailure: &lambdaapi.OnFailure{Destination: model.Optional(c.OnFailure)},
		},
	}
	if c.Retries != nil {
		out.MaximumRetryAttempts = new(int32(*c.Retries))
	}
	if c.MaxAge != nil {
		out.MaximumEventAgeInSeconds = new(int32(*c.MaxAge))
	}
	return out
}

// PutFunctionEventInvokeConfig replaces a configuration.
func (f face) PutFunctionEventInvokeConfig(
	ctx context.Context, in *lambdaapi.PutFunctionEventInvokeConfigInput,
) (*lambdaapi.PutFunctionEventInvokeConfigOutput, error) {
	return f.putEventInvoke(ctx, in, false)
}

// UpdateFunctionEventInvokeConfig changes what is given of a configuration.
func (f face) UpdateFunctionEventInvokeConfig(
	ctx context.Context, in *lambdaapi.UpdateFunctionEventInvokeConfigInput,
) (*lambdaapi.UpdateFunctionEventInvokeConfigOutput, error) {
	return f.putEventInvoke(ctx, (*lambdaapi.PutFunctionEventInvokeConfigInput)(in), true)
}

func (f face) putEventInvoke(
	ctx context.Context, in *lambdaapi.PutFunctionEventInvokeConfigInput, merge bool,
) (*lambdaapi.FunctionEventInvokeConfig, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if in.MaximumRetryAttempts == nil && in.MaximumEventAgeInSeconds == nil && in.DestinationConfig == nil {
		return nil, lambdaapi.InvalidParameterValueException("You must specify at least one of error handling or destination setting.")
	}
	c, err := f.functions.PutEventInvoke(ctx, r, merge, func(c *lambda.EventInvoke) {
		if in.MaximumRetryAttempts != nil {
			c.Retries = new(int(*in.MaximumRetryAttempts))
		}
		if in.MaximumEventAgeInSeconds != nil {
			c.MaxAge = new(int(*in.MaximumEventAgeInSeconds))
		}
		if d := in.DestinationConfig; d != nil && d.OnSuccess != nil {
			c.OnSuccess = value(d.OnSuccess.Destination)
		}
		if d := in.DestinationConfig; d != nil && d.OnFailure != nil {
			c.OnFailure = value(d.OnFailure.Destination)
		}
	})
	if err != nil {
		return nil, err
	}
	return eventInvokeShape(c), nil
}

// GetFunctionEventInvokeConfig returns a configuration.
func (f face) GetFunctionEventInvokeConfig(
	ctx context.Context, in *lambdaapi.GetFunctionEventInvokeConfigInput,
) (*lambdaapi.GetFunctionEventInvokeConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	c, err := f.functions.GetEventInvoke(ctx, r)
	if err != nil {
		return nil, err
	}
	return eventInvokeShape(c), nil
}

// ListFunctionEventInvokeConfigs lists the configurations of a function.
func (f face) ListFunctionEventInvokeConfigs(
	ctx context.Context, in *lambdaapi.ListFunctionEventInvokeConfigsInput,
) (*lambdaapi.ListFunctionEventInvokeConfigsOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	found, next, err := f.functions.EventInvokes(ctx, r, value(in.Marker), limit(in.MaxItems, 50))
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionEventInvokeConfigsOutput{FunctionEventInvokeConfigs: []lambdaapi.FunctionEventInvokeConfig{}, NextMarker: model.Optional(next)}
	for _, c := range found {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, *eventInvokeShape(c))
	}
	return out, nil
}

// DeleteFunctionEventInvokeConfig removes a configuration.
func (f face) DeleteFunctionEventInvokeConfig(
	ctx context.Context, in *lambdaapi.DeleteFunctionEventInvokeConfigInput,
) (*lambdaapi.DeleteFunctionEventInvokeConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.DeleteEventInvoke(ctx, r)
}
