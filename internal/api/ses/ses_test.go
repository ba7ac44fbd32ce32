package ses_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
)

// A fixture is the domain example.com, an active rule set "inbox", a function "f" that
// prints its events and a bucket "mails" that takes what SES writes.
type fixture struct {
	*testing.T
	p        *apptest.Plumb
	ses      *ses.Client
	function string
}

func (f *fixture) must(_ any, err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	f := &fixture{T: t, p: p, ses: ses.NewFromConfig(p.SDK()), function: p.MakeFunction(t, "f", apptest.EventPrinter)}
	ctx := t.Context()
	f.must(f.ses.VerifyDomainIdentity(ctx, &ses.VerifyDomainIdentityInput{Domain: aws.String("example.com")}))
	f.must(f.ses.CreateReceiptRuleSet(ctx, &ses.CreateReceiptRuleSetInput{RuleSetName: aws.String("inbox")}))
	f.must(p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("mails")}))
	f.must(p.S3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("mails"), Policy: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Principal": {"Service": "ses.amazonaws.com"}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::mails/*",
		"Condition": {"StringEquals": {"AWS:SourceAccount": "` + p.Account() + `"}}}]}`)}))
	f.permit("f")
	return f
}

func (f *fixture) permit(function string) {
	f.Helper()
	f.must(f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: &function, StatementId: aws.String("ses"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("ses.amazonaws.com"),
		SourceAccount: aws.String(f.p.Account()),
	}))
}

func (f *fixture) rule(name, after string, recipients []string, actions ...types.ReceiptAction) error {
	in := &ses.CreateReceiptRuleInput{RuleSetName: aws.String("inbox"), Rule: &types.ReceiptRule{
		Name: &name, Enabled: true, Recipients: recipients, Actions: actions, ScanEnabled: true,
	}}
	if after != "" {
		in.After = &after
	}
	_, err := f.ses.CreateReceiptRule(f.Context(), in)
	return err
}

func (f *fixture) activate() {
	f.Helper()
	f.must(f.ses.SetActiveReceiptRuleSet(f.Context(), &ses.SetActiveReceiptRuleSetInput{RuleSetName: aws.String("inbox")}))
}

const raw = "From: A <a@example.org>\r\nTo: b@example.com\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"

func (f *fixture) send(to string) error {
	return smtp.SendMail(f.p.Listener("smtp"), nil, "a@example.org", []string{to}, []byte(raw))
}

func isCode(err error, code string) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && e.ErrorCode() == code
}

// answered reports whether a mail server refused with a code.
func answered(err error, code int, enhanced string) bool {
	e, ok := errors.AsType[*textproto.Error](err)
	return ok && e.Code == code && strings.HasPrefix(e.Msg, enhanced+" ")
}

func invoke(function string, kind types.InvocationType) types.ReceiptAction {
	return types.ReceiptAction{LambdaAction: &types.LambdaAction{FunctionArn: &function, InvocationType: kind}}
}

func TestMailGoesThroughTheActionsOfARuleInTheirOrder(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		topic, err := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("mail")})
		f.must(topic, err)
		queue, err := p.SQS().CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q"), Attributes: map[string]string{
			"Policy": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}`,
		}})
		f.must(queue, err)
		f.must(p.SNS().Subscribe(ctx, &sns.SubscribeInput{
			TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:" + p.Region() + ":" + p.Account() + ":q"),
			Attributes: map[string]string{"RawMessageDelivery": "true"},
		}))
		f.must(nil, f.rule("all", "", []string{"example.com"},
			types.ReceiptAction{AddHeaderAction: &types.AddHeaderAction{HeaderName: aws.String("X-Added"), HeaderValue: aws.String("yes")}},
			types.ReceiptAction{S3Action: &types.S3Action{BucketName: aws.String("mails"), ObjectKeyPrefix: aws.String("in/")}},
			invoke(f.function, types.InvocationTypeEvent),
			types.ReceiptAction{SNSAction: &types.SNSAction{TopicArn: topic.TopicArn}},
			types.ReceiptAction{StopAction: &types.StopAction{Scope: types.StopScopeRuleSet}},
		))
		f.must(nil, f.rule("never", "all", nil, invoke(f.function, types.InvocationTypeEvent)))
		if at := p.Listener("smtp"); at != "" {
			t.Fatalf("mail is received at %s, and no rule set is active", at)
		}
		f.activate()
		f.must(nil, f.send("b@example.com"))
		p.Drain(t)
		printed := p.Printed(t, "f")
		if len(printed) != 1 {
			t.Fatalf("the function got %d events: %v", len(printed), printed)
		}
		text := printed[0][max(0, strings.IndexByte(printed[0], '{')):]
		var event struct {
			Records []struct {
				EventSource, EventVersion string
				SES                       struct {
					Mail    map[string]any
					Receipt map[string]any
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		r := event.Records[0]
		id, _ := r.SES.Mail["messageId"].(string)
		if r.EventSource != "aws:ses" || r.EventVersion != "1.0" || len(id) != 40 {
			t.Errorf("record %+v", r)
		}
		for member, want := range map[string]string{
			"source": `"a@example.org"`, "destination": `["b@example.com"]`, "headersTruncated": "false",
			"commonHeaders": `{"from":["A \u003ca@example.org\u003e"],"messageId":"\u003c1@example.org\u003e","returnPath":"a@example.org","subject":"hello","to":["b@example.com"]}`,
		} {
			if got, _ := json.Marshal(r.SES.Mail[member]); string(got) != want {
				t.Errorf("mail.%s is %s, want %s", member, got, want)
			}
		}
		for member, want := range map[string]string{
			"recipients": `["b@example.com"]`, "spamVerdict": `{"status":"PASS"}`, "virusVerdict": `{"status":"PASS"}`, "spfVerdict": `{"status":"GRAY"}`,
			"dkimVerdict": `{"status":"GRAY"}`, "dmarcVerdict": `{"status":"GRAY"}`,
			"action": `{"functionArn":"` + f.function + `","invocationType":"Event","type":"Lambda"}`,
		} {
			if got, _ := json.Marshal(r.SES.Receipt[member]); string(got) != want {
				t.Errorf("receipt.%s is %s, want %s", member, got, want)
			}
		}
		object, err := p.S3().GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("mails"), Key: aws.String("in/" + id)})
		f.must(object, err)
		if body, _ := io.ReadAll(object.Body); string(body) != "X-Added: yes\r\n"+raw {
			t.Errorf("the object is %q", body)
		}
		f.must(p.S3().HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("mails"), Key: aws.String("in/AMAZON_SES_SETUP_NOTIFICATION")}))
		got, err := p.SQS().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl})
		f.must(got, err)
		if len(got.Messages) != 1 || !strings.Contains(*got.Messages[0].Body, `"notificationType":"Received"`) || !strings.Contains(*got.Messages[0].Body, `body\r\n`) {
			t.Errorf("the queue got %+v", got.Messages)
		}
	})
}

func TestMailForNobodyIsRefusedAndRemovingThePermissionStopsAFunction(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.must(nil, f.rule("one", "", []string{"b@example.com"}, invoke(f.function, types.InvocationTypeEvent)))
		f.activate()
		for _, to := range []string{"c@example.com", "b@example.net"} {
			if err := f.send(to); !answered(err, 550, "5.1.1") {
				t.Errorf("mail to %s: %v", to, err)
			}
		}
		topic, err := p.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("mail")})
		f.must(topic, err)
		f.must(nil, f.rule("told", "", []string{"n@example.com"}, types.ReceiptAction{SNSAction: &types.SNSAction{TopicArn: topic.TopicArn}}))
		large := raw + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 200)
		err = smtp.SendMail(p.Listener("smtp"), nil, "a@example.org", []string{"n@example.com"}, []byte(large))
		if !answered(err, 552, "5.3.4") {
			t.Errorf("a mail of 200 KB for a topic: %v", err)
		}
		f.must(f.ses.CreateReceiptFilter(ctx, &ses.CreateReceiptFilterInput{Filter: &types.ReceiptFilter{
			Name: aws.String("home"), IpFilter: &types.ReceiptIpFilter{Policy: types.ReceiptFilterPolicyBlock, Cidr: aws.String("127.0.0.0/8")},
		}}))
		if err := f.send("b@example.com"); !answered(err, 550, "5.7.1") {
			t.Errorf("mail from a blocked network: %v", err)
		}
		f.must(f.ses.DeleteReceiptFilter(ctx, &ses.DeleteReceiptFilterInput{FilterName: aws.String("home")}))
		f.must(p.Lambda().RemovePermission(ctx, &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("ses")}))
		f.must(nil, f.send("b@example.com"))
		p.Drain(t)
		if got := p.Printed(t, "f"); len(got) != 0 {
			t.Errorf("a function without the permission got %v", got)
		}
		if err := f.rule("two", "", nil, invoke(f.function, types.InvocationTypeEvent)); !isCode(err, "InvalidLambdaFunction") {
			t.Errorf("a rule for that function: %v", err)
		}
		f.must(f.ses.SetActiveReceiptRuleSet(ctx, &ses.SetActiveReceiptRuleSetInput{}))
		if at := p.Listener("smtp"); at != "" {
			t.Errorf("mail is received at %s, and no rule set is active", at)
		}
	})
}

func TestAFunctionThatIsWaitedForStopsARule(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	stop := p.MakeFunction(t, "stop", "def handler(event, context):\n    return {\"disposition\": \"STOP_RULE\"}\n")
	f.permit("stop")
	f.must(nil, f.rule("a", "", nil, invoke(stop, types.InvocationTypeRequestResponse), invoke(f.function, types.InvocationTypeEvent)))
	f.must(nil, f.rule("b", "a", nil, invoke(f.function, types.InvocationTypeEvent)))
	f.activate()
	f.must(f.ses.VerifyEmailIdentity(t.Context(), &ses.VerifyEmailIdentityInput{EmailAddress: aws.String("me@example.net")}))
	f.must(f.ses.SendEmail(t.Context(), &ses.SendEmailInput{
		Source: aws.String("Me <me@example.net>"), Destination: &types.Destination{ToAddresses: []string{"x@example.com"}},
		Message: &types.Message{Subject: &types.Content{Data: aws.String("größe")}, Body: &types.Body{Text: &types.Content{Data: aws.String("text")}}},
	}))
	f.must(f.ses.SendRawEmail(t.Context(), &ses.SendRawEmailInput{
		Source: aws.String("me@example.net"), Destinations: []string{"x@example.com", "else@where.example"}, RawMessage: &types.RawMessage{Data: []byte(raw)},
	}))
	if _, err := f.ses.SendRawEmail(t.Context(), &ses.SendRawEmailInput{RawMessage: &types.RawMessage{Data: []byte(raw)}}); !isCode(err, "MessageRejected") {
		t.Errorf("a source that is not verified: %v", err)
	}
	p.Drain(t)
	if got := p.Printed(t, "f"); len(got) != 2 {
		t.Errorf("the function got %d events, want one of each mail: %v", len(got), got)
	}
}

func TestABounceReachesWhoIsReceivedForHere(t *testing.T) {
	p := apptest.Start(t)
	f := setUp(t, p)
	f.must(nil, f.rule("bounce", "", []string{"gone@example.com"}, types.ReceiptAction{BounceAction: &types.BounceAction{
		SmtpReplyCode: aws.String("550"), StatusCode: aws.String("5.1.1"), Message: aws.String("no such mailbox"), Sender: aws.String("daemon@example.com"),
	}}))
	f.must(nil, f.rule("back", "", []string{"a@example.com"}, invoke(f.function, types.InvocationTypeEvent)))
	f.activate()
	f.must(nil, smtp.SendMail(p.Listener("smtp"), nil, "a@example.com", []string{"gone@example.com"}, []byte(raw)))
	p.Drain(t)
	if got := p.Printed(t, "f"); len(got) != 1 || !strings.Contains(got[0], "Delivery Status Notification (Failure)") {
		t.Errorf("the sender got %v", got)
	}
}

func TestRuleSetsAndIdentitiesAreKept(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		for _, name := range []string{"a", "b", "c"} {
			f.must(nil, f.rule(name, "", nil))
		}
		f.must(f.ses.SetReceiptRulePosition(ctx, &ses.SetReceiptRulePositionInput{RuleSetName: aws.String("inbox"), RuleName: aws.String("c"), After: aws.String("a")}))
		f.order("inbox", "b a c")
		f.must(f.ses.ReorderReceiptRuleSet(ctx, &ses.ReorderReceiptRuleSetInput{RuleSetName: aws.String("inbox"), RuleNames: []string{"a", "b", "c"}}))
		f.must(f.ses.CloneReceiptRuleSet(ctx, &ses.CloneReceiptRuleSetInput{RuleSetName: aws.String("copy"), OriginalRuleSetName: aws.String("inbox")}))
		f.must(f.ses.UpdateReceiptRule(ctx, &ses.UpdateReceiptRuleInput{RuleSetName: aws.String("inbox"), Rule: &types.ReceiptRule{Name: aws.String("b"), TlsPolicy: types.TlsPolicyRequire}}))
		one, err := f.ses.DescribeReceiptRule(ctx, &ses.DescribeReceiptRuleInput{RuleSetName: aws.String("inbox"), RuleName: aws.String("b")})
		f.must(one, err)
		if one.Rule.TlsPolicy != types.TlsPolicyRequire || one.Rule.Enabled {
			t.Errorf("the rule is %+v", one.Rule)
		}
		f.must(f.ses.DeleteReceiptRule(ctx, &ses.DeleteReceiptRuleInput{RuleSetName: aws.String("inbox"), RuleName: aws.String("b")}))
		f.order("inbox", "a c")
		f.order("copy", "a b c")
		f.activate()
		if _, err := f.ses.DeleteReceiptRuleSet(ctx, &ses.DeleteReceiptRuleSetInput{RuleSetName: aws.String("inbox")}); !isCode(err, "CannotDelete") {
			t.Errorf("the active rule set is deleted: %v", err)
		}
		if err := f.rule("a", "", nil); !isCode(err, "AlreadyExists") {
			t.Errorf("a rule twice: %v", err)
		}
		if err := f.rule("d", "none", nil); !isCode(err, "RuleDoesNotExist") {
			t.Errorf("a rule after one that is not there: %v", err)
		}
		if err := f.rule("d", "", nil, types.ReceiptAction{S3Action: &types.S3Action{BucketName: aws.String("nowhere")}}); !isCode(err, "InvalidS3Configuration") {
			t.Errorf("a bucket that is not there: %v", err)
		}
		if err := f.rule("d", "", nil, types.ReceiptAction{SNSAction: &types.SNSAction{TopicArn: aws.String("arn:aws:sns:us-east-1:123456789012:none")}}); !isCode(err, "InvalidSnsTopic") {
			t.Errorf("a topic that is not there: %v", err)
		}
		f.must(f.ses.DeleteReceiptRuleSet(ctx, &ses.DeleteReceiptRuleSetInput{RuleSetName: aws.String("copy")}))
		sets, err := f.ses.ListReceiptRuleSets(ctx, &ses.ListReceiptRuleSetsInput{})
		f.must(sets, err)
		active, err := f.ses.DescribeActiveReceiptRuleSet(ctx, &ses.DescribeActiveReceiptRuleSetInput{})
		f.must(active, err)
		if len(sets.RuleSets) != 1 || *active.Metadata.Name != "inbox" || len(active.Rules) != 2 {
			t.Errorf("sets %+v, active %+v", sets.RuleSets, active)
		}
		filters, err := f.ses.ListReceiptFilters(ctx, &ses.ListReceiptFiltersInput{})
		f.must(filters, err)

		f.must(f.ses.VerifyEmailAddress(ctx, &ses.VerifyEmailAddressInput{EmailAddress: aws.String("me@example.net")}))
		all, err := f.ses.ListIdentities(ctx, &ses.ListIdentitiesInput{MaxItems: aws.Int32(1)})
		f.must(all, err)
		more, err := f.ses.ListIdentities(ctx, &ses.ListIdentitiesInput{NextToken: all.NextToken})
		f.must(more, err)
		if got := strings.Join(append(all.Identities, more.Identities...), " "); got != "example.com me@example.net" {
			t.Errorf("identities %s", got)
		}
		domains, err := f.ses.ListIdentities(ctx, &ses.ListIdentitiesInput{IdentityType: types.IdentityTypeDomain})
		f.must(domains, err)
		known, err := f.ses.GetIdentityVerificationAttributes(ctx, &ses.GetIdentityVerificationAttributesInput{Identities: []string{"me@example.net", "no.example"}})
		f.must(known, err)
		if len(domains.Identities) != 1 || len(known.VerificationAttributes) != 1 || known.VerificationAttributes["me@example.net"].VerificationStatus != types.VerificationStatusSuccess {
			t.Errorf("domains %v, known %+v", domains.Identities, known.VerificationAttributes)
		}
		f.must(f.ses.DeleteVerifiedEmailAddress(ctx, &ses.DeleteVerifiedEmailAddressInput{EmailAddress: aws.String("me@example.net")}))
		f.must(f.ses.DeleteIdentity(ctx, &ses.DeleteIdentityInput{Identity: aws.String("example.com")}))
		left, err := f.ses.ListVerifiedEmailAddresses(ctx, &ses.ListVerifiedEmailAddressesInput{})
		f.must(left, err)
		if len(left.VerifiedEmailAddresses) != 0 {
			t.Errorf("left %v", left.VerifiedEmailAddresses)
		}
		quota, err := f.ses.GetSendQuota(ctx, &ses.GetSendQuotaInput{})
		f.must(quota, err)
		enabled, err := f.ses.GetAccountSendingEnabled(ctx, &ses.GetAccountSendingEnabledInput{})
		f.must(enabled, err)
		if quota.Max24HourSend != 200 || !enabled.Enabled {
			t.Errorf("quota %+v, enabled %v", quota, enabled.Enabled)
		}
	})
}

func (f *fixture) order(set, want string) {
	f.Helper()
	out, err := f.ses.DescribeReceiptRuleSet(f.Context(), &ses.DescribeReceiptRuleSetInput{RuleSetName: &set})
	f.must(out, err)
	var names []string
	for _, r := range out.Rules {
		names = append(names, *r.Name)
	}
	if got := strings.Join(names, " "); got != want {
		f.Errorf("rules of %s are %q, want %q", set, got, want)
	}
}
