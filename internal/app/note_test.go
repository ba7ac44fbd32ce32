package app_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

// at sends a request without a signature to a host of this server's, and returns the status.
func at(t *testing.T, p *apptest.Plumb, method, host, path string, header ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// shown are the calls of a log in short: what, of which account, by whom, on what, outcome.
func shown(all []auditedCall) (out []string) {
	for _, c := range all {
		on := ""
		if len(c.Resources) > 0 {
			on = c.Resources[0].ARN
		}
		out = append(out, strings.Join(strings.Fields(fmt.Sprint(strings.TrimSuffix(c.Source, ".amazonaws.com"), ":", c.Name, " ", c.Account, " ", c.Who.Type, " ", on, " ", c.Code)), " "))
	}
	return out
}

func TestWaysWithoutASignatureAreInTheAuditLog(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, alice := t.Context(), p.Signing("AKIAALICE", "any")
		if _, err := alice.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::111111111111:role/f"), Handler: aws.String("f.h"), Runtime: lambdatypes.RuntimePython312,
			Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "f.py", []byte("def h(e, c): return 1\n"))},
		}); err != nil {
			t.Fatal(err)
		}
		function, err := alice.Lambda().CreateFunctionUrlConfig(ctx, &lambda.CreateFunctionUrlConfigInput{FunctionName: aws.String("f"), AuthType: lambdatypes.FunctionUrlAuthTypeNone})
		if err != nil {
			t.Fatal(err)
		}
		open, err := url.Parse(*function.FunctionUrl)
		if err != nil {
			t.Fatal(err)
		}
		topic, err := alice.SNS().CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")})
		if err != nil {
			t.Fatal(err)
		}
		subscribe := func(queue string) *string {
			out, err := alice.SNS().Subscribe(ctx, &sns.SubscribeInput{
				TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:111111111111:" + queue), ReturnSubscriptionArn: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			return out.SubscriptionArn
		}
		signed, sub := subscribe("signed"), subscribe("linked")
		if _, err := alice.SNS().Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: signed}); err != nil {
			t.Error(err)
		}
		_, err = alice.SNS().ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: topic.TopicArn, Token: aws.String("none")})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameter") {
			t.Errorf("a token that is none, with a signature: %v", err)
		}
		if all, _ := auditOf(t, p, "operation=sns:Unsubscribe"); len(all) != 1 || all[0].Who.Type != "IAMUser" {
			t.Errorf("the end of a subscription by a signed call: %+v", all)
		}
		api := signedAPI(t, p)
		_, begun := auditOf(t, p, "")
		n := strings.Count(begun, `"eventID"`)
		for what, status := range map[string][2]int{
			"a function whose policy lets nobody in": {at(t, p, "GET", open.Host, "/"), http.StatusForbidden},
			"an address of none":                     {at(t, p, "GET", strings.Repeat("a", 32)+".lambda-url.us-east-1.on.aws", "/"), http.StatusForbidden},
			"an API that wants a signature":          {at(t, p, "GET", api+".execute-api.us-east-1.amazonaws.com", "/"), http.StatusForbidden},
			"a token that is none":                   {at(t, p, "GET", "", "/?"+url.Values{"Action": {"ConfirmSubscription"}, "TopicArn": {*topic.TopicArn}, "Token": {"no"}}.Encode()), http.StatusBadRequest},
			"git with a wrong password":              {at(t, p, "GET", "", "/v1/repos/r/info/refs?service=git-receive-pack", "Authorization", "Basic QUtJQUFMSUNFOm5v"), http.StatusForbidden},
			"an answer that nobody waits for":        {at(t, p, "PUT", "", "/_plumb/stack-response/secret"), http.StatusForbidden},
			"a link to code":                         {at(t, p, "GET", "", "/_plumb/code/abc?expires=1&signature=2"), http.StatusForbidden},
			"a page of ours":                         {at(t, p, "GET", "", "/_plumb/deliveries", "Authorization", "Bearer wrong"), http.StatusUnauthorized},
			"the end of a subscription":              {at(t, p, "GET", "", "/?"+url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {*sub}}.Encode()), http.StatusOK},
			"its end again":                          {at(t, p, "GET", "", "/?"+url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {*sub}}.Encode()), http.StatusOK},
		} {
			if status[0] != status[1] {
				t.Errorf("%s: %d, want %d", what, status[0], status[1])
			}
		}
		connectWrongly(t, p)
		want := []string{
			"lambda:InvokeFunctionUrl 111111111111 Unknown arn:aws:lambda:us-east-1:111111111111:function:f AccessDeniedException",
			"lambda:InvokeFunctionUrl Unknown AccessDeniedException", "sns:ConfirmSubscription Unknown " + *topic.TopicArn + " InvalidParameter",
			"codecommit:GitPush Unknown InvalidSignatureException", "cloudformation:AnswerCustomResource Unknown AccessDenied", "lambda:GetCode Unknown AccessDenied",
			"plumb:GET /_plumb/deliveries Unknown AccessDenied", "sns:Unsubscribe 111111111111 Unknown " + *sub, "iot:Connect Unknown AccessDenied",
			"execute-api:Invoke 111111111111 Unknown arn:aws:execute-api:us-east-1:111111111111:" + api + "/$default/GET/ AccessDeniedException",
		}
		all, text := auditOf(t, p, "oldest=true")
		got := shown(all[min(n, len(all)):])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for _, secret := range []string{"QUtJQUFMSUNFOm5v", "stack-response/secret", `"no"`, "signature=2"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in the log", secret)
			}
		}
	}, auditing("management"), func(s *settings.Settings) { s.MQTTListen = "127.0.0.1:0" })
}

// signedAPI makes an HTTP API of alice's that wants signatures, and returns its id.
func signedAPI(t *testing.T, p *apptest.Plumb) string {
	t.Helper()
	c := awsclient.New(awsclient.Options{Region: "us-east-1", Endpoint: p.URL(), Credentials: awsclient.Static("AKIAALICE", "any", ""), Attempts: 1})
	do := func(operation string, in map[string]any) map[string]any {
		out, err := c.Call(t.Context(), "apigatewayv2", operation, in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	id, _ := do("CreateApi", map[string]any{"Name": "a", "ProtocolType": "HTTP"})["ApiId"].(string)
	do("CreateRoute", map[string]any{"ApiId": id, "RouteKey": "GET /", "AuthorizationType": "AWS_IAM"})
	do("CreateStage", map[string]any{"ApiId": id, "StageName": "$default", "AutoDeploy": true})
	return id
}

// connectWrongly connects by MQTT as a user whose password is another one.
func connectWrongly(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.Listener("mqtt"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01d\x00\x09AKIAALICE\x00\x05wrong"
	if _, err := io.WriteString(conn, "\x10"+string(rune(len(body)))+body); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || len(answer) < 4 || answer[3] == 0 {
		t.Fatalf("answered %v, %v", answer, err)
	}
}

func TestAForeignPageIsInTheAuditLogOfDevelopmentMode(t *testing.T) {
	p := apptest.Start(t)
	if status := at(t, p, "POST", "", "/_plumb/forget", "Origin", "http://evil.example"); status != http.StatusForbidden {
		t.Errorf("a foreign page: %d", status)
	}
	if status := at(t, p, "PUT", "", "/_plumb/stack-response/secret", "Origin", "http://evil.example"); status != http.StatusForbidden {
		t.Errorf("a foreign page with the address of an answer: %d", status)
	}
	if status, text := call(t, "POST", p.URL()+"/_plumb/clock", `{"advance": "1h"}`); status != http.StatusOK {
		t.Errorf("the clock: %d %s", status, text)
	}
	all, _ := auditOf(t, p, "oldest=true")
	if got, want := shown(all), []string{"plumb:POST /_plumb/forget Unknown AccessDenied", "plumb:PUT /_plumb/stack-response/ Unknown AccessDenied", "plumb:move-clock Root"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
