package lambda

import (
	"context"
	"net/url"

	"github.com/google/uuid"

	"plumb/internal/caller"
	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

func registerFunctions(s *lambdaapi.Service, f face) {
	s.CreateFunction(f.CreateFunction)
	s.GetFunction(f.GetFunction)
	s.GetFunctionConfiguration(f.GetFunctionConfiguration)
	s.ListFunctions(f.ListFunctions)
	s.UpdateFunctionCode(f.UpdateFunctionCode)
	s.UpdateFunctionConfiguration(f.UpdateFunctionConfiguration)
	s.DeleteFunction(f.DeleteFunction)
	s.GetFunctionCodeSigningConfig(f.GetFunctionCodeSigningConfig)
}

// CreateFunction makes a function of a zip file.
func (f face) CreateFunction(ctx context.Context, in *lambdaapi.CreateFunctionInput) (*lambdaapi.CreateFunctionOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if len(r.Name) > 64 {
		return nil, lambdaapi.InvalidParameterValueException("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64", r.Name)
	}
	fn := lambda.Function{Place: r.Place, Name: r.Name, Settings: lambda.Defaults(r.Name), Tags: in.Tags}
	if err := checkPackage(in); err != nil {
		return nil, err
	}
	if err := apply(&fn, settingsOf(in)); err != nil {
		return nil, err
	}
	if err := lambda.CheckTags(in.Tags); err != nil {
		return nil, err
	}
	from, err := source(in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion)
	if err != nil {
		return nil, err
	}
	made, err := f.functions.Create(ctx, fn, from, value(in.Publish))
	if err != nil {
		return nil, err
	}
	return pending(configuration(made, arnOf(made))), nil
}

// pending is how a version looks right after it was made.
func pending(c *lambdaapi.FunctionConfiguration) *lambdaapi.FunctionConfiguration {
	c.State, c.StateReason, c.StateReasonCode = "Pending", new("The function is being created."), "Creating"
	c.LastUpdateStatus = ""
	c.RevisionId = new(uuid.NewString()) // another one when it is active
	return c
}

// updating is how the latest version looks right after it was changed.
func updating(c *lambdaapi.FunctionConfiguration) *lambdaapi.FunctionConfiguration {
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "InProgress", new("The function is being created."), "Creating"
	c.RevisionId = new(uuid.NewString())
	return c
}

// checkPackage refuses what this server does not run.
func checkPackage(in *lambdaapi.CreateFunctionInput) error {
	switch {
	case in.PackageType == "Image" || in.Code.ImageUri != nil:
		return lambdaapi.InvalidParameterValueException("This server runs functions from zip files only: PackageType Image is not supported.")
	case in.Runtime == "" || in.Handler == nil:
		return lambdaapi.InvalidParameterValueException("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	case in.CodeSigningConfigArn != nil || in.CapacityProviderConfig != nil || in.DurableConfig != nil || in.TenancyConfig != nil:
		return lambdaapi.InvalidParameterValueException("This server does not support code signing, capacity providers, durable functions and tenant isolation.")
	}
	return nil
}

// source reads where code comes from.
func source(zip []byte, bucket, key, version *string) (lambda.Source, error) {
	switch {
	case bucket != nil && key != nil && zip == nil:
		return lambda.Source{Bucket: *bucket, Key: *key, Version: value(version)}, nil
	case zip == nil:
		return lambda.Source{}, lambdaapi.InvalidParameterValueException("Please provide a source for function code.")
	case bucket != nil || key != nil:
		return lambda.Source{}, lambdaapi.InvalidParameterValueException("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	}
	return lambda.Source{Zip: zip}, nil
}

// GetFunction returns a version with a link to its code.
func (f face) GetFunction(ctx context.Context, in *lambdaapi.GetFunctionInput) (*lambdaapi.GetFunctionOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Get(ctx, r)
	if err != nil {
		return nil, err
	}
	whole, err := f.functions.Function(ctx, r)
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.GetFunctionOutput{
		Configuration: configuration(fn, r.ARN()),
		Code:          &lambdaapi.FunctionCodeLocation{RepositoryType: new("S3"), Location: new(f.codeURL(ctx, fn))},
	}
	if len(whole.Tags) > 0 {
		out.Tags = whole.Tags
	}
	if whole.Reserved != nil {
		out.Concurrency = &lambdaapi.Concurrency{ReservedConcurrentExecutions: new(int32(*whole.Reserved))}
	}
	return out, nil
}

// codeURL is where this server gives out the zip file for ten minutes.
func (f face) codeURL(ctx context.Context, fn lambda.Function) string {
	expires, signature := f.functions.CodeLink(fn.CodeSHA)
	q := url.Values{"expires": {expires}, "signature": {signature}}
	return caller.From(ctx).Endpoint + CodePath + fn.CodeSHA + "?" + q.Encode()
}

// GetFunctionConfiguration returns a version.
func (f face) GetFunctionConfiguration(
	ctx context.Context, in *lambdaapi.GetFunctionConfigurationInput,
) (*lambdaapi.GetFunctionConfigurationOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Get(ctx, r)
	if err != nil {
		return nil, err
	}
	return configuration(fn, r.ARN()), nil
}

// ListFunctions lists functions, or all versions of all functions.
func (f face) ListFunctions(ctx context.Context, in *lambdaapi.ListFunctionsInput) (*lambdaapi.ListFunctionsOutput, error) {
	all := in.FunctionVersion == "ALL"
	found, next, err := f.functions.List(ctx, caller.Place(ctx), all, value(in.Marker), limit(in.MaxItems, 50))
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListFunctionsOutput{Functions: []lambdaapi.FunctionConfiguration{}, NextMarker: model.Optional(next)}
	for _, fn := range found {
		name := fn.ARN()
		if all {
			name = fn.QualifiedARN()
		}
		out.Functions = append(out.Functions, *listed(configuration(fn, name)))
	}
	return out, nil
}

// DeleteFunction removes a function or one of its versions.
func (f face) DeleteFunction(ctx context.Context, in *lambdaapi.DeleteFunctionInput) (*lambdaapi.DeleteFunctionOutput, error) {
	r, err := ref(ctx, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := f.functions.Delete(ctx, r); err != nil {
		return nil, err
	}
	return &lambdaapi.DeleteFunctionOutput{StatusCode: new(int32(204))}, nil
}

// GetFunctionCodeSigningConfig says that there is none, which clients ask of
// every function.
func (f face) GetFunctionCodeSigningConfig(
	ctx context.Context, in *lambdaapi.GetFunctionCodeSigningConfigInput,
) (*lambdaapi.GetFunctionCodeSigningConfigOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := f.functions.Function(ctx, r); err != nil {
		return nil, err
	}
	return &lambdaapi.GetFunctionCodeSigningConfigOutput{FunctionName: new(r.Name)}, nil
}
