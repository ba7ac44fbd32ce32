package settings

import "testing"

func TestWhereRecordsOfCloudTrailAreIsChecked(t *testing.T) {
	for trail, good := range map[string]bool{
		"": true, "https://sqs.eu-west-1.amazonaws.com/123456789012/trail": true, "http://127.0.0.1:5000/123456789012/trail": true,
		"s3://trail": true, "s3://trail/a/b": true, "s3://": false, "s3://Trail": false, "s3://trail//": false, "trail": false,
		"https://sqs.eu-west-1.amazonaws.com/trail": false, "sqs://a/b/c": false,
	} {
		if err := CheckTrail("", trail); (err == nil) != good {
			t.Errorf("%q: %v", trail, err)
		}
	}
}

func TestAnAccountWithATargetInSomeRegionHasOne(t *testing.T) {
	s := Settings{Account: "111111111111", Accounts: []Account{
		{Account: "222222222222", Region: "eu-west-1", Target: "aws"}, {Account: "333333333333", CloudTrail: "s3://trail"},
	}}
	for account, has := range map[string]bool{"111111111111": false, "222222222222": true, "333333333333": false, "444444444444": false} {
		if s.HasTarget(account) != has {
			t.Errorf("%s: %t", account, !has)
		}
	}
	if s.Target = "aws"; !s.HasTarget(s.Account) || s.HasTarget("333333333333") {
		t.Error("the default account's target is its own")
	}
}
