package config

import (
	"context"
	"fmt"

	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/conformance"
	"plumb/internal/db"
	"plumb/internal/deployment"
	"plumb/internal/model/configapi"
	"plumb/internal/store"
)

type organizationConformancePacks struct {
	deploymentList[config.OrganizationPack]
}

func newOrganizationConformancePacks(o Options) organizationConformancePacks {
	return organizationConformancePacks{deploymentList[config.OrganizationPack]{o, deployment.Pack, store.OrganizationPacks,
		func(p config.OrganizationPack) config.OrganizationDeployment { return p.OrganizationDeployment }}}
}

func (o organizationConformancePacks) register(s *configapi.Service) {
	s.PutOrganizationConformancePack(o.PutOrganizationConformancePack)
	s.DescribeOrganizationConformancePacks(o.DescribeOrganizationConformancePacks)
	s.DescribeOrganizationConformancePackStatuses(o.DescribeOrganizationConformancePackStatuses)
	s.GetOrganizationConformancePackDetailedStatus(o.GetOrganizationConformancePackDetailedStatus)
	s.DeleteOrganizationConformancePack(o.DeleteOrganizationConformancePack)
}

// PutOrganizationConformancePack has every member of the organization carry a pack.
func (o organizationConformancePacks) PutOrganizationConformancePack(
	ctx context.Context, in *configapi.PutOrganizationConformancePackInput,
) (*configapi.PutOrganizationConformancePackOutput, error) {
	tags, err := tagsFromShape(in.Tags)
	if err != nil {
		return nil, err
	}
	pack := config.OrganizationPack{
		OrganizationDeployment: config.OrganizationDeployment{
			Place: caller.Place(ctx), Kind: config.DeployedPack, Name: *in.OrganizationConformancePackName, Excluded: in.ExcludedAccounts,
		},
		DeliveryBucket: text(in.DeliveryS3Bucket), DeliveryPrefix: text(in.DeliveryS3KeyPrefix),
		Parameters: packParameters(in.ConformancePackInputParameters),
	}
	err = o.DB.Read(ctx, func(tx *db.Tx) error {
		_, err := deployment.Administered(ctx, tx, pack.Account)
		return err
	})
	if err != nil {
		return nil, err
	}
	template, err := o.Deployment.CheckPack(ctx, pack, conformance.Source{Body: in.TemplateBody, S3URI: in.TemplateS3Uri})
	if err != nil {
		return nil, fmt.Errorf("check organization pack %s: %w", pack.Name, err)
	}
	err = o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		pack, err = o.Deployment.PutPack(ctx, tx, pack, template, tags)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("put organization pack %s: %w", pack.Name, err)
	}
	return &configapi.PutOrganizationConformancePackOutput{OrganizationConformancePackArn: &pack.ARN}, nil
}

// DescribeOrganizationConformancePacks returns organization packs as they were put,
// without their templates.
func (o organizationConformancePacks) DescribeOrganizationConformancePacks(
	ctx context.Context, in *configapi.DescribeOrganizationConformancePacksInput,
) (*configapi.DescribeOrganizationConformancePacksOutput, error) {
	out := &configapi.DescribeOrganizationConformancePacksOutput{OrganizationConformancePacks: []configapi.OrganizationConformancePack{}}
	var err error
	out.NextToken, err = o.each(ctx, "DescribeOrganizationConformancePacks", in.OrganizationConformancePackNames, in.Limit, in.NextToken,
		func(_ *db.Tx, p config.OrganizationPack) error {
			out.OrganizationConformancePacks = append(out.OrganizationConformancePacks, configapi.OrganizationConformancePack{
				OrganizationConformancePackName: &p.Name, OrganizationConformancePackArn: &p.ARN, LastUpdateTime: &p.Updated,
				DeliveryS3Bucket: optional(p.DeliveryBucket), DeliveryS3KeyPrefix: optional(p.DeliveryPrefix),
				ConformancePackInputParameters: packParameterShapes(p.Parameters), ExcludedAccounts: p.Excluded,
			})
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("describe organization packs: %w", err)
	}
	return out, nil
}

// DescribeOrganizationConformancePackStatuses tells how far organization packs are
// in all accounts together.
func (o organizationConformancePacks) DescribeOrganizationConformancePackStatuses(
	ctx context.Context, in *configapi.DescribeOrganizationConformancePackStatusesInput,
) (*configapi.DescribeOrganizationConformancePackStatusesOutput, error) {
	out := &configapi.DescribeOrganizationConformancePackStatusesOutput{
		OrganizationConformancePackStatuses: []configapi.OrganizationConformancePackStatus{},
	}
	var err error
	out.NextToken, err = o.each(ctx, "DescribeOrganizationConformancePackStatuses", in.OrganizationConformancePackNames, in.Limit, in.NextToken,
		func(tx *db.Tx, p config.OrganizationPack) error {
			s, err := deployment.StatusOf(ctx, tx, p.OrganizationDeployment)
			out.OrganizationConformancePackStatuses = append(out.OrganizationConformancePackStatuses, configapi.OrganizationConformancePackStatus{
				OrganizationConformancePackName: &p.Name, Status: configapi.OrganizationResourceStatus(p.Operation + "_" + s.Progress),
				ErrorCode: optional(s.Code), ErrorMessage: optional(s.Message), LastUpdateTime: &p.Updated,
			})
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("describe the status of organization packs: %w", err)
	}
	return out, nil
}

// GetOrganizationConformancePackDetailedStatus tells what became of an organization
// pack in each account.
func (o organizationConformancePacks) GetOrganizationConformancePackDetailedStatus(
	ctx context.Context, in *configapi.GetOrganizationConformancePackDetailedStatusInput,
) (*configapi.GetOrganizationConformancePackDetailedStatusOutput, error) {
	q := memberQuery{operation: "GetOrganizationConformancePackDetailedStatus", name: *in.OrganizationConformancePackName, limit: in.Limit, token: in.NextToken}
	if f := in.Filters; f != nil {
		q.account, q.status = text(f.AccountId), string(f.Status)
	}
	out := &configapi.GetOrganizationConformancePackDetailedStatusOutput{
		OrganizationConformancePackDetailedStatuses: []configapi.OrganizationConformancePackDetailedStatus{},
	}
	var err error
	out.NextToken, err = o.members(ctx, q, func(p config.OrganizationDeployment, m config.OrganizationMember, status string) {
		out.OrganizationConformancePackDetailedStatuses = append(out.OrganizationConformancePackDetailedStatuses,
			configapi.OrganizationConformancePackDetailedStatus{
				AccountId: &m.Account, ConformancePackName: new(p.MemberName()), Status: configapi.OrganizationResourceDetailedStatus(status),
				ErrorCode: optional(m.Code), ErrorMessage: optional(m.Message), LastUpdateTime: &m.Updated,
			})
	})
	if err != nil {
		return nil, fmt.Errorf("get the status of organization pack %s: %w", *in.OrganizationConformancePackName, err)
	}
	return out, nil
}

// DeleteOrganizationConformancePack has a pack vanish from all members.
func (o organizationConformancePacks) DeleteOrganizationConformancePack(
	ctx context.Context, in *configapi.DeleteOrganizationConformancePackInput,
) (*configapi.DeleteOrganizationConformancePackOutput, error) {
	err := o.DB.Write(ctx, func(tx *db.Tx) error {
		return o.Deployment.DeletePack(ctx, tx, caller.Place(ctx), *in.OrganizationConformancePackName)
	})
	if err != nil {
		return nil, fmt.Errorf("delete organization pack %s: %w", *in.OrganizationConformancePackName, err)
	}
	return &configapi.DeleteOrganizationConformancePackOutput{}, nil
}
