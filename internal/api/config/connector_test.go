package config_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func azure(tenant, client string) *configservice.PutConnectorInput {
	return &configservice.PutConnectorInput{ConnectorConfiguration: &types.ConnectorConfiguration{Azure: &types.AzureConnectorConfiguration{
		TenantIdentifier: &tenant, ClientIdentifier: &client,
	}}}
}

func TestConnectorsAreMadeListedAndDeleted(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		in := azure("tenant", "client")
		in.Tags = []types.Tag{{Key: new("team"), Value: new("x")}}
		put, err := a.aws.PutConnector(ctx, in)
		a.must(err)
		_, err = a.aws.PutConnector(ctx, in)
		a.refused(err, "ConflictException", "cannot be updated")
		_, err = a.aws.PutConnector(ctx, azure(" ", "client"))
		a.refused(err, "ValidationException", "tenantIdentifier")
		for n := range 3 {
			_, err := a.aws.PutConnector(ctx, azure("tenant", fmt.Sprint(n)))
			a.must(err)
		}
		p.Restart(t)
		a = open(t, p)
		got, err := a.aws.GetConnector(ctx, &configservice.GetConnectorInput{Arn: put.Arn})
		a.must(err)
		a.equal(*got.Connector.Arn, *put.Arn)
		tags, err := a.aws.ListTagsForResource(ctx, &configservice.ListTagsForResourceInput{ResourceArn: put.Arn})
		a.must(err)
		a.equal(len(tags.Tags), 1)
		pages := configservice.NewListConnectorsPaginator(a.aws, &configservice.ListConnectorsInput{MaxResults: 3})
		seen := map[string]bool{}
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			a.must(err)
			for _, c := range page.ConnectorSummaries {
				seen[*c.Arn] = true
			}
		}
		a.equal(len(seen), 4)
		_, err = a.aws.ListConnectors(ctx, &configservice.ListConnectorsInput{NextToken: new("garbage")})
		a.refused(err, "ValidationException", "nextToken")
		_, err = a.aws.DeleteConnector(ctx, &configservice.DeleteConnectorInput{Arn: put.Arn})
		a.must(err)
		_, err = a.aws.GetConnector(ctx, &configservice.GetConnectorInput{Arn: put.Arn})
		a.refused(err, "ResourceNotFoundException", *put.Arn)
		_, err = a.aws.DeleteConnector(ctx, &configservice.DeleteConnectorInput{Arn: put.Arn})
		a.refused(err, "ResourceNotFoundException", *put.Arn)
	})
}

func TestThirdPartyRecorderGoesThroughItsConnector(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		in := &configservice.PutThirdPartyServiceLinkedConfigurationRecorderInput{
			ServicePrincipal: new("securityhub.amazonaws.com"), ConnectorArn: new("arn:aws:config:us-east-1:123456789012:connector/none"),
			ScopeConfiguration: &types.ScopeConfiguration{ScopeType: new("tenant"), AllRegions: true},
		}
		_, err := a.aws.PutThirdPartyServiceLinkedConfigurationRecorder(ctx, in)
		a.refused(err, "ResourceNotFoundException", "connector/none")
		connector, err := a.aws.PutConnector(ctx, azure("tenant", "client"))
		a.must(err)
		in.ConnectorArn = connector.Arn
		put, err := a.aws.PutThirdPartyServiceLinkedConfigurationRecorder(ctx, in)
		a.must(err)
		in.ScopeConfiguration = &types.ScopeConfiguration{ScopeType: new("subscription"), IncludedRegions: []string{"westeurope"}}
		_, err = a.aws.PutThirdPartyServiceLinkedConfigurationRecorder(ctx, in)
		a.refused(err, "ValidationException", "scopeValues")
		in.ScopeConfiguration.ScopeValues = []string{"s-1"}
		again, err := a.aws.PutThirdPartyServiceLinkedConfigurationRecorder(ctx, in)
		a.must(err)
		a.equal(*again.Arn+*again.Name, *put.Arn+*put.Name)
		// The service's own recorder is another one.
		own, err := a.aws.PutServiceLinkedConfigurationRecorder(ctx, &configservice.PutServiceLinkedConfigurationRecorderInput{ServicePrincipal: in.ServicePrincipal})
		a.must(err)
		out, err := a.aws.DescribeConfigurationRecorders(ctx, &configservice.DescribeConfigurationRecordersInput{Arn: put.Arn})
		a.must(err)
		rec := out.ConfigurationRecorders[0]
		a.equal([]any{*rec.ConnectorArn, rec.ScopeConfiguration.ScopeValues, rec.ScopeConfiguration.IncludedRegions},
			[]any{*connector.Arn, []string{"s-1"}, []string{"westeurope"}})
		_, err = a.aws.DeleteConnector(ctx, &configservice.DeleteConnectorInput{Arn: connector.Arn})
		a.refused(err, "ConflictException", *put.Name)
		_, err = a.aws.DeleteServiceLinkedConfigurationRecorder(ctx, &configservice.DeleteServiceLinkedConfigurationRecorderInput{Arn: put.Arn})
		a.must(err)
		_, err = a.aws.DeleteConnector(ctx, &configservice.DeleteConnectorInput{Arn: connector.Arn})
		a.must(err)
		a.equal(a.names(), []string{*own.Name})
	})
}
