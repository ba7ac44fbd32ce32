package outside_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
)

// Everything that has a name is asked where it is, whatever service keeps it.
func TestRecordsAreAskedWhereTheyAre(t *testing.T) {
	here, target := targeted(t)
	call := func(p *apptest.Plumb, service, operation string, in map[string]any) map[string]any {
		t.Helper()
		return must[map[string]any](t)(p.Client().Call(t.Context(), service, operation, in))
	}
	schedule := func(name string) map[string]any {
		return map[string]any{"Name": name, "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": map[string]any{"Mode": "OFF"}, "Target": map[string]any{
			"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": "arn:aws:iam::123456789012:role/r",
		}}
	}
	for p, name := range map[*apptest.Plumb]string{here: "ours", target: "theirs"} {
		call(p, "events", "PutRule", map[string]any{"Name": name, "ScheduleExpression": "rate(1 hour)"})
		call(p, "codecommit", "CreateRepository", map[string]any{"repositoryName": name})
		call(p, "scheduler", "CreateSchedule", schedule(name))
		call(p, "ses", "VerifyEmailIdentity", map[string]any{"EmailAddress": name + "@example.com"})
		call(p, "cognito-identity", "CreateIdentityPool", map[string]any{"IdentityPoolName": name, "AllowUnauthenticatedIdentities": false})
		call(p, "ssm", "CreateDocument", map[string]any{
			"Name": name, "DocumentType": "Automation", "Content": `{"schemaVersion":"0.3","mainSteps":[{"name":"s","action":"aws:sleep","inputs":{"Duration":"PT1S"}}]}`,
		})
	}
	call(target, "events", "CreateEventBus", map[string]any{"Name": "their-bus"})
	call(target, "events", "PutRule", map[string]any{"Name": "on-bus", "EventBusName": "their-bus", "EventPattern": `{"source":["a"]}`})
	// What is made in a bus is made where the bus is.
	call(here, "events", "PutRule", map[string]any{"Name": "on-bus-too", "EventBusName": "their-bus", "EventPattern": `{"source":["a"]}`})
	call(target, "events", "DescribeRule", map[string]any{"Name": "on-bus-too", "EventBusName": "their-bus"})
	for _, q := range []struct {
		service, operation string
		in                 map[string]any
	}{
		{"events", "DescribeRule", map[string]any{"Name": "theirs"}},
		{"events", "ListTargetsByRule", map[string]any{"Rule": "theirs"}},
		{"events", "DescribeRule", map[string]any{"Name": "on-bus", "EventBusName": "their-bus"}},
		{"events", "DescribeEventBus", map[string]any{"Name": "their-bus"}},
		{"events", "ListTagsForResource", map[string]any{"ResourceARN": "arn:aws:events:us-east-1:123456789012:rule/theirs"}},
		{"codecommit", "GetRepository", map[string]any{"repositoryName": "theirs"}},
		{"scheduler", "GetSchedule", map[string]any{"Name": "theirs"}},
		{"ssm", "GetDocument", map[string]any{"Name": "theirs"}},
		{"events", "DescribeRule", map[string]any{"Name": "ours"}},
		{"codecommit", "GetRepository", map[string]any{"repositoryName": "ours"}},
		{"scheduler", "GetSchedule", map[string]any{"Name": "ours"}},
		{"ssm", "GetDocument", map[string]any{"Name": "ours"}},
	} {
		call(here, q.service, q.operation, q.in)
	}
	for _, q := range []struct {
		service, operation string
		in                 map[string]any
		want               string
	}{
		{"events", "ListRules", nil, "ours theirs"},
		{"events", "ListRules", map[string]any{"EventBusName": "their-bus"}, "on-bus"},
		{"codecommit", "ListRepositories", nil, "ours theirs"},
		{"scheduler", "ListSchedules", nil, "ours theirs"},
		{"ses", "ListIdentities", nil, "ours theirs"},
		{"cognito-identity", "ListIdentityPools", map[string]any{"MaxResults": 60}, "ours"}, // the target's begin the next page
	} {
		got := fmt.Sprint(call(here, q.service, q.operation, q.in))
		for _, name := range []string{"ours", "theirs", "on-bus"} {
			if strings.Contains(got, name) != strings.Contains(q.want, name) {
				t.Errorf("%s of %s has not %s: %s", q.operation, q.service, q.want, got)
			}
		}
	}
	if _, err := target.Client().Call(t.Context(), "events", "DescribeRule", map[string]any{"Name": "ours"}); awsclient.Code(err) != "ResourceNotFoundException" {
		t.Errorf("a rule was put at the target: %v", err)
	}
}

func TestTheOrganizationIsTheTargetsUnlessThereIsOneHere(t *testing.T) {
	here, target := targeted(t)
	none := func(p *apptest.Plumb) {
		t.Helper()
		if _, err := p.Client().Call(t.Context(), "organizations", "DescribeOrganization", nil); awsclient.Code(err) != "AWSOrganizationsNotInUseException" {
			t.Errorf("nobody made an organization: %v", err)
		}
	}
	none(here)
	id := func(p *apptest.Plumb) any {
		t.Helper()
		out := must[map[string]any](t)(p.Client().Call(t.Context(), "organizations", "DescribeOrganization", nil))
		must[map[string]any](t)(p.Client().Call(t.Context(), "organizations", "ListAccounts", nil))
		return out["Organization"].(map[string]any)["Id"]
	}
	must[map[string]any](t)(target.Client().Call(t.Context(), "organizations", "CreateOrganization", map[string]any{"FeatureSet": "ALL"}))
	theirs := id(target)
	if got := id(here); got != theirs {
		t.Errorf("the organization is %v, want the target's %v", got, theirs)
	}
	must[map[string]any](t)(here.Client().Call(t.Context(), "organizations", "CreateOrganization", map[string]any{"FeatureSet": "ALL"}))
	if got := id(here); got == theirs {
		t.Error("an organization that was made here is not found")
	}
}

// What only some of a service's operations are here for is the target's beyond them, and is named where there is none.
func TestOperationsBeyondAServicesModelAreTheTargets(t *testing.T) {
	ask := func(p *apptest.Plumb) string {
		t.Helper()
		r := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "POST", p.URL(), strings.NewReader(`{"Name":"/p"}`)))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AmazonSSM.GetParameter")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=00")
		resp := must[*http.Response](t)(http.DefaultClient.Do(r))
		defer resp.Body.Close()
		return resp.Status + string(must[[]byte](t)(io.ReadAll(resp.Body)))
	}
	if got := ask(apptest.Start(t)); !strings.Contains(got, "501") || !strings.Contains(got, "The operation GetParameter of ssm is not served here, and the account 123456789012") {
		t.Errorf("without a target the answer is %s", got)
	}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Header.Get("X-Amz-Target")+string(body))
	}))
	defer target.Close()
	if got := ask(apptest.Start(t, apptest.Target(target.URL))); got != `200 OKAmazonSSM.GetParameter{"Name":"/p"}` {
		t.Errorf("the target answers %s", got)
	}
}
