package config_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"plumb/internal/apptest"
)

func (a account) retention(days int32) error {
	_, err := a.aws.PutRetentionConfiguration(a.t.Context(), &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: &days})
	return err
}

func (a account) retentions(names ...string) ([]types.RetentionConfiguration, error) {
	out, err := a.aws.DescribeRetentionConfigurations(a.t.Context(), &configservice.DescribeRetentionConfigurationsInput{RetentionConfigurationNames: names})
	if err != nil {
		return nil, err
	}
	return out.RetentionConfigurations, nil
}

func TestAPlaceHasOneRetentionConfiguration(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		none, err := a.retentions()
		a.must(err)
		a.equal(len(none), 0)
		_, err = a.retentions("default")
		a.refused(err, "NoSuchRetentionConfigurationException", "Cannot find retention configuration with the specified name 'default'.")
		a.refused(a.retention(29), "ValidationException", "Value '29' at 'retentionPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 30")
		a.refused(a.retention(2558), "ValidationException", "Member must have value less than or equal to 2557")
		for _, days := range []int32{30, 2557, 365} {
			a.must(a.retention(days))
			for _, names := range [][]string{nil, {"default"}} {
				found, err := a.retentions(names...)
				a.must(err)
				a.equal(len(found), 1)
				a.equal(*found[0].Name, "default")
				a.equal(*found[0].RetentionPeriodInDays, days)
			}
		}
		_, err = a.retentions("other")
		a.refused(err, "NoSuchRetentionConfigurationException", "'other'")
		_, err = a.retentions("default", "default")
		a.refused(err, "ValidationException", "retentionConfigurationNames")
		_, err = a.aws.DescribeRetentionConfigurations(t.Context(), &configservice.DescribeRetentionConfigurationsInput{NextToken: new("x")})
		a.refused(err, "InvalidNextTokenException", "")
		elsewhere := open(t, p.As(p.Account(), "ap-south-1"))
		found, err := elsewhere.retentions()
		a.must(err)
		a.equal(len(found), 0)
		remove := func(name string) error {
			_, err := a.aws.DeleteRetentionConfiguration(t.Context(), &configservice.DeleteRetentionConfigurationInput{RetentionConfigurationName: &name})
			return err
		}
		a.refused(remove("other"), "NoSuchRetentionConfigurationException", "'other'")
		p.Restart(t)
		a = open(t, p)
		a.must(remove("default"))
		a.refused(remove("default"), "NoSuchRetentionConfigurationException", "'default'")
	})
}

func TestWhatIsOlderThanTheRetentionIsNoLongerAnswered(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		a := open(t, p)
		a.running()
		a.must(a.retention(30))
		history := func() int {
			out, err := a.aws.GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
				ResourceType: custom, ResourceId: new("car"),
			})
			a.must(err)
			return len(out.ConfigurationItems)
		}
		for _, seats := range []string{"2", "3", "4", "5"} {
			a.push("car", `{"seats":`+seats+`}`)
			p.Clock().Advance(20 * 24 * time.Hour)
			p.Drain(t)
		}
		// Items of 80, 60, 40 and 20 days ago: the one of 40 days ago was true 30 days ago.
		a.equal(history(), 2)
	})
}
