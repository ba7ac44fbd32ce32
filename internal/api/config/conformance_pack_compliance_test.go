package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

// garage starts a recorder, deploys a pack of three rules on cars, one of which says
// nothing, and pushes five cars.
func (a account) garage() (id string) {
	a.t.Helper()
	a.running()
	return a.cars()
}

func (a account) cars() (id string) {
	a.t.Helper()
	id = a.deployed("garage", resources(guardOf("wheels", "wheels", 4), guardOf("doors", "doors", 2), ruleOf("P", "process", "AWS_CONFIG_PROCESS_CHECK")))
	for n, car := range []string{`{"wheels":2,"doors":0}`, `{"wheels":4,"doors":5}`, `{"wheels":3,"doors":2}`, `{"wheels":4,"doors":4}`, `{"wheels":6,"doors":1}`} {
		a.push(fmt.Sprintf("car-%d", n), car)
	}
	a.Drain(a.t)
	return id
}

func TestComplianceOfAPackIsThatOfItsRules(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		id := a.garage()
		ctx := t.Context()
		ask := func(f *types.ConformancePackComplianceFilters) (got []string) {
			t.Helper()
			in := &configservice.DescribeConformancePackComplianceInput{ConformancePackName: new("garage"), Filters: f, Limit: 1}
			pages := configservice.NewDescribeConformancePackCompliancePaginator(a.aws, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				a.must(err)
				for _, r := range page.ConformancePackRuleComplianceList {
					got = append(got, strings.TrimSuffix(*r.ConfigRuleName, "-"+id)+" "+string(r.ComplianceType)+fmt.Sprint(r.Controls))
				}
			}
			return got
		}
		a.equal(ask(nil), []string{"doors NON_COMPLIANT[doors.1]", "process INSUFFICIENT_DATA[]", "wheels NON_COMPLIANT[wheels.1]"})
		a.equal(len(ask(&types.ConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeCompliant})), 0)
		a.must(a.putExternal("process-"+id, types.ComplianceTypeCompliant, time.Now()))
		a.equal(ask(&types.ConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeCompliant}), []string{"process COMPLIANT[]"})
		a.equal(len(ask(&types.ConformancePackComplianceFilters{ConfigRuleNames: []string{"wheels-" + id, "doors-" + id}})), 2)

		describe := func(f *types.ConformancePackComplianceFilters, token string) error {
			_, err := a.aws.DescribeConformancePackCompliance(ctx, &configservice.DescribeConformancePackComplianceInput{
				ConformancePackName: new("garage"), Filters: f, NextToken: &token})
			return err
		}
		a.refused(describe(&types.ConformancePackComplianceFilters{ConfigRuleNames: []string{"wheels"}}, ""), "NoSuchConfigRuleInConformancePackException", "'wheels'")
		a.refused(describe(&types.ConformancePackComplianceFilters{ComplianceType: types.ConformancePackComplianceTypeInsufficientData}, ""), "InvalidParameterValueException", "INSUFFICIENT_DATA")
		a.refused(describe(nil, "garbage"), "InvalidNextTokenException", "")
		_, err := a.aws.DescribeConformancePackCompliance(ctx, &configservice.DescribeConformancePackComplianceInput{ConformancePackName: new("nobody")})
		a.refused(err, "NoSuchConformancePackException", "nobody")
		_, err = a.aws.DescribeConformancePackCompliance(ctx, &configservice.DescribeConformancePackComplianceInput{ConformancePackName: new("garage"), Limit: 1001})
		a.refused(err, "InvalidLimitException", "1000")
	})
}

func TestDetailsOfAPackAreThoseOfItsRules(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		id := a.garage()
		ask := func(n int32, f *types.ConformancePackEvaluationFilters) (got []string) {
			t.Helper()
			in := &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: new("garage"), Filters: f, Limit: n}
			for {
				page, err := a.aws.GetConformancePackComplianceDetails(t.Context(), in)
				a.must(err)
				if len(page.ConformancePackRuleEvaluationResults) > int(n) {
					t.Errorf("a page of %d has %d results", n, len(page.ConformancePackRuleEvaluationResults))
				}
				for _, r := range page.ConformancePackRuleEvaluationResults {
					q := r.EvaluationResultIdentifier.EvaluationResultQualifier
					if r.ResultRecordedTime == nil || r.ConfigRuleInvokedTime == nil {
						t.Errorf("%+v", r)
					}
					got = append(got, strings.TrimSuffix(*q.ConfigRuleName, "-"+id)+" "+*q.ResourceId+" "+string(r.ComplianceType))
				}
				if page.NextToken == nil {
					return got
				}
				in.NextToken = page.NextToken
			}
		}
		want := []string{"doors car-0 NON_COMPLIANT", "doors car-1 COMPLIANT", "doors car-2 COMPLIANT", "doors car-3 COMPLIANT", "doors car-4 NON_COMPLIANT",
			"wheels car-0 NON_COMPLIANT", "wheels car-1 COMPLIANT", "wheels car-2 NON_COMPLIANT", "wheels car-3 COMPLIANT", "wheels car-4 COMPLIANT"}
		for _, n := range []int32{1, 3, 5, 100} {
			a.equal(ask(n, nil), want)
			a.equal(ask(n, &types.ConformancePackEvaluationFilters{ResourceType: new(custom)}), want)
		}
		a.equal(ask(1, &types.ConformancePackEvaluationFilters{ComplianceType: types.ConformancePackComplianceTypeNonCompliant, ConfigRuleNames: []string{"wheels-" + id}}),
			[]string{want[5], want[7]})
		a.equal(ask(1, &types.ConformancePackEvaluationFilters{ResourceType: new(custom), ResourceIds: []string{"car-4", "car-0", "car-9"}}),
			[]string{want[0], want[4], want[5], want[9]})
		a.equal(len(ask(10, &types.ConformancePackEvaluationFilters{ResourceType: new("AWS::S3::Bucket")})), 0)
		a.equal(len(ask(10, &types.ConformancePackEvaluationFilters{ResourceType: new("Nobody::Knows::This")})), 0)
		get := func(f *types.ConformancePackEvaluationFilters) error {
			_, err := a.aws.GetConformancePackComplianceDetails(t.Context(), &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: new("garage"), Filters: f})
			return err
		}
		a.refused(get(&types.ConformancePackEvaluationFilters{ResourceIds: []string{"car-0"}}), "InvalidParameterValueException", "The ResourceType must be specified")
		a.refused(get(&types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{"wheels"}}), "NoSuchConfigRuleInConformancePackException", "'wheels'")
		a.refused(get(&types.ConformancePackEvaluationFilters{ComplianceType: types.ConformancePackComplianceTypeInsufficientData}), "InvalidParameterValueException", "INSUFFICIENT_DATA")
		a.refused(get(&types.ConformancePackEvaluationFilters{ResourceType: new(custom), ResourceIds: []string{"1", "2", "3", "4", "5", "6"}}), "ValidationException", "less than or equal to 5")
	})
}

func TestSummaryAndScoresFollowTheVerdicts(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.garage()
		a.deployed("all-well", resources(guardOf("doors", "doors", 0)))
		a.deployed("silent", resources(ruleOf("P", "process", "AWS_CONFIG_PROCESS_CHECK")))
		a.deployed("Mixed", resources(guardOf("doors", "doors", 0), guardOf("wheels", "wheels", 7), ruleOf("P", "process", "AWS_CONFIG_PROCESS_CHECK")))
		ctx := t.Context()
		sum := func(names ...string) (got []string) {
			t.Helper()
			in := &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: names, Limit: 2}
			pages := configservice.NewGetConformancePackComplianceSummaryPaginator(a.aws, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				a.must(err)
				for _, s := range page.ConformancePackComplianceSummaryList {
					got = append(got, *s.ConformancePackName+" "+string(s.ConformancePackComplianceStatus))
				}
			}
			return got
		}
		a.equal(sum("garage", "all-well", "silent", "Mixed"), []string{"Mixed NON_COMPLIANT", "all-well COMPLIANT", "garage NON_COMPLIANT", "silent INSUFFICIENT_DATA"})
		_, err := a.aws.GetConformancePackComplianceSummary(ctx, &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: []string{"garage", "nobody"}})
		a.refused(err, "NoSuchConformancePackException", "nobody")
		_, err = a.aws.GetConformancePackComplianceSummary(ctx, &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: []string{"1", "2", "3", "4", "5", "6"}})
		a.refused(err, "ValidationException", "conformancePackNames")

		scores := func(in configservice.ListConformancePackComplianceScoresInput) (got []string) {
			t.Helper()
			for {
				page, err := a.aws.ListConformancePackComplianceScores(ctx, &in)
				a.must(err)
				for _, s := range page.ConformancePackComplianceScores {
					got = append(got, *s.ConformancePackName+" "+*s.Score)
				}
				if page.NextToken == nil {
					return got
				}
				in.NextToken = page.NextToken
			}
		}
		byName := []string{"Mixed 50.00", "all-well 100.00", "garage 60.00", "silent INSUFFICIENT_DATA"}
		byScore := []string{"Mixed 50.00", "garage 60.00", "all-well 100.00", "silent INSUFFICIENT_DATA"}
		back := func(list []string) (out []string) {
			for i := range list {
				out = append(out, list[len(list)-1-i])
			}
			return out
		}
		for _, n := range []int32{0, 1, 3} {
			a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Limit: n}), byName)
			a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Limit: n, SortOrder: types.SortOrderDescending}), back(byName))
			a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Limit: n, SortBy: types.SortByScore}), byScore)
			a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Limit: n, SortBy: types.SortByScore, SortOrder: types.SortOrderDescending}), back(byScore))
		}
		only := &types.ConformancePackComplianceScoresFilters{ConformancePackNames: []string{"garage", "nobody"}}
		a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Filters: only}), []string{"garage 60.00"})
		_, err = a.aws.ListConformancePackComplianceScores(ctx, &configservice.ListConformancePackComplianceScoresInput{NextToken: new("x")})
		a.refused(err, "InvalidNextTokenException", "")
		_, err = a.aws.ListConformancePackComplianceScores(ctx, &configservice.ListConformancePackComplianceScoresInput{SortBy: "NAME"})
		a.refused(err, "ValidationException", "sortBy")

		a.push("car-0", `{"wheels":9,"doors":9}`)
		a.Drain(t)
		a.equal(scores(configservice.ListConformancePackComplianceScoresInput{Filters: only}), []string{"garage 80.00"})
	})
}
