package app_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// A call is what the tests look at of a record.
type auditedCall struct {
	Name      string          `json:"eventName"`
	Source    string          `json:"eventSource"`
	Code      string          `json:"errorCode"`
	Account   string          `json:"recipientAccountId"`
	RequestID string          `json:"requestID"`
	Data      string          `json:"eventCategory"`
	Sent      json.RawMessage `json:"requestParameters"`
	Answered  json.RawMessage `json:"responseElements"`
	Who       struct {
		Type, ARN, AccessKeyID string
	} `json:"userIdentity"`
	IP        string `json:"sourceIPAddress"`
	Resources []struct{ ARN string }
}

func auditOf(t *testing.T, p *apptest.Plumb, query string) (all []auditedCall, text string) {
	t.Helper()
	status, text := call(t, "GET", p.URL()+"/_plumb/audit?limit=1000&"+query, "", "Authorization", "Bearer control")
	var page struct{ Records []auditedCall }
	if err := json.Unmarshal([]byte(text), &page); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s: %v", status, text, err)
	}
	return page.Records, text
}

func auditing(level string) func(*settings.Settings) {
	return func(s *settings.Settings) {
		twoAccounts(s)
		s.Audit, s.ControlToken = level, "control"
	}
}

func TestChangesAndRefusalsAreInTheAuditLog(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, alice, bob := t.Context(), p.Signing("AKIAALICE", "any"), p.Signing("AKIABOB", "any")
		out, err := alice.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := alice.SQS().ListQueues(ctx, &sqs.ListQueuesInput{}); err != nil {
			t.Fatal(err)
		}
		if _, err := alice.SQS().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: out.QueueUrl, MessageBody: aws.String("m")}); err != nil {
			t.Fatal(err)
		}
		if _, err := alice.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("theirs")}); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			second(bob.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("theirs"), Key: aws.String("k")})),
			second(bob.S3().DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("theirs")})),
			second(p.Signing("AKIABOB", "wrong").SQS().ListQueues(ctx, &sqs.ListQueuesInput{})),
			second(p.Signing("AKIANOBODY", "any").SNS().ListTopics(ctx, &sns.ListTopicsInput{})),
			second(alice.SQS().DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: aws.String(p.URL() + "/111111111111/none")})),
		} {
			if err == nil {
				t.Error("a call that should fail does not")
			}
		}
		all, _ := auditOf(t, p, "oldest=true")
		var got []string
		for _, c := range all {
			got = append(got, strings.TrimSuffix(c.Source, ".amazonaws.com")+":"+c.Name+" "+c.Account+" "+c.Who.Type+" "+c.Code)
			if c.RequestID == "" || c.IP != "127.0.0.1" {
				t.Errorf("%+v", c)
			}
		}
		want := []string{
			"sqs:CreateQueue 111111111111 IAMUser ", "s3:CreateBucket 111111111111 IAMUser ", "s3:GetObject 222222222222 IAMUser AccessDenied",
			"s3:DeleteBucket 222222222222 IAMUser AccessDenied", "sqs:ListQueues 222222222222 Unknown InvalidSignatureException",
			"sns:POST /  Unknown UnrecognizedClientException", // whose form is not read
			"sqs:DeleteQueue 111111111111 IAMUser QueueDoesNotExist",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for query, n := range map[string]int{
			"resource=orders": 1, "resource=arn:aws:sqs:us-east-1:111111111111:orders": 1, "resource=arn:aws:s3:::theirs": 3, "user=alice": 3, "user=AKIABOB": 3,
			"failed=true": 5, "account=222222222222": 3, "operation=s3:GetObject": 1,
		} {
			if found, text := auditOf(t, p, query); len(found) != n {
				t.Errorf("%s: %d calls, want %d: %s", query, len(found), n, text)
			}
		}
		if status, _ := call(t, "GET", p.URL()+"/_plumb/audit", ""); status != http.StatusUnauthorized {
			t.Errorf("without the token: %d", status)
		}
		if status, text := call(t, "GET", p.URL()+"/_plumb/audit?since=yesterday", "", "Authorization", "Bearer control"); status != http.StatusBadRequest {
			t.Errorf("a time that is none: %d %s", status, text)
		}
	}, auditing("management"))
}

func second[T any](_ T, err error) error { return err }

// Whatever kind of parameter or answer a secret stands in: it is in no part of the log.
func TestNoSecretIsInTheAuditLog(t *testing.T) {
	p := apptest.Start(t, auditing("all"))
	ctx, alice := t.Context(), p.Signing("AKIAALICE", "any")
	const secret = "TopSecret-0123456789abcdefghijklm"
	secrets := []string{secret}
	users := iam.NewFromConfig(alice.SDK())
	if _, err := users.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol")}); err != nil {
		t.Fatal(err)
	}
	key, err := users.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("carol")})
	if err != nil {
		t.Fatal(err)
	}
	session, err := alice.STS().GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, *key.AccessKey.SecretAccessKey, *session.Credentials.SecretAccessKey, *session.Credentials.SessionToken)
	zip := lambdatest.Zip(t, "f.py", []byte("# "+secret+"\ndef h(e, c): pass\n"))
	secrets = append(secrets, string(zip[:40]))
	create := &lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::111111111111:role/f"), Handler: aws.String("f.h"), Runtime: lambdatypes.RuntimePython312,
		Environment: &lambdatypes.Environment{Variables: map[string]string{"PLAIN": secret}}, Code: &lambdatypes.FunctionCode{ZipFile: zip},
	}
	if _, err := alice.Lambda().CreateFunction(ctx, create); err != nil {
		t.Fatal(err)
	}
	ignore := func(error) {} // whether it works is not asked, it is in the log either way
	create.Environment.Variables["wrong name "+secret] = secret
	ignore(second(alice.Lambda().CreateFunction(ctx, create)))
	ignore(second(alice.Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("none"), Payload: []byte(`{"p":"` + secret + `"}`)})))
	for _, password := range []string{secret, secret + "\u2028"} {
		ignore(second(users.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: aws.String("carol"), Password: &password})))
	}
	ignore(second(users.ChangePassword(ctx, &iam.ChangePasswordInput{OldPassword: aws.String(secret), NewPassword: aws.String(secret + "2")})))
	bucket := aws.String("secrets")
	if _, err := alice.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	ignore(second(alice.S3().PutObject(ctx, &s3.PutObjectInput{
		Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader(secret), SSECustomerAlgorithm: aws.String("AES256"), SSECustomerKey: aws.String(secret),
		SSECustomerKeyMD5: aws.String("x"), Metadata: map[string]string{"a": secret},
	})))
	presigned, err := s3.NewPresignClient(alice.S3()).PresignDeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	_, signature, _ := strings.Cut(presigned.URL, "X-Amz-Signature=")
	secrets = append(secrets, signature)
	call(t, "DELETE", presigned.URL, "")
	call(t, "DELETE", presigned.URL+"0", "")
	queue, err := alice.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	ignore(second(alice.SQS().SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String(secret)})))
	topic, err := alice.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})
	if err != nil {
		t.Fatal(err)
	}
	ignore(second(alice.SNS().Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String(secret)})))
	ignore(second(alice.SNS().Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("https"),
		Endpoint: aws.String("https://user:" + secret + "@example.com/?token=" + secret)})))
	ignore(second(alice.CloudFormation().CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String("s"), TemplateBody: aws.String(`{"Description":"` + secret + `","Resources":{}}`),
		Parameters: []cfntypes.Parameter{{ParameterKey: aws.String("Password"), ParameterValue: aws.String(secret)}},
	})))
	form := "Action=PutParameter&Type=SecureString&Value=" + secret
	call(t, "POST", p.URL()+"/", form, "Content-Type", "application/x-www-form-urlencoded")
	all, text := auditOf(t, p, "")
	for _, s := range secrets {
		if strings.Contains(text, s) {
			i := strings.Index(text, s)
			t.Errorf("%q is in the log: ...%s", s, text[max(0, i-300):min(len(text), i+100)])
		}
	}
	names := map[string]bool{}
	for _, c := range all {
		names[c.Name] = true
		if c.Name == "CreateFunction" && c.Code == "" && !strings.Contains(string(c.Sent), `"functionName":"f"`) {
			t.Errorf("what is no secret is not there: %s", c.Sent)
		}
		if c.Name == "CreateAccessKey" && !strings.Contains(string(c.Answered), *key.AccessKey.AccessKeyId) {
			t.Errorf("the id of the key is not there: %s", c.Answered)
		}
	}
	for _, name := range []string{"CreateAccessKey", "GetSessionToken", "CreateFunction", "Invoke", "PutObject", "DeleteObject", "SendMessage", "Publish", "Subscribe", "CreateStack"} {
		if !names[name] {
			t.Errorf("%s is not in the log", name)
		}
	}
}

func TestCallsAreDeliveredToABucketAndOutliveARestart(t *testing.T) {
	p := apptest.Start(t, func(s *settings.Settings) { s.AuditBucket, s.AuditPrefix = "trail", "plumb" })
	ctx := t.Context()
	if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("trail")}); err != nil {
		t.Fatal(err)
	}
	p.Restart(t)
	if all, _ := auditOf(t, p, "operation=CreateBucket"); len(all) != 1 || all[0].Who.Type != "Root" {
		t.Errorf("after a restart: %+v", all)
	}
	p.Clock().Advance(6 * 60e9)
	p.Drain(t)
	list, err := p.S3().ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("trail")})
	if err != nil || len(list.Contents) != 1 || !strings.HasPrefix(*list.Contents[0].Key, "plumb/AWSLogs/123456789012/CloudTrail/us-east-1/") {
		t.Errorf("%+v, %v", list, err)
	}
}

// relatedEvents of a configuration item are the ids of calls in the audit log.
func TestItemsNameTheCallsThatMadeThem(t *testing.T) {
	run := func(level string) (named []string, found []auditedCall) {
		p := apptest.Start(t, func(s *settings.Settings) { s.Audit = level })
		if err := p.Record(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.SNS().CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders")}); err != nil {
			t.Fatal(err)
		}
		p.Drain(t)
		history, err := p.Config().GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
			ResourceType: "AWS::SNS::Topic", ResourceId: aws.String("arn:aws:sns:us-east-1:123456789012:orders"),
		})
		if err != nil || len(history.ConfigurationItems) != 1 {
			t.Fatalf("%v, %v", history, err)
		}
		named = history.ConfigurationItems[0].RelatedEvents
		if len(named) > 0 {
			found, _ = auditOf(t, p, "event="+named[0])
		}
		return named, found
	}
	if named, found := run("management"); len(named) != 1 || len(found) != 1 || found[0].Name != "CreateTopic" {
		t.Errorf("the item names %q, which is %+v", named, found)
	}
	if named, _ := run("off"); len(named) != 0 {
		t.Errorf("without an audit log the item names %q", named)
	}
}
