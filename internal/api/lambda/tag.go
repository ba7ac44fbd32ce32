package lambda

import (
	"context"
	"maps"

	"plumb/internal/caller"
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

// tagMapping changes the tags of an event source mapping, if an ARN is one's.
func (f face) tagMapping(ctx context.Context, text string, change func(tags map[string]string)) (is bool, err error) {
	id, is := mappingID(text)
	if !is {
		return false, nil
	}
	return true, f.mappings.Tag(ctx, caller.Place(ctx), id, func(tags map[string]string) (map[string]string, error) {
		if tags == nil {
			tags = map[string]string{}
		}
		change(tags)
		return tags, lambda.CheckTags(tags)
	})
}

// TagResource adds tags.
func (f face) TagResource(ctx context.Context, in *lambdaapi.TagResourceInput) (*lambdaapi.TagResourceOutput, error) {
	if is, err := f.tagMapping(ctx, value(in.Resource), func(tags map[string]string) { maps.Copy(tags, in.Tags) }); is {
		return nil, err
	}
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
	is, err := f.tagMapping(ctx, value(in.Resource), func(tags map[string]string) {
		for _, k := range in.TagKeys {
			delete(tags, k)
		}
	})
	if is {
		return nil, err
	}
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	return nil, f.functions.Untag(ctx, r, in.TagKeys)
}

// ListTags returns the tags.
func (f face) ListTags(ctx context.Context, in *lambdaapi.ListTagsInput) (*lambdaapi.ListTagsOutput, error) {
	if id, is := mappingID(value(in.Resource)); is {
		m, err := f.mappings.Get(ctx, caller.Place(ctx), id)
		if err != nil {
			return nil, err
		}
		return &lambdaapi.ListTagsOutput{Tags: orEmpty(m.Tags)}, nil
	}
	r, err := tagged(ctx, in.Resource)
	if err != nil {
		return nil, err
	}
	fn, err := f.functions.Function(ctx, r)
	if err != nil {
		return nil, err
	}
	return &lambdaapi.ListTagsOutput{Tags: orEmpty(fn.Tags)}, nil
}

func orEmpty(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}
