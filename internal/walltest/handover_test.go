package walltest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/smtp"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"plumb/internal/apptest"
	"plumb/internal/db/dbtest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// A way is one by which something of Bob's hands something to what is Alice's.
type way struct {
	name    string
	to      string   // queue, function, bucket, topic: where it arrives
	by      string   // the service that Alice's policy lets in; empty: Bob's account
	arrange []string // Bob's calls that arrange it
	fire    []string // Bob's calls that have it happen
	send    func(h *handing)
	later   time.Duration // after which it happens
	tells   string        // Bob's call whose answer says how it went
	reason  string        // that is in the answer once he is not let in any more
}

// The ARNs of what is Alice's.
const (
	queueARN    = "arn:aws:sqs:us-east-1:" + alice + ":inbox"
	topicARN    = "arn:aws:sns:us-east-1:" + alice + ":news"
	functionARN = "arn:aws:lambda:us-east-1:" + alice + ":function:work"
	roleARN     = "arn:aws:iam::" + bob + ":role/bobs"
)

const trust = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}`

func ways() []way {
	const bucketOf = `{"NotificationConfiguration":{"%s":[{"Id":"n","Events":["s3:ObjectCreated:*"],"%s":"%s"}]},"Bucket":"bobs-%s"}`
	notified := func(to, list, member, arn string) way {
		return way{name: "a bucket to a " + to, to: to, by: "s3.amazonaws.com",
			arrange: []string{`s3 CreateBucket {"Bucket":"bobs-` + to + `"}`, "s3 PutBucketNotificationConfiguration " + fmt.Sprintf(bucketOf, list, member, arn, to)},
			fire:    []string{`s3 PutObject {"Bucket":"bobs-` + to + `","Key":"k","Body":"eA=="}`}}
	}
	rule := func(to, arn string) way {
		return way{name: "a rule to a " + to, to: to, by: "events.amazonaws.com",
			arrange: []string{`events PutRule {"Name":"` + to + `","EventPattern":"{\"source\":[\"bob.` + to + `\"]}"}`,
				`events PutTargets {"Rule":"` + to + `","Targets":[{"Id":"t","Arn":"` + arn + `","RetryPolicy":{"MaximumRetryAttempts":0}}]}`},
			fire: []string{`events PutEvents {"Entries":[{"Source":"bob.` + to + `","DetailType":"x","Detail":"{}"}]}`}}
	}
	subscribed := func(to, protocol, arn string) way {
		return way{name: "a topic to a " + to, to: to, by: "sns.amazonaws.com",
			arrange: []string{`sns CreateTopic {"Name":"bobs-` + to + `"}`,
				`sns Subscribe {"TopicArn":"arn:aws:sns:us-east-1:` + bob + `:bobs-` + to + `","Protocol":"` + protocol + `","Endpoint":"` + arn + `"}`},
			fire: []string{`sns Publish {"TopicArn":"arn:aws:sns:us-east-1:` + bob + `:bobs-` + to + `","Message":"x"}`}}
	}
	return []way{
		subscribed("queue", "sqs", queueARN),
		subscribed("function", "lambda", functionARN),
		{name: "a topic's dead letters to a queue", to: "queue", by: "sns.amazonaws.com",
			arrange: []string{`sns CreateTopic {"Name":"lost"}`, `sqs CreateQueue {"QueueName":"gone"}`,
				`sns Subscribe {"TopicArn":"arn:aws:sns:us-east-1:` + bob + `:lost","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:` + bob + `:gone","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"` + queueARN + `\"}"}}`,
				`sqs DeleteQueue {"QueueUrl":"http://x/` + bob + `/gone"}`},
			fire: []string{`sns Publish {"TopicArn":"arn:aws:sns:us-east-1:` + bob + `:lost","Message":"x"}`}},
		notified("queue", "QueueConfigurations", "QueueArn", queueARN),
		notified("topic", "TopicConfigurations", "TopicArn", topicARN),
		notified("function", "LambdaFunctionConfigurations", "LambdaFunctionArn", functionARN),
		rule("queue", queueARN),
		rule("function", functionARN),
		rule("topic", topicARN),
		{name: "a function's result to a queue", to: "queue",
			arrange: []string{`lambda PutFunctionEventInvokeConfig {"FunctionName":"does","DestinationConfig":{"OnSuccess":{"Destination":"` + queueARN + `"}}}`},
			fire:    []string{`lambda Invoke {"FunctionName":"does","InvocationType":"Event","Payload":"e30="}`}},
		{name: "a function's result to a function", to: "function",
			arrange: []string{`lambda PutFunctionEventInvokeConfig {"FunctionName":"does","DestinationConfig":{"OnSuccess":{"Destination":"` + functionARN + `"}}}`},
			fire:    []string{`lambda Invoke {"FunctionName":"does","InvocationType":"Event","Payload":"e30="}`}},
		{name: "a function's dead letters to a topic", to: "topic",
			arrange: []string{`lambda UpdateFunctionConfiguration {"FunctionName":"fails","DeadLetterConfig":{"TargetArn":"` + topicARN + `"}}`,
				`lambda PutFunctionEventInvokeConfig {"FunctionName":"fails","MaximumRetryAttempts":0}`},
			fire: []string{`lambda Invoke {"FunctionName":"fails","InvocationType":"Event","Payload":"e30="}`}},
		{name: "a schedule to a queue", to: "queue", later: time.Hour,
			arrange: []string{`scheduler CreateSchedule {"Name":"hourly","ScheduleExpression":"rate(1 hour)","FlexibleTimeWindow":{"Mode":"OFF"},"Target":{"Arn":"` + queueARN + `","RoleArn":"` + roleARN + `","RetryPolicy":{"MaximumRetryAttempts":0}}}`}},
		{name: "a stream to a bucket", to: "bucket", later: 5 * time.Minute,
			arrange: []string{`firehose CreateDeliveryStream {"DeliveryStreamName":"flow","ExtendedS3DestinationConfiguration":{"RoleARN":"` + roleARN + `","BucketARN":"arn:aws:s3:::alices","BufferingHints":{"IntervalInSeconds":60,"SizeInMBs":1}}}`},
			fire:    []string{`firehose PutRecord {"DeliveryStreamName":"flow","Record":{"Data":"eA=="}}`}},
		{name: "an API to a function", to: "function", by: "apigateway.amazonaws.com",
			arrange: []string{`apigatewayv2 CreateApi {"Name":"api","ProtocolType":"HTTP","Target":"` + functionARN + `"}`}, send: (*handing).askAPI},
		{name: "mail to a function", to: "function", by: "ses.amazonaws.com",
			arrange: []string{`ses VerifyDomainIdentity {"Domain":"bob.example"}`, `ses CreateReceiptRuleSet {"RuleSetName":"mail"}`,
				`ses CreateReceiptRule {"RuleSetName":"mail","Rule":{"Name":"r","Enabled":true,"Recipients":["bob.example"],"Actions":[{"LambdaAction":{"FunctionArn":"` + functionARN + `"}}]}}`,
				`ses SetActiveReceiptRuleSet {"RuleSetName":"mail"}`}, send: (*handing).mail},
		{name: "mail to a topic", to: "topic", by: "ses.amazonaws.com",
			arrange: []string{`ses UpdateReceiptRule {"RuleSetName":"mail","Rule":{"Name":"r","Enabled":true,"Recipients":["bob.example"],"Actions":[{"SNSAction":{"TopicArn":"` + topicARN + `"}}]}}`},
			send:    (*handing).mail},
		{name: "mail to a bucket", to: "bucket", by: "ses.amazonaws.com",
			arrange: []string{`ses UpdateReceiptRule {"RuleSetName":"mail","Rule":{"Name":"r","Enabled":true,"Recipients":["bob.example"],"Actions":[{"S3Action":{"BucketName":"alices"}}]}}`},
			send:    (*handing).mail},
		{name: "a rule of AWS Config to a function", to: "function", by: "config.amazonaws.com",
			arrange: []string{`config PutConfigRule {"ConfigRule":{"ConfigRuleName":"custom","MaximumExecutionFrequency":"One_Hour","Source":{"Owner":"CUSTOM_LAMBDA","SourceIdentifier":"` + functionARN + `","SourceDetails":[{"EventSource":"aws.config","MessageType":"ScheduledNotification","MaximumExecutionFrequency":"One_Hour"}]}}}`},
			fire:    []string{`config StartConfigRulesEvaluation {"ConfigRuleNames":["custom"]}`},
			later:   2 * time.Minute,
			tells:   `config DescribeConfigRuleEvaluationStatus {"ConfigRuleNames":["custom"]}`, reason: "AccessDenied"},
		{name: "a delivery channel to a bucket", to: "bucket", by: "config.amazonaws.com",
			arrange: []string{`config PutDeliveryChannel {"DeliveryChannel":{"name":"default","s3BucketName":"alices"}}`, `config StartConfigurationRecorder {"ConfigurationRecorderName":"default"}`},
			fire:    []string{`config DeliverConfigSnapshot {"deliveryChannelName":"default"}`},
			tells:   `config DescribeDeliveryChannelStatus {}`, reason: "AccessDenied"},
		{name: "a delivery channel to a topic", to: "topic", by: "config.amazonaws.com",
			arrange: []string{`config PutDeliveryChannel {"DeliveryChannel":{"name":"default","s3BucketName":"bobs-queue","snsTopicARN":"` + topicARN + `"}}`},
			fire:    []string{`config DeliverConfigSnapshot {"deliveryChannelName":"default"}`}, later: time.Minute},
		{name: "an event to a bus", to: "bus",
			fire: []string{`events PutEvents {"Entries":[{"Source":"bob","DetailType":"x","Detail":"{}","EventBusName":"arn:aws:events:us-east-1:` + alice + `:event-bus/default"}]}`}},
		{name: "a rule to a bus", to: "bus",
			arrange: []string{`events PutRule {"Name":"bus","EventPattern":"{\"source\":[\"bob.bus\"]}"}`,
				`events PutTargets {"Rule":"bus","Targets":[{"Id":"t","Arn":"arn:aws:events:us-east-1:` + alice + `:event-bus/default","RoleArn":"` + roleARN + `","RetryPolicy":{"MaximumRetryAttempts":0}}]}`},
			fire: []string{`events PutEvents {"Entries":[{"Source":"bob.bus","DetailType":"x","Detail":"{}"}]}`}},
		{name: "a stack's custom resource to a function", to: "function", send: (*handing).makeStack},
		{name: "an invocation", to: "function", fire: []string{`lambda Invoke {"FunctionName":"` + functionARN + `","Payload":"e30="}`}},
		{name: "a request for a later invocation", to: "function", fire: []string{`lambda Invoke {"FunctionName":"` + functionARN + `","InvocationType":"Event","Payload":"e30="}`}},
		{name: "a message to a queue", to: "queue", fire: []string{`sqs SendMessage {"QueueUrl":"http://x/` + alice + `/inbox","MessageBody":"x"}`}},
		{name: "a message to a topic", to: "topic", fire: []string{`sns Publish {"TopicArn":"` + topicARN + `","Message":"x"}`}},
	}
}

func TestWhatIsHandedToAnotherAccountIsAskedAboutEachTime(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { handOver(t, "sqlite:"+filepath.Join(dbtest.Folder(t), "plumb.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { handOver(t, dbtest.PostgresURL(t)) })
}

func handOver(t *testing.T, database string) {
	h := newHanding(t, func(s *settings.Settings) { s.Database = database })
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			h := h.in(t)
			h.grant(w)
			for _, c := range w.arrange {
				h.must(h.bob, c)
			}
			h.arrived(w.to) // tests of what was arranged
			h.happen(w, true)
			if n := h.arrived(w.to); n == 0 {
				t.Fatal("with a permission nothing arrives")
			}
			h.revoke(w)
			h.happen(w, false)
			if n := h.arrived(w.to); n != 0 {
				t.Errorf("without the permission %d arrived", n)
			}
			if w.tells != "" {
				out := h.must(h.bob, w.tells)
				if !strings.Contains(text(out), w.reason) {
					t.Errorf("the status does not say %s: %s", w.reason, text(out))
				}
			}
		})
	}
}

// A handing is a server on which Bob hands something to Alice.
type handing struct {
	*world
	printed map[string]int // what was counted before, where it stays
	stacks  *int
}

func (h *handing) in(t *testing.T) *handing {
	w := *h.world
	w.t = t
	return &handing{&w, h.printed, h.stacks}
}

func newHanding(t *testing.T, change func(*settings.Settings)) *handing {
	needPython(t)
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.SMTPListen = settings.Server, "127.0.0.1:0"
		s.AccessKeys = []settings.AccessKey{
			{ID: "AKIAALICE", Secret: "any", Account: alice, User: "alice"}, {ID: "AKIABOB", Secret: "any", Account: bob, User: "bob"},
		}
		change(s)
	})
	p.Clock().Freeze(time.Now())
	h := &handing{newWorld(t, p), map[string]int{}, new(int)}
	for _, c := range []string{
		`sqs CreateQueue {"QueueName":"inbox"}`, `sns CreateTopic {"Name":"news"}`, `s3 CreateBucket {"Bucket":"alices"}`,
		`sqs CreateQueue {"QueueName":"received","Attributes":{"Policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}]}"}}`,
		`sns Subscribe {"TopicArn":"` + topicARN + `","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:` + alice + `:received"}`,
		`events PutRule {"Name":"all","EventPattern":"{\"source\":[{\"prefix\":\"bob\"}]}"}`,
		`events PutTargets {"Rule":"all","Targets":[{"Id":"t","Arn":"arn:aws:sqs:us-east-1:` + alice + `:received"}]}`,
	} {
		h.must(h.alice, c)
	}
	h.must(h.bob, `iam CreateRole {"RoleName":"bobs","AssumeRolePolicyDocument":"`+trust+`"}`)
	h.function(h.alice, alice, "work", "def h(e, c): print('worked')\n")
	h.function(h.bob, bob, "does", "def h(e, c): return 1\n")
	h.function(h.bob, bob, "fails", "def h(e, c): raise Exception('no')\n")
	h.must(h.bob, `iam PutRolePolicy {"RoleName":"bobs","PolicyName":"all","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}`)
	h.must(h.bob, `config PutConfigurationRecorder {"ConfigurationRecorder":{"name":"default","roleARN":"`+roleARN+`"}}`)
	return h
}

func (h *handing) function(s *session, account, name, code string) {
	h.t.Helper()
	h.must(s, `lambda CreateFunction {"FunctionName":"`+name+`","Runtime":"python3.12","Handler":"f.h","Role":"arn:aws:iam::`+account+`:role/bobs","Code":{"ZipFile":"`+
		base64.StdEncoding.EncodeToString(lambdatest.Zip(h.t, "f.py", []byte(code)))+`"}}`)
}

// must makes a call that is written SERVICE OPERATION INPUT.
func (h *handing) must(s *session, line string) map[string]any {
	h.t.Helper()
	out, err := h.do(s, line)
	if err != nil {
		h.t.Fatalf("%s: %v", line, err)
	}
	return out
}

func (h *handing) do(s *session, line string) (map[string]any, error) {
	parts := strings.SplitN(line, " ", 3)
	c := call{service: parts[0], operation: parts[1]}
	if err := json.Unmarshal([]byte(parts[2]), &c.in); err != nil {
		h.t.Fatalf("%s: %v", line, err)
	}
	return h.call(s, c)
}

// happen has what was arranged happen.
func (h *handing) happen(w way, must bool) {
	h.t.Helper()
	for _, c := range w.fire {
		if _, err := h.do(h.bob, c); err != nil && must {
			h.t.Fatalf("%s: %v", c, err)
		}
	}
	if w.send != nil {
		w.send(h)
	}
	h.p.Drain(h.t)
	if w.later > 0 {
		h.p.Clock().Advance(w.later)
		h.p.Drain(h.t)
	}
}

// statement is a policy that lets a service in for Bob's account, or the account itself.
func statement(by, action, resource string) string {
	principal, condition := `{"AWS":"arn:aws:iam::`+bob+`:root"}`, ""
	if by != "" {
		principal, condition = `{"Service":"`+by+`"}`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"`+bob+`"}}`
	}
	return `{"Version":"2012-10-17","Statement":[{"Sid":"bob","Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + resource + `"` + condition + `}]}`
}

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

func (h *handing) grant(w way) {
	h.t.Helper()
	switch w.to {
	case "queue":
		h.must(h.alice, `sqs SetQueueAttributes {"QueueUrl":"http://x/`+alice+`/inbox","Attributes":{"Policy":`+quoted(statement(w.by, "sqs:SendMessage", queueARN))+`}}`)
	case "topic":
		h.must(h.alice, `sns SetTopicAttributes {"TopicArn":"`+topicARN+`","AttributeName":"Policy","AttributeValue":`+quoted(statement(w.by, "sns:Publish", topicARN))+`}`)
	case "bucket":
		h.must(h.alice, `s3 PutBucketPolicy {"Bucket":"alices","Policy":`+quoted(statement(w.by, "s3:*", "arn:aws:s3:::alices/*"))+`}`)
	case "bus":
		h.must(h.alice, `events PutPermission {"StatementId":"bob","Action":"events:PutEvents","Principal":"`+bob+`"}`)
	case "function":
		principal, source := bob, ""
		if w.by != "" {
			principal, source = w.by, `,"SourceAccount":"`+bob+`"`
		}
		if w.by == "apigateway.amazonaws.com" {
			source = `,"SourceArn":"arn:aws:execute-api:us-east-1:` + bob + `:*"`
		}
		h.must(h.alice, `lambda AddPermission {"FunctionName":"work","StatementId":"bob","Action":"lambda:InvokeFunction","Principal":"`+principal+`"`+source+`}`)
	}
}

func (h *handing) revoke(w way) {
	h.t.Helper()
	h.must(h.alice, map[string]string{
		"queue": `sqs SetQueueAttributes {"QueueUrl":"http://x/` + alice + `/inbox","Attributes":{"Policy":""}}`,
		"topic": `sns SetTopicAttributes {"TopicArn":"` + topicARN + `","AttributeName":"Policy","AttributeValue":` +
			quoted(strings.ReplaceAll(statement("", "sns:Publish", topicARN), bob, alice)) + `}`,
		"bucket": `s3 DeleteBucketPolicy {"Bucket":"alices"}`, "bus": `events RemovePermission {"StatementId":"bob"}`,
		"function": `lambda RemovePermission {"FunctionName":"work","StatementId":"bob"}`,
	}[w.to])
}

// arrived counts what came to Alice since it was last asked.
func (h *handing) arrived(to string) int {
	h.t.Helper()
	n := 0
	switch to {
	case "queue", "topic", "bus":
		queue := map[string]string{"queue": "inbox", "topic": "received", "bus": "received"}[to]
		for {
			out := h.must(h.alice, `sqs ReceiveMessage {"QueueUrl":"http://x/`+alice+`/`+queue+`","MaxNumberOfMessages":10}`)
			all := list(out["Messages"])
			if n += len(all); len(all) == 0 {
				return n
			}
			for _, m := range all {
				h.must(h.alice, `sqs DeleteMessage {"QueueUrl":"http://x/`+alice+`/`+queue+`","ReceiptHandle":`+quoted(m.(map[string]any)["ReceiptHandle"].(string))+`}`)
			}
		}
	case "bucket":
		out := h.must(h.alice, `s3 ListObjectsV2 {"Bucket":"alices"}`)
		n = len(list(out["Contents"]))
	case "function":
		out, err := h.do(h.alice, `logs FilterLogEvents {"logGroupName":"/aws/lambda/work","filterPattern":"worked"}`)
		if err == nil {
			n = len(list(out["events"]))
		}
	}
	before := h.printed[to]
	h.printed[to] = n
	return n - before
}

func (h *handing) askAPI() {
	apis := list(h.must(h.bob, `apigatewayv2 GetApis {}`)["Items"])
	r, err := http.NewRequestWithContext(h.t.Context(), "GET", h.p.URL()+"/", nil)
	if err != nil || len(apis) != 1 {
		h.t.Fatal(apis, err)
	}
	r.Host = apis[0].(map[string]any)["ApiId"].(string) + ".execute-api.us-east-1.amazonaws.com"
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	res.Body.Close()
}

// makeStack makes a stack of another name each time, whose custom resource nobody
// answers for.
func (h *handing) makeStack() {
	*h.stacks++
	h.must(h.bob, fmt.Sprintf(`cloudformation CreateStack {"StackName":"s%d","TemplateBody":%s}`, *h.stacks,
		quoted(`{"Resources":{"C":{"Type":"Custom::C","Properties":{"ServiceToken":"`+functionARN+`","ServiceTimeout":"60"}}}}`)))
}

func (h *handing) mail() {
	err := smtp.SendMail(h.p.Listener("smtp"), nil, "a@example.org", []string{"b@bob.example"}, []byte("From: A <a@example.org>\r\nTo: b@bob.example\r\nSubject: x\r\n\r\nx\r\n"))
	if err != nil {
		h.t.Fatal(err)
	}
}
