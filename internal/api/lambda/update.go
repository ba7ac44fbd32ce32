package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model/lambdaapi"
)

// UpdateFunctionCode replaces the code of the latest version.
func (f face) UpdateFunctionCode(ctx context.Context, in *lambdaapi.UpdateFunctionCodeInput) (*lambdaapi.UpdateFunctionCodeOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if in.ImageUri != nil {
		return nil, lambdaapi.InvalidParameterValueException("This server runs functions from zip files only: ImageUri is not supported.")
	}
	from, err := source(in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion)
	if err != nil {
		return nil, err
	}
	c := lambda.Change{Revision: value(in.RevisionId), Code: &from, Publish: value(in.Publish), DryRun: value(in.DryRun)}
	if in.Architectures != nil {
		c.Settings = func(fn *lambda.Function) error { return setArchitecture(fn, in.Architectures) }
	}
	return f.update(ctx, r, c)
}

// UpdateFunctionConfiguration changes the given settings of the latest version.
func (f face) UpdateFunctionConfiguration(
	ctx context.Context, in *lambdaapi.UpdateFunctionConfigurationInput,
) (*lambdaapi.UpdateFunctionConfigurationOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return f.update(ctx, r, lambda.Change{Revision: value(in.RevisionId), Settings: func(fn *lambda.Function) error {
		return apply(fn, settings{
			Runtime: in.Runtime, Handler: in.Handler, Role: in.Role, Description: in.Description, Timeout: in.Timeout, MemorySize: in.MemorySize,
			Ephemeral: in.EphemeralStorage, Environment: in.Environment, DeadLetter: in.DeadLetterConfig, Tracing: in.TracingConfig,
			KMSKey: in.KMSKeyArn, SnapStart: in.SnapStart, Logging: in.LoggingConfig, VPC: in.VpcConfig, Layers: in.Layers, FileSystems: in.FileSystemConfigs,
		})
	}})
}

func (f face) update(ctx context.Context, r lambda.Ref, c lambda.Change) (*lambdaapi.FunctionConfiguration, error) {
	fn, err := f.functions.Update(ctx, r, c)
	if err != nil {
		return nil, err
	}
	out := configuration(fn, arnOf(fn))
	switch {
	case c.DryRun:
		return out, nil
	case fn.Version != lambda.Latest:
		return pending(out), nil
	}
	return updating(out), nil
}
