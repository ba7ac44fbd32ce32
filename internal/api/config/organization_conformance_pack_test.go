package config_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
)

func (a account) putOrgPack(name, body string, change ...func(*configservice.PutOrganizationConformancePackInput)) error {
	in := &configservice.PutOrganizationConformancePackInput{OrganizationConformancePackName: &name, TemplateBody: &body}
	for _, f := range change {
		f(in)
	}
	_, err := a.aws.PutOrganizationConformancePack(a.t.Context(), in)
	return err
}

func (a account) deleteOrgPack(name string) error {
	_, err := a.aws.DeleteOrganizationConformancePack(a.t.Context(), &configservice.DeleteOrganizationConformancePackInput{OrganizationConformancePackName: &name})
	return err
}

func excluding(accounts ...string) func(*configservice.PutOrganizationConformancePackInput) {
	return func(in *configservice.PutOrganizationConformancePackInput) { in.ExcludedAccounts = accounts }
}

// packStates returns the status of an organization pack, and those of accounts.
func (a account) packStates(name string) (whole string, each map[string]string) {
	a.t.Helper()
	out, err := a.aws.DescribeOrganizationConformancePackStatuses(a.t.Context(),
		&configservice.DescribeOrganizationConformancePackStatusesInput{OrganizationConformancePackNames: []string{name}})
	a.must(err)
	each = map[string]string{}
	pages := configservice.NewGetOrganizationConformancePackDetailedStatusPaginator(a.aws,
		&configservice.GetOrganizationConformancePackDetailedStatusInput{OrganizationConformancePackName: &name, Limit: 2})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		for _, m := range page.OrganizationConformancePackDetailedStatuses {
			each[*m.AccountId] = string(m.Status)
			if m.ErrorCode != nil {
				each[*m.AccountId] += " " + *m.ErrorCode + " " + *m.ErrorMessage
			}
		}
	}
	return string(out.OrganizationConformancePackStatuses[0].Status), each
}

// packNames returns the names of the packs that an account has.
func (a account) packNames() (names []string) {
	a.t.Helper()
	out, err := a.aws.DescribeConformancePacks(a.t.Context(), &configservice.DescribeConformancePacksInput{})
	a.must(err)
	for _, p := range out.ConformancePackDetails {
		names = append(names, *p.ConformancePackName)
	}
	return names
}

func TestEveryMemberCarriesAnOrganizationsPack(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 4)
		excluded, m := c.members[3], c.members[0]
		first := resources(ruleOf("A", "versioning", "S3_BUCKET_VERSIONING_ENABLED"))
		p.Hold()
		c.must(c.putOrgPack("base", first, excluding(excluded.Account())))
		whole, _ := c.packStates("base")
		c.equal(whole, "CREATE_IN_PROGRESS")
		c.refused(c.deleteOrgPack("base"), "ResourceInUseException", "base")
		p.Drain(t)
		whole, each := c.packStates("base")
		c.equal(whole, "CREATE_SUCCESSFUL")
		c.equal(len(each), 4)
		for _, m := range append([]account{c.account}, c.members[:3]...) {
			c.equal(each[m.Account()], "CREATE_SUCCESSFUL")
			names := m.packNames()
			if len(names) != 1 || !strings.HasPrefix(names[0], "OrgConformsPack-base-") {
				t.Fatal(names)
			}
			if rules := m.carried(); len(rules) != 1 || !strings.HasPrefix(rules[0], "versioning-conformance-pack-") {
				t.Fatal(rules)
			}
		}
		c.equal(len(excluded.packNames()), 0)

		// A member can neither change nor delete it.
		name := m.packNames()[0]
		_, err := m.aws.DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: &name})
		m.refused(err, "AccessDeniedException", "You do not have permissions")
		m.refused(m.putPack(name, first), "AccessDeniedException", "You do not have permissions")
		described, err := m.aws.DescribeConformancePacks(t.Context(), &configservice.DescribeConformancePacksInput{})
		m.must(err)
		m.equal(*described.ConformancePackDetails[0].CreatedBy, "config-multiaccountsetup.amazonaws.com")

		// An update reaches everybody, and changes who is left out.
		c.must(c.putOrgPack("base", resources(ruleOf("B", "logging", "S3_BUCKET_LOGGING_ENABLED")), excluding(m.Account())))
		p.Drain(t)
		whole, each = c.packStates("base")
		c.equal(whole, "UPDATE_SUCCESSFUL")
		c.equal(each[excluded.Account()], "CREATE_SUCCESSFUL") // it is new there
		c.equal(each[hub], "UPDATE_SUCCESSFUL")
		c.equal(len(m.packNames())+len(m.carried()), 0)
		for _, some := range []account{excluded, c.account} {
			if rules := some.carried(); len(rules) != 1 || !strings.HasPrefix(rules[0], "logging-conformance-pack-") {
				t.Fatal(rules)
			}
		}

		p.Restart(t)
		c.account = open(t, p.As(hub, "eu-west-1"))
		c.must(c.deleteOrgPack("base"))
		p.Drain(t)
		c.refused(c.deleteOrgPack("base"), "NoSuchOrganizationConformancePackException", "base")
		for _, id := range []string{hub, excluded.Account(), c.members[1].Account()} {
			some := open(t, p.As(id, "eu-west-1"))
			c.equal(len(some.packNames())+len(some.carried()), 0)
		}
	})
}

func TestAMemberGetsPacksWhenItJoinsAndLosesThemWhenItLeaves(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 0)
		c.must(c.putOrgPack("base", resources(ruleOf("A", "versioning", "S3_BUCKET_VERSIONING_ENABLED"))))
		p.Drain(t)
		m := c.hire(false)
		p.Drain(t)
		whole, each := c.packStates("base")
		c.equal(whole, "CREATE_IN_PROGRESS")
		if s := each[m.Account()]; !strings.HasPrefix(s, "CREATE_IN_PROGRESS NoAvailableConfigurationRecorderException") {
			t.Fatal(s)
		}
		m.recorder()
		p.Drain(t)
		_, each = c.packStates("base")
		c.equal(each[m.Account()], "CREATE_SUCCESSFUL")
		c.equal(len(m.packNames()), 1)
		_, err := m.As(m.Account(), "us-east-1").Organizations().LeaveOrganization(t.Context(), &organizations.LeaveOrganizationInput{})
		m.must(err)
		p.Drain(t)
		c.equal(len(m.packNames())+len(m.carried()), 0)
		whole, each = c.packStates("base")
		c.equal(whole, "CREATE_SUCCESSFUL")
		c.equal(len(each), 1)
	})
}

// Puts and deletions that meet a deployment in progress are carried out after it.
func TestAPackThatIsPutWhileItIsDeployedEndsAsItWasPutLast(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 2)
		c.must(c.putOrgPack("base", resources(ruleOf("A", "versioning", "S3_BUCKET_VERSIONING_ENABLED"))))
		c.must(c.putOrgPack("base", resources(ruleOf("A", "logging", "S3_BUCKET_LOGGING_ENABLED"))))
		c.must(c.putOrgPack("base", resources(ruleOf("A", "checked", "AWS_CONFIG_PROCESS_CHECK"))))
		p.Drain(t)
		whole, _ := c.packStates("base")
		c.equal(whole, "UPDATE_SUCCESSFUL")
		for _, m := range c.members {
			if rules := m.carried(); len(rules) != 1 || !strings.HasPrefix(rules[0], "checked-conformance-pack-") {
				t.Fatal(rules)
			}
		}
		p.Hold()
		c.must(c.deleteOrgPack("base"))
		c.refused(c.putOrgPack("base", resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))), "ResourceInUseException", "base")
		p.Drain(t)
		c.equal(len(c.members[0].carried()), 0)
		c.must(c.putOrgPack("base", resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))))
		p.Drain(t)
		whole, _ = c.packStates("base")
		c.equal(whole, "CREATE_SUCCESSFUL")
	})
}

func TestAMemberWhosePackFailsSaysWhy(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 1)
		// What the rule is called for depends on the account.
		body := "Conditions:\n  member: !Not [!Equals [!Ref 'AWS::AccountId', '" + hub + "']]\n" +
			"Resources:\n" + ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK") + strings.Replace(ruleOf("B", "b", "NO_SUCH_RULE"), "    Properties", "    Condition: member\n    Properties", 1)
		c.must(c.putOrgPack("base", body))
		p.Drain(t)
		whole, each := c.packStates("base")
		c.equal(whole, "CREATE_FAILED")
		c.equal(each[hub], "CREATE_SUCCESSFUL")
		if s := each[c.members[0].Account()]; !strings.HasPrefix(s, "CREATE_FAILED CREATE_FAILED b: The sourceIdentifier NO_SUCH_RULE is invalid") {
			t.Fatal(s)
		}
		out, err := c.aws.GetOrganizationConformancePackDetailedStatus(t.Context(), &configservice.GetOrganizationConformancePackDetailedStatusInput{
			OrganizationConformancePackName: new("base"), Filters: &types.OrganizationResourceDetailedStatusFilters{
				AccountId: new(c.members[0].Account()), Status: types.OrganizationResourceDetailedStatusCreateFailed}})
		c.must(err)
		c.equal(len(out.OrganizationConformancePackDetailedStatuses), 1)
		c.must(c.deleteOrgPack("base"))
		p.Drain(t)
		c.equal(len(c.members[0].packNames()), 0)
	})
}

func TestPutOrganizationConformancePackChecksWhatItIsGiven(t *testing.T) {
	p := apptest.Start(t)
	c := organization(t, p, 2)
	member, stranger := c.members[0], open(t, p.As(spokeB, "eu-west-1"))
	body := resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK"))
	type input = configservice.PutOrganizationConformancePackInput
	stranger.refused(stranger.putOrgPack("x", body), "OrganizationAccessDeniedException", "AWS Organization")
	member.refused(member.putOrgPack("x", body), "OrganizationAccessDeniedException", "delegated administrator")
	c.refused(c.putOrgPack("x", "Resources: ["), "OrganizationConformancePackTemplateValidationException", "YAML not well-formed")
	c.refused(c.putOrgPack("x", body, func(in *input) { in.TemplateBody = nil }), "ValidationException", "TemplateS3Uri and TemplateBody")
	c.refused(c.putOrgPack("x", body, func(in *input) { in.DeliveryS3Bucket = new("mine") }), "ValidationException", "must begin with awsconfigconforms")
	c.refused(c.putOrgPack("x", body, func(in *input) {
		in.ConformancePackInputParameters = []types.ConformancePackInputParameter{{ParameterName: new("P"), ParameterValue: new("1")}}
	}), "OrganizationConformancePackTemplateValidationException", "Parameters: [P] do not exist in the template")
	c.refused(c.putOrgPack("1x", body), "ValidationException", "organizationConformancePackName")
	c.refused(c.deleteOrgPack("x"), "NoSuchOrganizationConformancePackException", "resourceName x")
	_, err := c.aws.DescribeOrganizationConformancePacks(t.Context(), &configservice.DescribeOrganizationConformancePacksInput{OrganizationConformancePackNames: []string{"x"}})
	c.refused(err, "NoSuchOrganizationConformancePackException", "x")
	_, err = c.aws.DescribeOrganizationConformancePacks(t.Context(), &configservice.DescribeOrganizationConformancePacksInput{NextToken: new("AAAA")})
	c.refused(err, "InvalidNextTokenException", "")

	// The object is preferred to the body, and what is shown is what was put.
	_, err = c.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new("templates"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(c.Region())}})
	c.must(err)
	_, err = c.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: new("templates"), Key: new("p.yaml"),
		Body: strings.NewReader("Parameters: {P: {Type: String}}\n" + body)})
	c.must(err)
	c.must(c.putOrgPack("x", "Resources: [", excluding(member.Account()), func(in *input) {
		in.TemplateS3Uri, in.DeliveryS3Bucket, in.DeliveryS3KeyPrefix = new("s3://templates/p.yaml"), new("awsconfigconforms-b"), new("k")
		in.ConformancePackInputParameters = []types.ConformancePackInputParameter{{ParameterName: new("P"), ParameterValue: new("1")}}
	}))
	c.must(c.putOrgPack("y", body, func(in *input) { in.Tags = []types.Tag{{Key: new("first"), Value: new("1")}} }))
	var names []string
	var last, second types.OrganizationConformancePack
	pages := configservice.NewDescribeOrganizationConformancePacksPaginator(c.aws, &configservice.DescribeOrganizationConformancePacksInput{Limit: 1})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		c.must(err)
		for _, o := range page.OrganizationConformancePacks {
			names = append(names, *o.OrganizationConformancePackName)
			if *o.OrganizationConformancePackName == "x" {
				last = o
			} else {
				second = o
			}
		}
	}
	c.equal(names, "[x y]")
	c.equal(*last.DeliveryS3Bucket+*last.DeliveryS3KeyPrefix+last.ExcludedAccounts[0], "awsconfigconforms-bk"+member.Account())
	c.equal(*last.ConformancePackInputParameters[0].ParameterValue, "1")
	if !strings.Contains(*last.OrganizationConformancePackArn, ":organization-conformance-pack/x-") {
		t.Error(*last.OrganizationConformancePackArn)
	}
	_, err = c.aws.TagResource(t.Context(), &configservice.TagResourceInput{ResourceArn: last.OrganizationConformancePackArn, Tags: []types.Tag{{Key: new("k"), Value: new("v")}}})
	c.must(err)
	tags, err := c.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: second.OrganizationConformancePackArn})
	c.must(err)
	c.equal(*tags.Tags[0].Key, "first")
}
