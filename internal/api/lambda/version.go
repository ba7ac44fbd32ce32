package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

func registerVersions(s *lambdaapi.Service, f face) {
	s.PublishVersion(f.PublishVersion)
	s.ListVersionsByFunction(f.ListVersionsByFunction)
}

// PublishVersion makes a version of the latest one.
func (f face) PublishVersion(ctx context.Context, in *lambdaapi.PublishVersionInput) (*lambdaapi.PublishVersionOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Publish(ctx, r, lambda.Publication{
		CodeSha256: value(in.CodeSha256), Revision: value(in.RevisionId), Description: value(in.Description),
	})
	if err != nil {
		return nil, err
	}
	return configuration(fn, fn.QualifiedARN()), nil
}

// ListVersionsByFunction lists the versions of a function, the latest first.
func (f face) ListVersionsByFunction(ctx context.Context, in *lambdaapi.ListVersionsByFunctionInput) (*lambdaapi.ListVersionsByFunctionOutput, error) {
	r, err := ref(ctx, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	found, next, err := f.functions.Versions(ctx, r, value(in.Marker), limit(in.MaxItems, 50))
	if err != nil {
		return nil, err
	}
	out := &lambdaapi.ListVersionsByFunctionOutput{Versions: []lambdaapi.FunctionConfiguration{}, NextMarker: model.Optional(next)}
	for _, fn := range found {
		out.Versions = append(out.Versions, *listed(configuration(fn, fn.QualifiedARN())))
	}
	return out, nil
}
