package config_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// two of each are allowed.
func two(s *settings.Settings) {
	s.Quotas = settings.Quotas{Rules: 2, Packs: 2, Aggregators: 2, StoredQueries: 2, OrganizationRules: 2, OrganizationPacks: 2}
}

func TestAQuotaRefusesNewOnesAndNoChanges(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := organization(t, p, 0)
		elsewhere := open(t, p.As(hub, "us-east-1"))
		elsewhere.recorder()
		for _, q := range []struct {
			noun, code string
			put        func(a account, name string) error
		}{
			{"rule", "MaxNumberOfConfigRulesExceededException", func(a account, name string) error {
				return a.put(managedRule(name))
			}},
			{"aggregator", "LimitExceededException", func(a account, name string) error {
				_, err := a.aggregator(name, []string{spokeA})
				return err
			}},
			{"stored query", "ValidationException", func(a account, name string) error {
				_, err := a.putQuery(types.StoredQuery{QueryName: &name, Expression: new("x")})
				return err
			}},
			{"pack", "MaxNumberOfConformancePacksExceededException", func(a account, name string) error {
				return a.putPack(name, resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK")))
			}},
			{"organization rule", "MaxNumberOfOrganizationConfigRulesExceededException", func(a account, name string) error {
				return a.putOrg(sharedRule(name))
			}},
			{"organization pack", "MaxNumberOfOrganizationConformancePacksExceededException", func(a account, name string) error {
				return a.putOrgPack(name, resources(ruleOf("A", "a", "AWS_CONFIG_PROCESS_CHECK")))
			}},
		} {
			t.Run(q.noun, func(t *testing.T) {
				a := c.account
				a.t, elsewhere.t = t, t
				a.must(q.put(a, "first"))
				a.must(q.put(a, "second"))
				a.refused(q.put(a, "third"), q.code, "2 ")
				a.must(q.put(elsewhere, "third"))
				p.Drain(t)
				a.must(q.put(a, "first"))
			})
		}
	}, two)
}
