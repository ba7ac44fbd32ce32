package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

const packCompliance = types.ResourceTypeConformancePackCompliance

// packHistory returns the items of the compliance of a pack, the oldest first: status,
// compliance, and how many of its rules comply, do not, and are there.
func (a account) packHistory(id string) (all []string) {
	a.t.Helper()
	out, err := a.aws.GetResourceConfigHistory(a.t.Context(), &configservice.GetResourceConfigHistoryInput{
		ResourceType: packCompliance, ResourceId: &id, ChronologicalOrder: types.ChronologicalOrderForward})
	a.must(err)
	for _, it := range out.ConfigurationItems {
		line := string(it.ConfigurationItemStatus)
		if it.Configuration != nil {
			var c struct {
				ComplianceType                                            string
				CompliantRuleCount, NonCompliantRuleCount, TotalRuleCount int
			}
			a.must(json.Unmarshal([]byte(*it.Configuration), &c))
			line += fmt.Sprintf(" %s %d %d %d", c.ComplianceType, c.CompliantRuleCount, c.NonCompliantRuleCount, c.TotalRuleCount)
		}
		all = append(all, line)
	}
	return all
}

func TestTheComplianceOfAConformancePackIsRecorded(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		ctx := t.Context()
		id := a.garage()
		history := a.packHistory(id)
		a.equal(history[0], "ResourceDiscovered INSUFFICIENT_DATA 0 0 3")
		a.equal(history[len(history)-1], "OK NON_COMPLIANT 0 2 3")
		for n := range 5 {
			a.push(fmt.Sprintf("car-%d", n), `{"wheels":4,"doors":1}`)
		}
		a.Drain(t)
		history = a.packHistory(id)
		a.equal(history[len(history)-1], "OK NON_COMPLIANT 1 1 3")
		_, err := a.aws.StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"wheels-" + id}})
		a.must(err)
		a.Drain(t)
		a.equal(a.packHistory(id), history) // the same verdicts again are no change

		out, err := a.aws.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: packCompliance, ResourceId: &id, Limit: 1})
		a.must(err)
		it := out.ConfigurationItems[0]
		a.equal(*it.ResourceName, "garage")
		a.equal(strings.HasSuffix(*it.Arn, ":conformance-pack/garage/"+id), true)
		var c struct {
			ConfigRuleList []struct {
				ConfigRuleName, ConfigRuleArn, ComplianceType string
				Controls                                      []string
			}
		}
		a.must(json.Unmarshal([]byte(*it.Configuration), &c))
		var rules []string
		for _, r := range c.ConfigRuleList {
			a.equal(strings.Contains(r.ConfigRuleArn, ":config-rule/"), true)
			rules = append(rules, fmt.Sprint(strings.TrimSuffix(r.ConfigRuleName, "-"+id), " ", r.ComplianceType, r.Controls))
		}
		a.equal(rules, []string{"doors NON_COMPLIANT[doors.1]", "process INSUFFICIENT_DATA[]", "wheels COMPLIANT[wheels.1]"})
		a.equal(a.selected("SELECT resourceName, configuration.nonCompliantRuleCount WHERE resourceType = '"+string(packCompliance)+"'", 0),
			[]string{`{"configuration":{"nonCompliantRuleCount":1.0},"resourceName":"garage"}`})
		_, err = a.aggregator("all", []string{a.Account()}, a.Region())
		a.must(err)
		a.equal(a.selectedOf("all", "SELECT configuration.complianceType WHERE resourceType = '"+string(packCompliance)+"'", 5),
			[]string{`{"configuration":{"complianceType":"NON_COMPLIANT"}}`})

		_, err = a.aws.DeleteConformancePack(ctx, &configservice.DeleteConformancePackInput{ConformancePackName: new("garage")})
		a.must(err)
		a.Drain(t)
		a.equal(a.packHistory(id), append(history, "ResourceDeleted"))
	})
}

// A recorder that does not record the type makes no such items; once it does, those of
// the packs that are there.
func TestTheComplianceOfAPackIsRecordedOnlyIfItsTypeIs(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		record := func(kinds ...types.ResourceType) {
			_, err := a.aws.PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
				Name: new("default"), RoleARN: new("arn:aws:iam::" + a.Account() + ":role/config"), RecordingGroup: &types.RecordingGroup{ResourceTypes: kinds}}})
			a.must(err)
			a.Drain(t)
		}
		a.running()
		record(types.ResourceTypeBucket)
		id := a.deployed("garage", resources(guardOf("wheels", "wheels", 4)))
		_, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{ResourceType: packCompliance, ResourceId: &id})
		a.refused(err, "ResourceNotDiscoveredException", "")
		record(types.ResourceTypeBucket, packCompliance)
		a.equal(a.packHistory(id), []string{"ResourceDiscovered INSUFFICIENT_DATA 0 0 1"})
	})
}
