package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"plumb/internal/apptest"
)

// A company is an organization: its management account, and the members that were
// created.
type company struct {
	account
	members []account
}

func (c company) orgs() *organizations.Client { return c.As(c.Account(), "us-east-1").Organizations() }

// hire creates a member.
func (c *company) hire(recorder bool) account {
	c.t.Helper()
	name := fmt.Sprint("m", len(c.members))
	out, err := c.orgs().CreateAccount(c.t.Context(), &organizations.CreateAccountInput{AccountName: &name, Email: new(name + "@example.com")})
	c.must(err)
	m := open(c.t, c.As(*out.CreateAccountStatus.AccountId, c.Region()))
	if recorder {
		m.recorder()
	}
	c.members = append(c.members, m)
	return m
}

// organization makes an organization with some members that have recorders, as the
// management account has.
func organization(t *testing.T, p *apptest.Plumb, members int) *company {
	t.Helper()
	c := &company{account: open(t, p.As(hub, "eu-west-1"))}
	_, err := c.orgs().CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{})
	c.must(err)
	c.recorder()
	for range members {
		c.hire(true)
	}
	return c
}

func sharedRule(name string, excluded ...string) *configservice.PutOrganizationConfigRuleInput {
	return &configservice.PutOrganizationConfigRuleInput{
		OrganizationConfigRuleName: &name, ExcludedAccounts: excluded,
		OrganizationManagedRuleMetadata: &types.OrganizationManagedRuleMetadata{
			RuleIdentifier: new("S3_BUCKET_VERSIONING_ENABLED"), ResourceTypesScope: []string{"AWS::S3::Bucket"}, Description: new("d"),
		},
	}
}

func (a account) putOrg(in *configservice.PutOrganizationConfigRuleInput) error {
	_, err := a.aws.PutOrganizationConfigRule(a.t.Context(), in)
	return err
}

func (a account) deleteOrg(name string) error {
	_, err := a.aws.DeleteOrganizationConfigRule(a.t.Context(), &configservice.DeleteOrganizationConfigRuleInput{OrganizationConfigRuleName: &name})
	return err
}

// carried returns the names of the rules that an account has.
func (a account) carried() (names []string) {
	a.t.Helper()
	out, err := a.aws.DescribeConfigRules(a.t.Context(), &configservice.DescribeConfigRulesInput{})
	a.must(err)
	for _, r := range out.ConfigRules {
		names = append(names, *r.ConfigRuleName)
	}
	return names
}

// states returns the status of an organization rule, and those of accounts.
func (a account) states(name string) (whole string, each map[string]string) {
	a.t.Helper()
	out, err := a.aws.DescribeOrganizationConfigRuleStatuses(a.t.Context(), &configservice.DescribeOrganizationConfigRuleStatusesInput{OrganizationConfigRuleNames: []string{name}})
	a.must(err)
	each = map[string]string{}
	pages := configservice.NewGetOrganizationConfigRuleDetailedStatusPaginator(a.aws, &configservice.GetOrganizationConfigRuleDetailedStatusInput{OrganizationConfigRuleName: &name, Limit: 2})
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.t.Context())
		a.must(err)
		for _, m := range page.OrganizationConfigRuleDetailedStatus {
			each[*m.AccountId] = string(m.MemberAccountRuleStatus)
			if m.ErrorCode != nil {
				each[*m.AccountId] += " " + *m.ErrorCode
			}
		}
	}
	return string(out.OrganizationConfigRuleStatuses[0].OrganizationRuleStatus), each
}

func TestEveryMemberCarriesAnOrganizationsRule(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 4)
		outside := c.members[3]
		c.must(c.putOrg(sharedRule("versioned", outside.Account())))
		whole, _ := c.states("versioned")
		if !strings.HasPrefix(whole, "CREATE_") {
			t.Fatal(whole)
		}
		p.Drain(t)
		whole, each := c.states("versioned")
		c.equal(whole, "CREATE_SUCCESSFUL")
		c.equal(len(each), 4)
		for _, m := range append([]account{c.account}, c.members[:3]...) {
			c.equal(each[m.Account()], "CREATE_SUCCESSFUL")
			names := m.carried()
			if len(names) != 1 || !strings.HasPrefix(names[0], "OrgConfigRule-versioned-") {
				t.Fatal(names)
			}
		}
		c.equal(len(outside.carried()), 0)

		// A member can neither change nor delete it.
		m := c.members[0]
		name := m.carried()[0]
		_, err := m.aws.DeleteConfigRule(t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: &name})
		m.refused(err, "AccessDeniedException", "You do not have permissions")
		_, err = m.aws.PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
			ConfigRuleName: &name, Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")}}})
		m.refused(err, "AccessDeniedException", "")

		// An update reaches everybody, and changes who is left out.
		in := sharedRule("versioned", m.Account())
		in.OrganizationManagedRuleMetadata.Description = new("changed")
		c.must(c.putOrg(in))
		p.Drain(t)
		whole, each = c.states("versioned")
		c.equal(whole, "UPDATE_SUCCESSFUL")
		c.equal(each[outside.Account()], "CREATE_SUCCESSFUL") // it is new there
		c.equal(each[hub], "UPDATE_SUCCESSFUL")
		c.equal(len(m.carried()), 0)
		c.equal(len(outside.carried()), 1)
		described, err := outside.aws.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
		c.must(err)
		c.equal(*described.ConfigRules[0].Description, "changed")
		c.equal(*described.ConfigRules[0].CreatedBy, "config-multiaccountsetup.amazonaws.com")

		p.Restart(t)
		c.account = open(t, p.As(hub, "eu-west-1"))
		c.must(c.deleteOrg("versioned"))
		p.Drain(t)
		c.refused(c.deleteOrg("versioned"), "NoSuchOrganizationConfigRuleException", "versioned")
		for _, id := range []string{hub, outside.Account(), c.members[1].Account()} {
			c.equal(len(open(t, p.As(id, "eu-west-1")).carried()), 0)
		}
	})
}

func TestAMemberGetsRulesWhenItJoinsAndLosesThemWhenItLeaves(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 1)
		c.must(c.putOrg(sharedRule("versioned")))
		p.Drain(t)
		m := c.hire(true)
		p.Drain(t)
		_, each := c.states("versioned")
		c.equal(each[m.Account()], "CREATE_SUCCESSFUL")
		c.equal(len(m.carried()), 1)
		_, err := m.As(m.Account(), "us-east-1").Organizations().LeaveOrganization(t.Context(), &organizations.LeaveOrganizationInput{})
		m.must(err)
		p.Drain(t)
		c.equal(len(m.carried()), 0)
		whole, each := c.states("versioned")
		c.equal(whole, "CREATE_SUCCESSFUL")
		c.equal(len(each), 2)
	})
}

func TestAMemberWithoutARecorderIsTriedForSevenHours(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 0)
		late, never := c.hire(false), c.hire(false)
		c.must(c.putOrg(sharedRule("versioned")))
		p.Drain(t)
		whole, each := c.states("versioned")
		c.equal(whole, "CREATE_IN_PROGRESS")
		c.equal(each[late.Account()], "CREATE_IN_PROGRESS NoAvailableConfigurationRecorderException")
		late.recorder()
		p.Drain(t)
		_, each = c.states("versioned")
		c.equal(each[late.Account()], "CREATE_SUCCESSFUL")
		c.equal(len(late.carried()), 1)
		p.Clock().Advance(8 * time.Hour)
		p.Drain(t)
		whole, each = c.states("versioned")
		c.equal(whole, "CREATE_FAILED")
		c.equal(each[never.Account()], "CREATE_FAILED NoAvailableConfigurationRecorderException")
		filtered, err := c.aws.GetOrganizationConfigRuleDetailedStatus(t.Context(), &configservice.GetOrganizationConfigRuleDetailedStatusInput{
			OrganizationConfigRuleName: new("versioned"), Filters: &types.StatusDetailFilters{AccountId: new(never.Account()), MemberAccountRuleStatus: types.MemberAccountRuleStatusCreateFailed}})
		c.must(err)
		c.equal(len(filtered.OrganizationConfigRuleDetailedStatus), 1)
		c.must(c.deleteOrg("versioned"))
		p.Drain(t)
		c.equal(len(late.carried()), 0)
	})
}

func TestWhoPutsOrganizationRulesIsChecked(t *testing.T) {
	p := apptest.Start(t)
	c := organization(t, p, 2)
	member, stranger := c.members[0], open(t, p.As(spokeB, "eu-west-1"))
	stranger.refused(stranger.putOrg(sharedRule("x")), "OrganizationAccessDeniedException", "AWS Organization")
	member.refused(member.putOrg(sharedRule("x")), "OrganizationAccessDeniedException", "delegated administrator")
	_, err := member.aws.DescribeOrganizationConfigRules(t.Context(), &configservice.DescribeOrganizationConfigRulesInput{})
	member.refused(err, "OrganizationAccessDeniedException", "")
	c.must(c.putOrg(sharedRule("of-the-management")))
	_, err = c.orgs().RegisterDelegatedAdministrator(t.Context(), &organizations.RegisterDelegatedAdministratorInput{
		AccountId: new(member.Account()), ServicePrincipal: new("config-multiaccountsetup.amazonaws.com")})
	c.must(err)
	member.must(member.putOrg(sharedRule("of-the-delegate")))
	p.Drain(t)
	c.equal(len(c.members[1].carried()), 2)
	list := func(a account) (names []string) {
		pages := configservice.NewDescribeOrganizationConfigRulesPaginator(a.aws, &configservice.DescribeOrganizationConfigRulesInput{Limit: 1})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			a.must(err)
			for _, r := range page.OrganizationConfigRules {
				names = append(names, *r.OrganizationConfigRuleName)
			}
		}
		return names
	}
	c.equal(list(c.account), "[of-the-management]")
	c.equal(list(member), "[of-the-delegate]")

	neither, both := sharedRule("x"), sharedRule("x")
	neither.OrganizationManagedRuleMetadata = nil
	both.OrganizationCustomPolicyRuleMetadata = &types.OrganizationCustomPolicyRuleMetadata{PolicyRuntime: new("guard-2.x.x"), PolicyText: new("rule a { b exists }")}
	c.refused(c.putOrg(neither), "InvalidParameterValueException", "exactly one")
	c.refused(c.putOrg(both), "InvalidParameterValueException", "exactly one")
	unknown := sharedRule("x")
	unknown.OrganizationManagedRuleMetadata.RuleIdentifier = new("NO_SUCH_RULE")
	c.refused(c.putOrg(unknown), "InvalidParameterValueException", "NO_SUCH_RULE")
	c.refused(c.putOrg(sharedRule("no spaces")), "ValidationException", "organizationConfigRuleName")
	_, err = c.aws.DescribeOrganizationConfigRuleStatuses(t.Context(), &configservice.DescribeOrganizationConfigRuleStatusesInput{OrganizationConfigRuleNames: []string{"x"}})
	c.refused(err, "NoSuchOrganizationConfigRuleException", "x")
	_, err = c.aws.DescribeOrganizationConfigRules(t.Context(), &configservice.DescribeOrganizationConfigRulesInput{NextToken: new("AAAA")})
	c.refused(err, "InvalidNextTokenException", "")
	function := &configservice.PutOrganizationConfigRuleInput{OrganizationConfigRuleName: new("f"), OrganizationCustomRuleMetadata: &types.OrganizationCustomRuleMetadata{
		LambdaFunctionArn:                  new("arn:aws:lambda:eu-west-1:" + hub + ":function:none"),
		OrganizationConfigRuleTriggerTypes: []types.OrganizationConfigRuleTriggerType{types.OrganizationConfigRuleTriggerTypeScheduledNotification}}}
	c.refused(c.putOrg(function), "InsufficientPermissionsException", "")
}

func TestAnOrganizationsPolicyJudgesWhatItsMembersRecord(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 1)
		m := c.members[0]
		m.must(m.startWithoutBucket())
		m.push("bike", `{"wheels":2}`)
		const text = `rule wheels when resourceType == "` + custom + `" { configuration.wheels == 4 }`
		c.must(c.putOrg(&configservice.PutOrganizationConfigRuleInput{OrganizationConfigRuleName: new("wheels"), Tags: []types.Tag{{Key: new("k"), Value: new("v")}},
			OrganizationCustomPolicyRuleMetadata: &types.OrganizationCustomPolicyRuleMetadata{
				PolicyRuntime: new("guard-2.x.x"), PolicyText: new(text),
				OrganizationConfigRuleTriggerTypes: []types.OrganizationConfigRuleTriggerTypeNoSN{types.OrganizationConfigRuleTriggerTypeNoSNConfigurationItemChangeNotification}}}))
		p.Drain(t)
		found, err := m.aws.DescribeComplianceByConfigRule(t.Context(), &configservice.DescribeComplianceByConfigRuleInput{})
		m.must(err)
		m.equal(found.ComplianceByConfigRules[0].Compliance.ComplianceType, "NON_COMPLIANT")
		policy, err := c.aws.GetOrganizationCustomRulePolicy(t.Context(), &configservice.GetOrganizationCustomRulePolicyInput{OrganizationConfigRuleName: new("wheels")})
		c.must(err)
		c.equal(*policy.PolicyText, text)
		described, err := c.aws.DescribeOrganizationConfigRules(t.Context(), &configservice.DescribeOrganizationConfigRulesInput{OrganizationConfigRuleNames: []string{"wheels"}})
		c.must(err)
		tags, err := c.aws.ListTagsForResource(t.Context(), &configservice.ListTagsForResourceInput{ResourceArn: described.OrganizationConfigRules[0].OrganizationConfigRuleArn})
		c.must(err)
		c.equal(*tags.Tags[0].Value, "v")
	})
}

func TestAnAggregatorOfAnOrganizationShowsAllMembers(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 2)
		a, b := c.members[0], c.members[1]
		for _, m := range c.members {
			m.record("car", "truck")
		}
		open(t, p.As(spokeB, "eu-west-1")).record("stranger")
		put := func(by account) error {
			_, err := by.aws.PutConfigurationAggregator(t.Context(), &configservice.PutConfigurationAggregatorInput{ConfigurationAggregatorName: new("org"),
				OrganizationAggregationSource: &types.OrganizationAggregationSource{RoleArn: new("arn:aws:iam::" + hub + ":role/config"), AllAwsRegions: true}})
			return err
		}
		seen := func(by account) (out []string) {
			pages := configservice.NewListAggregateDiscoveredResourcesPaginator(by.aws,
				&configservice.ListAggregateDiscoveredResourcesInput{ConfigurationAggregatorName: new("org"), ResourceType: custom, Limit: 1})
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				by.must(err)
				for _, r := range page.ResourceIdentifiers {
					out = append(out, *r.SourceAccountId+*r.ResourceId)
				}
			}
			return out
		}
		status := func(by account) types.AggregatedSourceStatus {
			out, err := by.aws.DescribeConfigurationAggregatorSourcesStatus(t.Context(), &configservice.DescribeConfigurationAggregatorSourcesStatusInput{ConfigurationAggregatorName: new("org")})
			by.must(err)
			by.equal(len(out.AggregatedSourceStatusList), 1)
			return out.AggregatedSourceStatusList[0]
		}
		c.must(put(c.account))
		c.equal(len(seen(c.account)), 4)
		c.equal(status(c.account).SourceType, "ORGANIZATION")
		c.equal(status(c.account).LastUpdateStatus, "SUCCEEDED")
		described, err := c.aws.DescribeConfigurationAggregators(t.Context(), &configservice.DescribeConfigurationAggregatorsInput{})
		c.must(err)
		c.equal(described.ConfigurationAggregators[0].OrganizationAggregationSource.AllAwsRegions, true)

		a.refused(put(a), "OrganizationAccessDeniedException", "delegated administrator")
		delegation := &organizations.RegisterDelegatedAdministratorInput{AccountId: new(a.Account()), ServicePrincipal: new("config.amazonaws.com")}
		_, err = c.orgs().RegisterDelegatedAdministrator(t.Context(), delegation)
		c.must(err)
		a.must(put(a))
		a.equal(len(seen(a)), 4)
		_, err = c.orgs().RemoveAccountFromOrganization(t.Context(), &organizations.RemoveAccountFromOrganizationInput{AccountId: new(b.Account())})
		c.must(err)
		a.equal(seen(a), []string{a.Account() + "car", a.Account() + "truck"})
		_, err = c.orgs().DeregisterDelegatedAdministrator(t.Context(), &organizations.DeregisterDelegatedAdministratorInput{AccountId: delegation.AccountId, ServicePrincipal: delegation.ServicePrincipal})
		c.must(err)
		a.equal(len(seen(a)), 0)
		a.equal(*status(a).LastErrorCode, "OrganizationAccessDenied")
	})
}

func TestRulesThatArePutAtOnceAreOne(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 0)
		arns := make(chan string, 8)
		for range cap(arns) / 2 {
			go func() {
				arn := ""
				if out, err := c.aws.PutOrganizationConfigRule(t.Context(), sharedRule("r")); err == nil {
					arn = *out.OrganizationConfigRuleArn
				}
				arns <- arn
			}()
			go func() {
				arn := ""
				if out, err := c.aggregator("a", []string{spokeA}); err == nil {
					arn = *out.ConfigurationAggregatorArn
				}
				arns <- arn
			}()
		}
		seen := map[string]int{}
		for range cap(arns) {
			seen[<-arns]++
		}
		c.equal(len(seen), 2)
		m := c.hire(true) // while the rule is being deployed
		p.Drain(t)
		c.equal(len(m.carried()), 1)
		c.equal(len(c.carried()), 1)
	})
}
