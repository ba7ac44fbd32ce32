// Package cloudfront is the embedded CloudFront's API: it checks what a request means,
// asks package source/cloudfront, and answers in AWS's shapes. It keeps nothing.
package cloudfront

import (
	"context"
	"strconv"

	"plumb/internal/caller"
	"plumb/internal/model"
	api "plumb/internal/model/cloudfrontapi"
	"plumb/internal/source/cloudfront"
)

// New returns CloudFront with its operations bound to the distributions.
func New(d *cloudfront.Distributions) *model.Registry {
	service := api.NewService()
	register(service, operations{d})
	return service.Registry()
}

// register is the table of contents.
func register(s *api.Service, o operations) {
	s.CreateDistribution(o.CreateDistribution)
	s.CreateDistributionWithTags(o.CreateDistributionWithTags)
	s.GetDistribution(o.GetDistribution)
	s.GetDistributionConfig(o.GetDistributionConfig)
	s.ListDistributions(o.ListDistributions)
	s.UpdateDistribution(o.UpdateDistribution)
	s.DeleteDistribution(o.DeleteDistribution)

	s.CreateInvalidation(o.CreateInvalidation)
	s.GetInvalidation(o.GetInvalidation)
	s.ListInvalidations(o.ListInvalidations)

	s.TagResource(o.TagResource)
	s.UntagResource(o.UntagResource)
	s.ListTagsForResource(o.ListTagsForResource)
}

type operations struct{ distributions *cloudfront.Distributions }

func account(ctx context.Context) string { return caller.From(ctx).Account }

// maxPage is CloudFront's largest page, and the default.
const maxPage = 100

func pageSize(text *string) (int, error) {
	if text == nil {
		return maxPage, nil
	}
	n, err := strconv.Atoi(*text)
	if err != nil || n < 1 {
		return 0, api.InvalidArgument("MaxItems must be a number from 1 on.")
	}
	return min(n, maxPage), nil
}
