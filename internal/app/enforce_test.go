package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// signing makes a user with an inline policy and returns the server as its key sees it.
func signing(t *testing.T, p *apptest.Plumb, rootKey, name, document string) *apptest.Plumb {
	t.Helper()
	ctx, root := t.Context(), iam.NewFromConfig(p.Signing(rootKey, "any").SDK())
	if _, err := root.CreateUser(ctx, &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if document != "" {
		if _, err := root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: new("own"), PolicyDocument: &document}); err != nil {
			t.Fatal(err)
		}
	}
	key, err := root.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return p.Signing(*key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey)
}

func allowing(actions, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.ReplaceAll(actions, " ", `","`) + `"],"Resource":"` + resource + `"}]}`
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

func refusedFor(err error) bool {
	c := code(err)
	return c == "AccessDenied" || c == "AccessDeniedException" || c == "AuthorizationError"
}

// Of each service a user who may do one thing can do that, on the resource that its
// policy names, and nothing else.
func TestALeastPrivilegeUserDoesWhatItMayAndNothingElse(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx, root := t.Context(), p.Signing("AKIAALICE", "any")
	const at = "us-east-1:111111111111:"
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := root.Config().PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &configtypes.ConfigurationRecorder{
		Name: new("default"), RoleARN: new("arn:aws:iam::111111111111:role/config")}})
	must(err)
	for _, b := range []string{"ours", "others"} {
		_, err := root.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b})
		must(err)
		_, err = root.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: &b, Key: new("k"), Body: strings.NewReader("x")})
		must(err)
		_, err = root.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: &b})
		must(err)
		_, err = root.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &b})
		must(err)
		_, err = root.Config().PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
			ConfigRuleName: &b, Source: &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	rules, err := root.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"ours"}})
	must(err)
	ourRule := *rules.ConfigRules[0].ConfigRuleArn
	url := func(name string) *string { return new(p.URL() + "/111111111111/" + name) }

	type call func(ctx context.Context, as *apptest.Plumb) error
	for _, c := range []struct {
		name, policy   string
		allowed        call
		elsewhere      call // the same on another resource
		another        call // another action on the same
		codeOfRefusals string
		words          string
	}{
		{"s3", allowing("s3:GetObject", "arn:aws:s3:::ours/*"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: new("ours"), Key: new("k")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: new("others"), Key: new("k")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: new("ours"), Key: new("k"), Body: strings.NewReader("y")})
				return err
			}, "AccessDenied", "is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::ours/k because no identity-based policy allows the s3:PutObject action"},
		{"sns", allowing("sns:Publish", "arn:aws:sns:"+at+"ours"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SNS().Publish(ctx, &sns.PublishInput{TopicArn: new("arn:aws:sns:" + at + "ours"), Message: new("m")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SNS().Publish(ctx, &sns.PublishInput{TopicArn: new("arn:aws:sns:" + at + "others"), Message: new("m")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SNS().DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: new("arn:aws:sns:" + at + "ours")})
				return err
			}, "AuthorizationError", "SNS:DeleteTopic"},
		{"sqs", allowing("sqs:SendMessage", "arn:aws:sqs:"+at+"ours"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SQS().SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url("ours"), Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: new("a"), MessageBody: new("m")}}})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SQS().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url("others"), MessageBody: new("m")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url("ours")})
				return err
			}, "AccessDenied", "sqs:ReceiveMessage"},
		{"config", allowing("config:DescribeConfigRules config:DeleteEvaluationResults", ourRule),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"ours"}})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Config().DescribeConfigRules(ctx, &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"ours", "others"}})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Config().DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: new("ours")})
				return err
			}, "AccessDeniedException", "is not authorized to perform: config:DeleteConfigRule on resource: " + ourRule},
		{"iam", allowing("iam:GetUser iam:ListAccessKeys", "arn:aws:iam::111111111111:user/${aws:username}"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := iam.NewFromConfig(as.SDK()).ListAccessKeys(ctx, &iam.ListAccessKeysInput{})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := iam.NewFromConfig(as.SDK()).GetUser(ctx, &iam.GetUserInput{UserName: new("user-s3")})
				return err
			}, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := iam.NewFromConfig(as.SDK()).AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: new("user-iam"), PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess")})
				return err
			}, "AccessDenied", "iam:AttachUserPolicy"},
		{"organizations", allowing("organizations:CreateOrganization", "*"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Organizations().CreateOrganization(ctx, &organizations.CreateOrganizationInput{})
				return err
			}, nil, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Organizations().DeleteOrganization(ctx, &organizations.DeleteOrganizationInput{})
				return err
			}, "AccessDeniedException", "organizations:DeleteOrganization"},
		{"ssm", allowing("ssm:ListDocuments", "*"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := ssm.NewFromConfig(as.SDK()).ListDocuments(ctx, &ssm.ListDocumentsInput{})
				return err
			}, nil, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := ssm.NewFromConfig(as.SDK()).DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: new("document")})
				return err
			}, "AccessDeniedException", "ssm:DeleteDocument on resource: arn:aws:ssm:us-east-1:111111111111:document/document"},
		{"lambda", allowing("lambda:ListFunctions", "*"),
			func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Lambda().ListFunctions(ctx, &lambda.ListFunctionsInput{})
				return err
			}, nil, func(ctx context.Context, as *apptest.Plumb) error {
				_, err := as.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: new("f")})
				return err
			}, "AccessDeniedException", "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111111111111:function:f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			as := signing(t, p, "AKIAALICE", "user-"+c.name, c.policy)
			if err := c.allowed(ctx, as); err != nil {
				t.Errorf("what it may: %v", err)
			}
			if c.elsewhere != nil {
				if err := c.elsewhere(ctx, as); code(err) != c.codeOfRefusals {
					t.Errorf("the same elsewhere: %v", err)
				}
			}
			if err := c.another(ctx, as); code(err) != c.codeOfRefusals || !strings.Contains(err.Error(), c.words) {
				t.Errorf("another action: %v, want %s: %s", err, c.codeOfRefusals, c.words)
			}
		})
	}
}

func TestARoleIsHandedToAFunctionByWhoMayPassIt(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	const role = "arn:aws:iam::111111111111:role/judge"
	create := func(as *apptest.Plumb) error {
		_, err := as.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: new("f"), Role: new(role), Handler: new("f.h"), Runtime: lambdatypes.RuntimePython312,
			Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "f.py", []byte("def h(e, c): pass\n"))},
		})
		return err
	}
	if err := create(signing(t, p, "AKIAALICE", "maker", allowing("lambda:*", "*"))); !refusedFor(err) || !strings.Contains(err.Error(), "iam:PassRole on resource: "+role) {
		t.Errorf("without iam:PassRole: %v", err)
	}
	if err := create(signing(t, p, "AKIAALICE", "passer", allowing("lambda:* iam:PassRole", "*"))); err != nil {
		t.Error(err)
	}
}

func TestBoundariesAndDeniesAndGroupsCount(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx, root := t.Context(), iam.NewFromConfig(p.Signing("AKIAALICE", "any").SDK())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(as *apptest.Plumb) error {
		_, err := as.SNS().ListTopics(ctx, &sns.ListTopicsInput{})
		return err
	}
	ann := signing(t, p, "AKIAALICE", "ann", "")
	if err := list(ann); !refusedFor(err) {
		t.Errorf("without a policy: %v", err)
	}
	_, err := root.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: new("g")})
	must(err)
	_, err = root.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: new("g"), PolicyArn: new("arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess")})
	must(err)
	_, err = root.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: new("g"), UserName: new("ann")})
	must(err)
	must(list(ann))
	boundary, err := root.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: new("edge"), PolicyDocument: new(allowing("sqs:*", "*"))})
	must(err)
	_, err = root.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: new("ann"), PermissionsBoundary: boundary.Policy.Arn})
	must(err)
	if err := list(ann); !refusedFor(err) || !strings.Contains(err.Error(), "because no permissions boundary allows the SNS:ListTopics action") {
		t.Errorf("beyond the boundary: %v", err)
	}
	_, err = root.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: new("ann")})
	must(err)
	_, err = root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: new("ann"), PolicyName: new("no"),
		PolicyDocument: new(strings.Replace(allowing("sns:List*", "*"), "Allow", "Deny", 1))})
	must(err)
	if err := list(ann); !refusedFor(err) || !strings.Contains(err.Error(), "with an explicit deny in an identity-based policy") {
		t.Errorf("denied: %v", err)
	}
}

func TestOneAccountUsesWhatAnothersPolicyAndItsOwnAllow(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx, alice, bob := t.Context(), p.Signing("AKIAALICE", "any"), p.Signing("AKIABOB", "any")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := alice.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("shared")})
	must(err)
	_, err = alice.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: new("shared"), Key: new("open/k"), Body: strings.NewReader("x")})
	must(err)
	get := func(as *apptest.Plumb, key string) error {
		_, err := as.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: new("shared"), Key: &key})
		return err
	}
	if err := get(bob, "open/k"); code(err) != "AccessDenied" {
		t.Errorf("before: %v", err)
	}
	_, err = alice.S3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: new("shared"), Policy: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:*Object","Resource":"arn:aws:s3:::shared/open/*"},` +
			`{"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::shared/open/kept"}]}`)})
	must(err)
	must(get(bob, "open/k"))
	if err := get(bob, "closed/k"); code(err) != "AccessDenied" {
		t.Errorf("another key: %v", err)
	}
	if err := get(signing(t, p, "AKIABOB", "weak", allowing("s3:ListBucket", "*")), "open/k"); code(err) != "AccessDenied" {
		t.Errorf("whose own policy does not allow it: %v", err)
	}
	must(get(signing(t, p, "AKIABOB", "strong", allowing("s3:GetObject", "*")), "open/k"))
	gone, err := bob.S3().DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: new("shared"), Delete: &s3types.Delete{Objects: []s3types.ObjectIdentifier{
		{Key: new("open/k")}, {Key: new("open/kept")}, {Key: new("closed")}}}})
	if err != nil || len(gone.Deleted) != 1 || len(gone.Errors) != 2 {
		t.Errorf("deleted %+v, %v", gone, err)
	}

	q, err := alice.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: new("in"), Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},"Action":"sqs:SendMessage","Resource":"*"}}`}})
	must(err)
	_, err = bob.SQS().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.QueueUrl, MessageBody: new("m")})
	must(err)
	if _, err = bob.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: q.QueueUrl}); err == nil {
		t.Error("what the policy does not allow was done")
	}
}

func TestARoleIsAssumedByWhomItTrusts(t *testing.T) {
	p := apptest.Start(t, twoAccounts)
	ctx, root := t.Context(), iam.NewFromConfig(p.Signing("AKIAALICE", "any").SDK())
	trusting := func(name, principal, condition string) string {
		out, err := root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, Path: new("/x/"), AssumeRolePolicyDocument: new(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{` + condition + `}}}`)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = root.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: new("own"), PolicyDocument: new(allowing("sns:ListTopics sqs:ListQueues", "*"))})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Role.Arn
	}
	foreign := trusting("foreign", "222222222222", `"StringEquals":{"sts:ExternalId":"secret"}`)
	own := trusting("own", "arn:aws:iam::111111111111:root", `"StringEquals":{"aws:RequestTag/team":"a"}`)
	named := trusting("named", "arn:aws:iam::111111111111:user/weak", ``)
	assume := func(as *apptest.Plumb, in sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
		in.RoleSessionName = new("me")
		return as.STS().AssumeRole(ctx, &in)
	}
	weak := signing(t, p, "AKIAALICE", "weak", "")
	strong := signing(t, p, "AKIAALICE", "strong", allowing("sts:*", "*"))
	bob := p.Signing("AKIABOB", "any")
	tags := []ststypes.Tag{{Key: new("team"), Value: new("a")}}
	for name, c := range map[string]struct {
		as   *apptest.Plumb
		in   sts.AssumeRoleInput
		want string
	}{
		"with the external id":               {bob, sts.AssumeRoleInput{RoleArn: &foreign, ExternalId: new("secret")}, ""},
		"without it":                         {bob, sts.AssumeRoleInput{RoleArn: &foreign}, "AccessDenied"},
		"whose account is not trusted":       {weak, sts.AssumeRoleInput{RoleArn: &foreign, ExternalId: new("secret")}, "AccessDenied"},
		"who is named":                       {weak, sts.AssumeRoleInput{RoleArn: &named}, ""},
		"who is not named and may otherwise": {strong, sts.AssumeRoleInput{RoleArn: &named}, "AccessDenied"},
		"whose account is trusted":           {strong, sts.AssumeRoleInput{RoleArn: &own, Tags: tags}, ""},
		"without the tag":                    {strong, sts.AssumeRoleInput{RoleArn: &own}, "AccessDenied"},
		"without a policy":                   {weak, sts.AssumeRoleInput{RoleArn: &own, Tags: tags}, "AccessDenied"},
		"with a source identity that the role does not take": {strong, sts.AssumeRoleInput{RoleArn: &own, Tags: tags, SourceIdentity: new("ann")}, "AccessDenied"},
		"for too long":            {bob, sts.AssumeRoleInput{RoleArn: &foreign, ExternalId: new("secret"), DurationSeconds: new(int32(7200))}, "ValidationError"},
		"a role that is not":      {strong, sts.AssumeRoleInput{RoleArn: new("arn:aws:iam::111111111111:role/none")}, "AccessDenied"},
		"a role without its path": {weak, sts.AssumeRoleInput{RoleArn: new("arn:aws:iam::111111111111:role/named")}, "AccessDenied"},
	} {
		if _, err := assume(c.as, c.in); code(err) != c.want || c.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	out, err := assume(weak, sts.AssumeRoleInput{RoleArn: &named, Policy: new(allowing("sns:*", "*"))})
	if err != nil {
		t.Fatal(err)
	}
	as := p.Temporary(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	if _, err := as.SNS().ListTopics(ctx, &sns.ListTopicsInput{}); err != nil {
		t.Errorf("what role and session policy allow: %v", err)
	}
	if _, err := as.SQS().ListQueues(ctx, &sqs.ListQueuesInput{}); !refusedFor(err) || !strings.Contains(err.Error(), "because no session policy allows") {
		t.Errorf("what the session policy does not allow: %v", err)
	}
	if _, err := as.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: new("t")}); !refusedFor(err) {
		t.Errorf("what the role may not: %v", err)
	}
}

// TestAnAuthorTestsALeastPrivilegeRoleInDevelopmentMode has policies asked where every
// key is taken: the account's own does everything, a role and a user what theirs allow.
func TestAnAuthorTestsALeastPrivilegeRoleInDevelopmentMode(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, own := t.Context(), p.As("111111111111", "us-east-1")
		_, err := own.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: new("reports")})
		must(t, err)
		role, err := iam.NewFromConfig(own.SDK()).CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("rule"), AssumeRolePolicyDocument: new(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root","Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)})
		must(t, err)
		_, err = iam.NewFromConfig(own.SDK()).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("rule"), PolicyName: new("least"),
			PolicyDocument: new(allowing("s3:GetBucketVersioning", "arn:aws:s3:::reports"))})
		must(t, err)
		got, err := own.STS().AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: new("author")})
		must(t, err)
		as := own.Temporary(*got.Credentials.AccessKeyId, *got.Credentials.SecretAccessKey, *got.Credentials.SessionToken)
		if _, err := as.S3().GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: new("reports")}); err != nil {
			t.Errorf("what the role may do: %v", err)
		}
		for name, do := range map[string]func() error{
			"another action on the bucket": func() error {
				_, err := as.S3().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: new("reports")})
				return err
			},
			"another service": func() error { _, err := as.SQS().ListQueues(ctx, &sqs.ListQueuesInput{}); return err },
			"its own policy": func() error {
				_, err := iam.NewFromConfig(as.SDK()).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("rule"), PolicyName: new("least"), PolicyDocument: new(allowing("*", "*"))})
				return err
			},
		} {
			if err := do(); !refusedFor(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}, func(s *settings.Settings) { s.IAM = "enforce" })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
