package config

import (
	"context"
	"fmt"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type conformancePacks struct{ Options }

func (c conformancePacks) register(s *configapi.Service) {
	s.PutConformancePack(c.PutConformancePack)
	s.DeleteConformancePack(c.DeleteConformancePack)
	s.DescribeConformancePacks(c.DescribeConformancePacks)
	s.DescribeConformancePackStatus(c.DescribeConformancePackStatus)
}

// PutConformancePack keeps a pack and has it deployed, which takes place after the
// answer.
func (c conformancePacks) PutConformancePack(
	ctx context.Context, in *configapi.PutConformancePackInput,
) (*configapi.PutConformancePackOutput, error) {
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	d := conformance.Definition{
		ConformancePack: packFromShape(caller.Place(ctx), in), Tags: tags,
		Source: conformance.Source{Body: in.TemplateBody, S3URI: in.TemplateS3Uri},
	}
	arn, err := c.Packs.Put(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("put conformance pack %s: %w", d.Name, err)
	}
	return &configapi.PutConformancePackOutput{ConformancePackArn: &arn}, nil
}

func packFromShape(p config.Place, in *configapi.PutConformancePackInput) config.ConformancePack {
	out := config.ConformancePack{
		Place: p, Name: *in.ConformancePackName, DeliveryBucket: text(in.DeliveryS3Bucket), DeliveryPrefix: text(in.DeliveryS3KeyPrefix),
		Parameters: packParameters(in.ConformancePackInputParameters),
	}
	if d := in.TemplateSSMDocumentDetails; d != nil {
		out.Document = &config.PackDocument{Name: text(d.DocumentName), Version: text(d.DocumentVersion)}
	}
	return out
}

func packParameters(in []configapi.ConformancePackInputParameter) (out []config.PackParameter) {
	for _, v := range in {
		out = append(out, config.PackParameter{Name: text(v.ParameterName), Value: text(v.ParameterValue)})
	}
	return out
}

func packParameterShapes(in []config.PackParameter) []configapi.ConformancePackInputParameter {
	out := []configapi.ConformancePackInputParameter{}
	for _, v := range in {
		out = append(out, configapi.ConformancePackInputParameter{ParameterName: &v.Name, ParameterValue: &v.Value})
	}
	return out
}

// DeleteConformancePack has a pack vanish, with its rules and their results.
func (c conformancePacks) DeleteConformancePack(
	ctx context.Context, in *configapi.DeleteConformancePackInput,
) (*configapi.DeleteConformancePackOutput, error) {
	if err := c.Packs.Delete(ctx, caller.Place(ctx), *in.ConformancePackName, ""); err != nil {
		return nil, fmt.Errorf("delete conformance pack %s: %w", *in.ConformancePackName, err)
	}
	return &configapi.DeleteConformancePackOutput{}, nil
}

// packPage is how many packs a page has.
const packPage = 20

// packs returns a page of the packs of those names, or of all, in byte order of
// their names, and the name that the next page begins after. Names that there are
// not are told to unknown, which may refuse them.
func packs(
	ctx context.Context, tx *db.Tx, names []string, after string, n int, unknown func(error) error,
) (page []store.PackWithStatus, next string, err error) {
	if len(names) == 0 {
		page, err = store.ConformancePacks(ctx, tx, caller.Place(ctx), after, n+1)
		if err != nil {
			return nil, "", err
		}
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		pack, err := conformance.Named(ctx, tx, caller.Place(ctx), name)
		if err != nil {
			if err := unknown(err); err != nil {
				return nil, "", err
			}
			continue
		}
		if name > after {
			page = append(page, pack)
		}
	}
	if len(page) > n {
		page, next = page[:n], page[n-1].Name
	}
	return page, next, nil
}

// refused returns the error of an unknown name.
func refused(err error) error { return err }

// DescribeConformancePacks returns packs as they were put, without their
// templates.
func (c conformancePacks) DescribeConformancePacks(
	ctx context.Context, in *configapi.DescribeConformancePacksInput,
) (*configapi.DescribeConformancePacksOutput, error) {
	filters := append([]string{caller.Place(ctx).String()}, in.ConformancePackNames...)
	after, ok := c.Tokens.Decode("DescribeConformancePacks", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	out := &configapi.DescribeConformancePacksOutput{ConformancePackDetails: []configapi.ConformancePackDetail{}}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		page, next, err := packs(ctx, tx, in.ConformancePackNames, after, limit(in.Limit, packPage), refused)
		for _, p := range page {
			out.ConformancePackDetails = append(out.ConformancePackDetails, packShape(p))
		}
		if next != "" {
			out.NextToken = new(c.Tokens.Encode("DescribeConformancePacks", next, filters...))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("describe conformance packs: %w", err)
	}
	return out, nil
}

func packShape(p store.PackWithStatus) configapi.ConformancePackDetail {
	out := configapi.ConformancePackDetail{
		ConformancePackName: &p.Name, ConformancePackArn: &p.ARN, ConformancePackId: &p.ID, CreatedBy: optional(p.CreatedBy),
		DeliveryS3Bucket: optional(p.DeliveryBucket), DeliveryS3KeyPrefix: optional(p.DeliveryPrefix),
		ConformancePackInputParameters: packParameterShapes(p.Parameters), LastUpdateRequestedTime: model.Moment(p.Status.Requested),
	}
	if d := p.Document; d != nil {
		out.TemplateSSMDocumentDetails = &configapi.TemplateSSMDocumentDetails{DocumentName: &d.Name, DocumentVersion: optional(d.Version)}
	}
	return out
}

// DescribeConformancePackStatus tells how the deployment of packs fares. Names that
// there are not are left out: the operation has no error for them.
func (c conformancePacks) DescribeConformancePackStatus(
	ctx context.Context, in *configapi.DescribeConformancePackStatusInput,
) (*configapi.DescribeConformancePackStatusOutput, error) {
	filters := append([]string{caller.Place(ctx).String()}, in.ConformancePackNames...)
	after, ok := c.Tokens.Decode("DescribeConformancePackStatus", text(in.NextToken), filters...)
	if !ok {
		return nil, invalidNextToken()
	}
	out := &configapi.DescribeConformancePackStatusOutput{ConformancePackStatusDetails: []configapi.ConformancePackStatusDetail{}}
	err := c.DB.Read(ctx, func(tx *db.Tx) error {
		page, next, err := packs(ctx, tx, in.ConformancePackNames, after, limit(in.Limit, packPage), unlessUnknown)
		if err != nil {
			return err
		}
		for _, p := range page {
			rules, err := store.PackRules(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			out.ConformancePackStatusDetails = append(out.ConformancePackStatusDetails, packStatusShape(p, c.Packs.Reason(p, rules)))
		}
		if next != "" {
			out.NextToken = new(c.Tokens.Encode("DescribeConformancePackStatus", next, filters...))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe conformance pack status: %w", err)
	}
	return out, nil
}

// unlessUnknown drops the error of an unknown name.
func unlessUnknown(err error) error {
	if model.IsCode(err, "NoSuchConformancePackException") {
		return nil
	}
	return err
}

func packStatusShape(p store.PackWithStatus, reason string) configapi.ConformancePackStatusDetail {
	return configapi.ConformancePackStatusDetail{
		ConformancePackName: &p.Name, ConformancePackId: &p.ID, ConformancePackArn: &p.ARN, StackArn: &p.StackARN,
		ConformancePackState: configapi.ConformancePackState(p.Status.State), ConformancePackStatusReason: optional(reason),
		LastUpdateRequestedTime: &p.Status.Requested, LastUpdateCompletedTime: model.Moment(p.Status.Completed),
	}
}
