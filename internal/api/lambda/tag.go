package lambda

import (
	"context"

	"plumb/internal/lambda"
	"plumb/internal/model/lambdaapi"
)

func registerTags(s *lambdaapi.Service, f face) {
	s.TagResource(f.TagResource)
	s.UntagResource(f.UntagResource)
	s.ListTags(f.ListTags)
}

// tagged reads the ARN of what has tags: a function as a whole.
func tagged(ctx context.Context, arn *string) (lambda.Ref, error) {
	r, err := ref(ctx, arn, nil)
	if err == nil && r.Qualifier != "" {
		err = lambdaapi.InvalidParameterValueException("Tags on function aliases and versions are not supported. Please specify a function ARN.")
	}
	return r, err
}

// TagResource adds tags.
func (f face) TagResource(ctx context.Context, in *lambdaapi.TagResourceInput) (*lambdaapi.TagResourceOutput, error) {
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, lambdaapi.InvalidParameterValueException("An error occurred and the request cannot be processed.")
	}
	return nil, f.functions.Tag(ctx, r, in.Tags)
}

// UntagResource takes tags off.
func (f face) UntagResource(ctx context.Context, in *lambdaapi.UntagResourceInput) (*lambdaapi.UntagResourceOutput, error) {
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.Untag(ctx, r, in.TagKeys)
}

// ListTags returns the tags.
func (f face) ListTags(ctx context.Context, in *lambdaapi.ListTagsInput) (*lambdaapi.ListTagsOutput, error) {
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Function(ctx, r)
	if err != nil {
		return nil, err
	}
	tags := fn.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return &lambdaapi.ListTagsOutput{Tags: tags}, nil
}
