package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/apptest"
)

const lambdaTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`

func TestIdentitiesAreRecordedLikeAnyResource(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, config, client := t.Context(), p.Config(), iam.NewFromConfig(p.SDK())
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := config.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
			Name: new("default"), RoleARN: new("arn:aws:iam::123456789012:role/config"),
			RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
		}})
		must(err)
		_, err = p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("delivered")})
		must(err)
		_, err = config.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{Name: new("default"), S3BucketName: new("delivered")}})
		must(err)
		_, err = client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("before"), AssumeRolePolicyDocument: new(lambdaTrust)})
		must(err)
		_, err = config.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: new("default")})
		must(err)
		p.Drain(t)
		made, err := client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("app"), AssumeRolePolicyDocument: new(lambdaTrust)})
		must(err)
		p.Drain(t)
		_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("app"), PolicyName: new("in"),
			PolicyDocument: new(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)})
		must(err)
		p.Drain(t)
		history, err := config.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypeRole, ResourceId: made.Role.RoleId})
		must(err)
		if n := len(history.ConfigurationItems); n != 2 || !strings.Contains(*history.ConfigurationItems[0].Configuration, `"policyName":"in"`) {
			t.Errorf("%d items of the role", n)
		}
		for _, name := range []string{"app", "before"} {
			list, err := config.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: types.ResourceTypeRole, ResourceName: &name})
			must(err)
			if len(list.ResourceIdentifiers) != 1 {
				t.Errorf("%d roles named %s", len(list.ResourceIdentifiers), name)
			}
		}
		_, err = client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: new("app"), PolicyName: new("in")})
		must(err)
		_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: new("app")})
		must(err)
		p.Drain(t)
		history, err = config.GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceTypeRole, ResourceId: made.Role.RoleId})
		must(err)
		if history.ConfigurationItems[0].ConfigurationItemStatus != types.ConfigurationItemStatusResourceDeleted {
			t.Errorf("the newest item says %s", history.ConfigurationItems[0].ConfigurationItemStatus)
		}
	})
}

func TestAccessKeysOfUsersSignRequests(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx, root := t.Context(), iam.NewFromConfig(p.Signing("AKIAALICE", "any").SDK())
	if _, err := root.CreateUser(ctx, &iam.CreateUserInput{UserName: new("ann"), Path: new("/people/")}); err != nil {
		t.Fatal(err)
	}
	key, err := root.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: new("ann")})
	if err != nil {
		t.Fatal(err)
	}
	id, secret := *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey
	who, err := p.Signing(id, secret).STS().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::111111111111:user/people/ann" || !strings.HasPrefix(*who.UserId, "AIDA") {
		t.Errorf("%+v, %v", who, err)
	}
	if _, err := p.Signing(id, "wrong").STS().GetCallerIdentity(ctx, nil); err == nil {
		t.Error("a wrong secret signs")
	}
	used, err := root.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil || used.AccessKeyLastUsed.LastUsedDate == nil || time.Since(*used.AccessKeyLastUsed.LastUsedDate) > time.Hour || *used.AccessKeyLastUsed.ServiceName != "sts" {
		t.Errorf("the key's use: %+v, %v", used, err)
	}
	_, err = root.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: new("ann"), AccessKeyId: &id, Status: iamtypes.StatusTypeInactive})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Signing(id, secret).STS().GetCallerIdentity(ctx, nil); err == nil || !strings.Contains(err.Error(), "InvalidClientTokenId") {
		t.Errorf("a key that is not active signs: %v", err)
	}
}
