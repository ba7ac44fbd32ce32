package apigateway_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/apigateway/types"

	"plumb/internal/apptest"
)

// keyed adds GET /name of a method that wants a key.
func (f *fixture) keyed(name string, change ...func(*apigateway.PutMethodInput, *apigateway.PutIntegrationInput)) {
	f.method(f.resource(f.root, name), "GET", append(change, func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) { m.ApiKeyRequired = true })...)
}

func (f *fixture) key(name, value string) *apigateway.CreateApiKeyOutput {
	f.Helper()
	in := &apigateway.CreateApiKeyInput{Name: &name, Enabled: true}
	if value != "" {
		in.Value = &value
	}
	k, err := f.c.CreateApiKey(f.Context(), in)
	f.must(err)
	return k
}

// plan makes a usage plan for the stage dev with keys.
func (f *fixture) plan(change func(*apigateway.CreateUsagePlanInput), keys ...string) string {
	f.Helper()
	in := &apigateway.CreateUsagePlanInput{Name: aws.String("plan"), ApiStages: []types.ApiStage{{ApiId: &f.api, Stage: aws.String("dev")}}}
	change(in)
	u, err := f.c.CreateUsagePlan(f.Context(), in)
	f.must(err)
	for _, id := range keys {
		_, err := f.c.CreateUsagePlanKey(f.Context(), &apigateway.CreateUsagePlanKeyInput{UsagePlanId: u.Id, KeyId: &id, KeyType: aws.String("API_KEY")})
		f.must(err)
	}
	return *u.Id
}

func noLimits(*apigateway.CreateUsagePlanInput) {}

const (
	forbidden = `{"message":"Forbidden"}`
	tooMany   = `{"message":"Too Many Requests"}`
	exceeded  = `{"message":"Limit Exceeded"}`
)

func TestMethodsThatWantAKeyTakeThoseOfAPlan(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*/*/*")
		f.keyed("a")
		f.method(f.resource(f.root, "open"), "GET")
		f.deploy()
		good, lost := f.key("good", ""), f.key("lost", "lost-lost-lost-lost-lost")
		plan := f.plan(noLimits, *good.Id)

		event := f.event("GET", "/a", "", "X-API-Key", *good.Value)
		identity := event["requestContext"].(object)["identity"].(object)
		if identity["apiKey"] != *good.Value || identity["apiKeyId"] != *good.Id {
			t.Errorf("the function was told %v", identity)
		}
		if _, ok := f.event("GET", "/open", "", "X-API-Key", *good.Value)["requestContext"].(object)["identity"].(object)["apiKey"]; ok {
			t.Error("a method that wants no key told of one")
		}
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a")
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "X-API-Key", "nobody's")
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "X-API-Key", *lost.Value)

		enable := func(value string) {
			out, err := f.c.UpdateApiKey(ctx, &apigateway.UpdateApiKeyInput{ApiKey: good.Id, PatchOperations: []types.PatchOperation{
				{Op: types.OpReplace, Path: aws.String("/enabled"), Value: &value}}})
			if f.must(err); fmt.Sprint(out.Enabled) != value || out.Value != nil {
				t.Errorf("the key is %+v", out)
			}
		}
		enable("false")
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "X-API-Key", *good.Value)
		enable("true")
		f.event("GET", "/a", "", "X-API-Key", *good.Value)
		p.Restart(t)
		p.Clock().Freeze(noon)
		f.c = apigateway.NewFromConfig(p.SDK())
		f.event("GET", "/a", "", "X-API-Key", *good.Value)

		_, err := f.c.UpdateUsagePlan(ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
			{Op: types.OpRemove, Path: aws.String("/apiStages"), Value: aws.String(f.api + ":dev")}}})
		f.must(err)
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "X-API-Key", *good.Value)
		_, err = f.c.UpdateUsagePlan(ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
			{Op: types.OpAdd, Path: aws.String("/apiStages"), Value: aws.String(f.api + ":dev")}}})
		f.must(err)
		f.event("GET", "/a", "", "X-API-Key", *good.Value)
		_, err = f.c.DeleteUsagePlanKey(ctx, &apigateway.DeleteUsagePlanKeyInput{UsagePlanId: &plan, KeyId: good.Id})
		f.must(err)
		f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "X-API-Key", *good.Value)

		usage, err := f.c.GetUsage(ctx, &apigateway.GetUsageInput{UsagePlanId: &plan, StartDate: aws.String("2026-02-28"), EndDate: aws.String("2026-03-01")})
		if f.must(err); len(usage.Items) != 1 || usage.Items[*good.Id][0][0] != 0 || usage.Items[*good.Id][1][0] < 3 {
			t.Errorf("the usage is %v", usage.Items)
		}
	})
}

func TestAnAuthorizerNamesTheKey(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	code := `def handler(event, context):
    return {"principalId": "me", "usageIdentifierKey": event["authorizationToken"], "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}]}}
`
	arn := f.p.MakeFunction(t, "authorizer", code)
	_, err := f.c.UpdateRestApi(ctx, &apigateway.UpdateRestApiInput{RestApiId: &f.api, PatchOperations: []types.PatchOperation{
		{Op: types.OpReplace, Path: aws.String("/apiKeySource"), Value: aws.String("AUTHORIZER")}}})
	f.must(err)
	a, err := f.c.CreateAuthorizer(ctx, &apigateway.CreateAuthorizerInput{RestApiId: &f.api, Name: aws.String("a"), Type: types.AuthorizerTypeToken,
		AuthorizerUri: aws.String("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + "/invocations"), IdentitySource: aws.String("method.request.header.Token"),
		AuthorizerCredentials: aws.String("arn:aws:iam::" + f.p.Account() + ":role/gateway")})
	f.must(err)
	f.permit("all", "*/*/*")
	f.keyed("a", func(m *apigateway.PutMethodInput, _ *apigateway.PutIntegrationInput) {
		m.AuthorizationType, m.AuthorizerId = aws.String("CUSTOM"), a.Id
	})
	f.deploy()
	k := f.key("k", "")
	f.plan(noLimits, *k.Id)
	f.event("GET", "/a", "", "Token", *k.Value)
	f.answers(403, "ForbiddenException", forbidden, "GET", "/a", "Token", "other", "X-API-Key", *k.Value)
}

func TestPlansSayHowFastAndHowOftenAKeyIsUsed(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*/*/*")
		f.keyed("a")
		f.keyed("slow")
		f.deploy()
		one, two := f.key("one", ""), f.key("two", "")
		plan := f.plan(func(in *apigateway.CreateUsagePlanInput) {
			in.Throttle = &types.ThrottleSettings{BurstLimit: 2, RateLimit: 1}
			in.ApiStages[0].Throttle = map[string]types.ThrottleSettings{"/slow/GET": {BurstLimit: 1, RateLimit: 0.1}}
			in.Quota = &types.QuotaSettings{Limit: 6, Period: types.QuotaPeriodTypeDay}
		}, *one.Id, *two.Id)
		get := func(path string) []string { return []string{"GET", path, "X-API-Key", *one.Value} }
		passes := func(path string) {
			t.Helper()
			f.event("GET", path, "", "X-API-Key", *one.Value)
		}
		refuses := func(kind, body, path string) {
			t.Helper()
			a := get(path)
			f.answers(429, kind, body, a[0], a[1], a[2:]...)
		}
		passes("/a")
		passes("/a")
		refuses("TooManyRequestsException", tooMany, "/a")
		f.event("GET", "/a", "", "X-API-Key", *two.Value) // each key has its own
		p.Clock().Advance(time.Second)
		passes("/a")
		refuses("TooManyRequestsException", tooMany, "/a")
		passes("/slow") // which has limits of its own
		p.Clock().Advance(2 * time.Second)
		refuses("TooManyRequestsException", tooMany, "/slow")
		passes("/a")
		passes("/a")
		p.Clock().Advance(time.Minute)
		refuses("LimitExceededException", exceeded, "/a")

		usage, err := f.c.GetUsage(ctx, &apigateway.GetUsageInput{UsagePlanId: &plan, KeyId: one.Id, StartDate: aws.String("2026-03-01"), EndDate: aws.String("2026-03-02")})
		if f.must(err); !reflect.DeepEqual(usage.Items, map[string][][]int64{*one.Id: {{6, 0}, {0, 6}}}) {
			t.Errorf("the usage is %v", usage.Items)
		}
		p.Clock().Advance(12 * time.Hour) // the next day
		passes("/a")

		_, err = f.c.UpdateUsagePlan(ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
			{Op: types.OpReplace, Path: aws.String("/quota/limit"), Value: aws.String("8")}, {Op: types.OpReplace, Path: aws.String("/quota/period"), Value: aws.String("WEEK")},
			{Op: types.OpReplace, Path: aws.String("/apiStages/" + f.api + ":dev/throttle/~1slow/GET/rateLimit"), Value: aws.String("5")},
			{Op: types.OpReplace, Path: aws.String("/throttle/rateLimit"), Value: aws.String("0.5")}}})
		f.must(err)
		got, err := f.c.GetUsagePlan(ctx, &apigateway.GetUsagePlanInput{UsagePlanId: &plan})
		if f.must(err); got.Throttle.RateLimit != 0.5 || got.Throttle.BurstLimit != 2 || got.ApiStages[0].Throttle["/slow/GET"].RateLimit != 5 || got.Quota.Limit != 8 {
			t.Errorf("the plan is %+v", got)
		}
		passes("/a") // the week began on Sunday, the first of March
		refuses("LimitExceededException", exceeded, "/slow")
	})
}

func TestKeysAndPlansAreKeptAsAWSKeepsThem(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx, text := setUp(t, p), t.Context(), aws.String
		f.permit("all", "*/*/*")
		f.keyed("a")
		f.deploy()
		value := strings.Repeat("v", 20)
		_, err := f.c.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Value: text("short")})
		f.refused(err, "BadRequestException", "API Key value should be at least 20 characters and at most 128")
		k, err := f.c.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Name: text("one"), Description: text("d"), CustomerId: text("c"), Value: &value, Tags: map[string]string{"a": "b"}})
		if f.must(err); *k.Value != value || k.Enabled || !k.CreatedDate.Equal(noon) || k.Tags["a"] != "b" || *k.CustomerId != "c" {
			t.Errorf("made %+v", k)
		}
		_, err = f.c.CreateApiKey(ctx, &apigateway.CreateApiKeyInput{Value: &value})
		f.refused(err, "ConflictException", "API Key already exists")
		f.key("other", "")
		got, err := f.c.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: k.Id})
		if f.must(err); got.Value != nil || *got.Name != "one" || *got.Description != "d" {
			t.Errorf("got %+v", got)
		}
		got, err = f.c.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: k.Id, IncludeValue: aws.Bool(true)})
		if f.must(err); aws.ToString(got.Value) != value {
			t.Errorf("got the value %v", got.Value)
		}
		var names []string
		for page := apigateway.NewGetApiKeysPaginator(f.c, &apigateway.GetApiKeysInput{Limit: aws.Int32(1), IncludeValues: aws.Bool(true)}); page.HasMorePages(); {
			out, err := page.NextPage(ctx)
			f.must(err)
			for _, k := range out.Items {
				names = append(names, *k.Name)
				if k.Value == nil {
					t.Errorf("%s was listed without its value", *k.Name)
				}
			}
		}
		if len(names) != 2 {
			t.Errorf("listed %v", names)
		}
		some, err := f.c.GetApiKeys(ctx, &apigateway.GetApiKeysInput{NameQuery: text("o"), CustomerId: text("c")})
		if f.must(err); len(some.Items) != 1 || *some.Items[0].Id != *k.Id {
			t.Errorf("listed %v", some.Items)
		}

		for _, wrong := range []*apigateway.CreateUsagePlanInput{
			{Name: text("p"), ApiStages: []types.ApiStage{{ApiId: &f.api, Stage: text("none")}}},
			{Name: text("p"), ApiStages: []types.ApiStage{{ApiId: text("none"), Stage: text("dev")}}},
		} {
			_, err = f.c.CreateUsagePlan(ctx, wrong)
			f.refused(err, "NotFoundException", "API Stage not found: "+*wrong.ApiStages[0].ApiId+":"+*wrong.ApiStages[0].Stage)
		}
		first, second := f.plan(noLimits, *k.Id), f.plan(func(in *apigateway.CreateUsagePlanInput) { in.Name = text("second") })
		key, err := f.c.GetUsagePlanKey(ctx, &apigateway.GetUsagePlanKeyInput{UsagePlanId: &first, KeyId: k.Id})
		if f.must(err); *key.Id != *k.Id || *key.Type != "API_KEY" || *key.Value != value || *key.Name != "one" {
			t.Errorf("the plan has %+v", key)
		}
		add := func(plan, key string) error {
			_, err := f.c.CreateUsagePlanKey(ctx, &apigateway.CreateUsagePlanKeyInput{UsagePlanId: &plan, KeyId: &key, KeyType: text("API_KEY")})
			return err
		}
		f.refused(add(first, *k.Id), "ConflictException", "Usage Plan Key already exists")
		f.refused(add(first, "none"), "NotFoundException", "Invalid API Key identifier specified")
		f.refused(add(second, *k.Id), "ConflictException", "The API key is in usage plan "+first+", too, for the API stage "+f.api+":dev.")
		keys, err := f.c.GetUsagePlanKeys(ctx, &apigateway.GetUsagePlanKeysInput{UsagePlanId: &first})
		if f.must(err); len(keys.Items) != 1 {
			t.Errorf("the plan has %v", keys.Items)
		}
		plans, err := f.c.GetUsagePlans(ctx, &apigateway.GetUsagePlansInput{})
		f.must(err)
		ofKey, err := f.c.GetUsagePlans(ctx, &apigateway.GetUsagePlansInput{KeyId: k.Id})
		if f.must(err); len(plans.Items) != 2 || len(ofKey.Items) != 1 || *ofKey.Items[0].Id != first {
			t.Errorf("plans %v, of the key %v", plans.Items, ofKey.Items)
		}
		_, err = f.c.DeleteUsagePlan(ctx, &apigateway.DeleteUsagePlanInput{UsagePlanId: &first})
		f.refused(err, "BadRequestException", "Cannot delete usage plan "+first+" while API stages are associated with it. Please remove them first.")

		hers := apigateway.NewFromConfig(p.As("999999999999", "us-east-1").SDK())
		_, err = hers.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: k.Id})
		f.refused(err, "NotFoundException", "Invalid API Key identifier specified")
		_, err = hers.CreateUsagePlan(ctx, &apigateway.CreateUsagePlanInput{Name: text("p"), ApiStages: []types.ApiStage{{ApiId: &f.api, Stage: text("dev")}}})
		f.refused(err, "NotFoundException", "API Stage not found: "+f.api+":dev")

		_, err = f.c.DeleteApiKey(ctx, &apigateway.DeleteApiKeyInput{ApiKey: k.Id})
		f.must(err)
		_, err = f.c.GetUsagePlanKey(ctx, &apigateway.GetUsagePlanKeyInput{UsagePlanId: &first, KeyId: k.Id})
		f.refused(err, "NotFoundException", "Invalid API Key identifier specified")
	})
}

func TestKeysAndPlansHaveTags(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.method(f.root, "GET", mock)
		f.deploy()
		k := f.key("k", "")
		for _, path := range []string{"/apikeys/" + *k.Id, "/usageplans/" + f.plan(noLimits)} {
			arn := aws.String("arn:aws:apigateway:us-east-1::" + path)
			_, err := f.c.TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": "2"}})
			f.must(err)
			_, err = f.c.UntagResource(ctx, &apigateway.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
			f.must(err)
			out, err := f.c.GetTags(ctx, &apigateway.GetTagsInput{ResourceArn: arn})
			if f.must(err); !reflect.DeepEqual(out.Tags, map[string]string{"b": "2"}) {
				t.Errorf("the tags of %s are %v", path, out.Tags)
			}
			many := map[string]string{}
			for i := range 51 {
				many[fmt.Sprint(i)] = ""
			}
			if _, err = f.c.TagResource(ctx, &apigateway.TagResourceInput{ResourceArn: arn, Tags: many}); err == nil || !strings.Contains(err.Error(), "may have up to 50 tags") {
				t.Errorf("%s: got %v", path, err)
			}
			bad := aws.String(*arn + "/stages/dev")
			_, err = f.c.GetTags(ctx, &apigateway.GetTagsInput{ResourceArn: bad})
			f.refused(err, "BadRequestException", "Invalid ARN specified: "+*bad)
		}
		got, err := f.c.GetApiKey(ctx, &apigateway.GetApiKeyInput{ApiKey: k.Id, IncludeValue: aws.Bool(true)})
		if f.must(err); *got.Value != *k.Value || got.Tags["b"] != "2" {
			t.Errorf("the key is %+v", got)
		}
	})
}

func TestLimitsOfAStageThatAPlanHasAreChecked(t *testing.T) {
	f, ctx := setUp(t, apptest.Start(t)), t.Context()
	f.keyed("a")
	f.deploy()
	plan := f.plan(func(in *apigateway.CreateUsagePlanInput) {
		in.ApiStages[0].Throttle = map[string]types.ThrottleSettings{"/a/GET": {BurstLimit: 1, RateLimit: 1}}
	})
	limit := func(member, value string) error {
		_, err := f.c.UpdateUsagePlan(ctx, &apigateway.UpdateUsagePlanInput{UsagePlanId: &plan, PatchOperations: []types.PatchOperation{
			{Op: types.OpReplace, Path: aws.String("/apiStages/" + f.api + ":dev/throttle/~1a/GET/" + member), Value: &value}}})
		return err
	}
	for _, member := range []string{"rateLimit", "burstLimit"} {
		f.refused(limit(member, "-5"), "BadRequestException", "Throttle rate and burst limits must not be negative")
	}
	_, err := f.c.DeleteStage(ctx, &apigateway.DeleteStageInput{RestApiId: &f.api, StageName: aws.String("dev")})
	f.must(err)
	f.must(limit("rateLimit", "5")) // of a stage that is gone, which a plan may keep
}

func TestUsageIsToldInPages(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f, ctx := setUp(t, p), t.Context()
		f.permit("all", "*/*/*")
		f.keyed("a")
		f.deploy()
		var ids []string
		var keys []*apigateway.CreateApiKeyOutput
		for _, name := range []string{"one", "two", "three"} {
			k := f.key(name, "")
			ids, keys = append(ids, *k.Id), append(keys, k)
		}
		plan := f.plan(noLimits, ids...)
		for _, k := range keys {
			f.event("GET", "/a", "", "X-API-Key", *k.Value)
		}
		in := &apigateway.GetUsageInput{UsagePlanId: &plan, StartDate: aws.String("2026-03-01"), EndDate: aws.String("2026-03-01"), Limit: aws.Int32(2)}
		told := map[string][][]int64{}
		for _, want := range []int{2, 1} {
			out, err := f.c.GetUsage(ctx, in)
			if f.must(err); len(out.Items) != want || (out.Position != nil) != (want == 2) {
				t.Fatalf("a page is %v, position %v", out.Items, out.Position)
			}
			maps.Copy(told, out.Items)
			if out.Position != nil {
				in.Position = out.Position
			}
		}
		if len(told) != 3 {
			t.Errorf("the pages tell of %v, want %v", told, ids)
		}
		in.EndDate = aws.String("2026-03-02") // the position is one of another question
		_, err := f.c.GetUsage(ctx, in)
		f.refused(err, "BadRequestException", "Invalid position parameter")
		whole, err := f.c.GetUsage(ctx, &apigateway.GetUsageInput{UsagePlanId: &plan, StartDate: in.StartDate, EndDate: in.StartDate})
		if f.must(err); !reflect.DeepEqual(whole.Items, told) || whole.Position != nil {
			t.Errorf("the whole is %v, position %v, the pages were %v", whole.Items, whole.Position, told)
		}
	})
}
