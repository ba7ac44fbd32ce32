package cognitosync_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/awsclient"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/settings"
)

type object = map[string]any

// A fixture is a pool that has roles, and an identity with its credentials.
type fixture struct {
	*testing.T
	p              *apptest.Plumb
	pool, identity string
	device         *awsclient.Client
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	f := &fixture{T: t, p: p}
	f.pool = f.call("cognito-identity", "CreateIdentityPool", object{"IdentityPoolName": "app", "AllowUnauthenticatedIdentities": true})["IdentityPoolId"].(string)
	f.call("cognito-identity", "SetIdentityPoolRoles", object{"IdentityPoolId": f.pool, "Roles": object{"unauthenticated": f.role("guest"), "authenticated": f.role("user")}})
	f.identity, f.device = f.join()
	return f
}

func (f *fixture) role(name string) string { return "arn:aws:iam::" + f.p.Account() + ":role/" + name }

// unsigned calls an operation as nobody.
func unsigned(t *testing.T, p *apptest.Plumb, operation string, in object) (status int, out object) {
	t.Helper()
	body, _ := json.Marshal(in)
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.URL(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(text, &out)
	return res.StatusCode, out
}

// join makes an identity of nobody, and a client with its credentials.
func (f *fixture) join() (string, *awsclient.Client) {
	f.Helper()
	_, out := unsigned(f.T, f.p, "GetId", object{"IdentityPoolId": f.pool})
	id, _ := out["IdentityId"].(string)
	_, out = unsigned(f.T, f.p, "GetCredentialsForIdentity", object{"IdentityId": id})
	c, ok := out["Credentials"].(object)
	if !ok {
		f.Fatalf("no credentials: %v", out)
	}
	return id, awsclient.New(awsclient.Options{Endpoint: f.p.URL(), Region: f.p.Region(), Credentials: awsclient.Static(
		c["AccessKeyId"].(string), c["SecretKey"].(string), c["SessionToken"].(string))})
}

func (f *fixture) call(service, operation string, in object) object {
	f.Helper()
	out, err := f.p.Client().Call(f.Context(), service, operation, in)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func (f *fixture) in(more object) object {
	out := object{"IdentityPoolId": f.pool, "IdentityId": f.identity, "DatasetName": "settings"}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func (f *fixture) list(since int) object {
	f.Helper()
	out, err := f.device.Call(f.Context(), "cognito-sync", "ListRecords", f.in(object{"LastSyncCount": since}))
	if err != nil {
		f.Fatal(err)
	}
	return out
}

// update writes patches in a new session.
func (f *fixture) update(patches ...any) (object, error) {
	f.Helper()
	return f.device.Call(f.Context(), "cognito-sync", "UpdateRecords", f.in(object{"SyncSessionToken": f.list(0)["SyncSessionToken"], "DeviceId": "phone", "RecordPatches": patches}))
}

func replace(key, value string, count int) object {
	return object{"Op": "replace", "Key": key, "Value": value, "SyncCount": count}
}

func remove(key string, count int) object {
	return object{"Op": "remove", "Key": key, "SyncCount": count}
}

// values are the records of a list by their keys; nil for one that was removed.
func values(out object) object {
	all := object{}
	list, _ := out["Records"].([]any)
	for _, r := range list {
		all[r.(object)["Key"].(string)] = r.(object)["Value"]
	}
	return all
}

func (f *fixture) want(got, want any) {
	f.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		f.Errorf("got %s, want %s", a, b)
	}
}

func (f *fixture) refused(err error, code, message string) {
	f.Helper()
	if err == nil || awsclient.Code(err) != code || !strings.Contains(err.Error(), message) {
		f.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func TestDevicesOfAnIdentityKeepTheSameRecords(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		empty := f.list(0)
		f.want([]any{empty["DatasetExists"], empty["DatasetSyncCount"], empty["Count"]}, []any{false, 0, 0})
		_, err := f.update(replace("color", "blue", 0), replace("größe", "1", 0))
		f.want(err, nil)
		f.want(values(f.list(0)), object{"color": "blue", "größe": "1"})
		_, err = f.update(replace("color", "red", 0))
		f.refused(err, "ResourceConflictException", "Current SyncCount for record with key 'color' is 1, not 0.")
		_, err = f.update(replace("color", "red", 1), remove("größe", 0))
		f.refused(err, "ResourceConflictException", "'größe' is 1, not 0")
		f.want(values(f.list(0)), object{"color": "blue", "größe": "1"})
		_, err = f.update(remove("größe", 1))
		f.want(err, nil)
		changed := f.list(1)
		f.want(values(changed), object{"größe": nil})
		f.want([]any{changed["DatasetSyncCount"], changed["LastModifiedBy"]}, []any{2, "phone"})
		d, err := f.device.Call(t.Context(), "cognito-sync", "DescribeDataset", f.in(nil))
		f.want(err, nil)
		f.want([]any{d["Dataset"].(object)["NumRecords"], d["Dataset"].(object)["DataStorage"]}, []any{1, 9})
		_, err = f.device.Call(t.Context(), "cognito-sync", "DeleteDataset", f.in(nil))
		f.want(err, nil)
		gone := f.list(2)
		f.want([]any{gone["DatasetExists"], gone["DatasetDeletedAfterRequestedSyncCount"], gone["DatasetSyncCount"]}, []any{false, true, 3})
		_, err = f.device.Call(t.Context(), "cognito-sync", "DescribeDataset", f.in(nil))
		f.refused(err, "ResourceNotFoundException", "Dataset 'settings' not found.")
		_, err = f.update(replace("color", "green", 0))
		f.want(err, nil)
		f.want([]any{f.list(0)["DatasetSyncCount"], f.list(0)["DatasetDeletedAfterRequestedSyncCount"]}, []any{4, false})
	})
}

// judge answers the event as the value of its record "do" says.
const judge = `import json, time
def handler(event, context):
    print("EVENT 0 " + json.dumps(event, sort_keys=True))
    records = event["datasetRecords"]
    do = records.get("do", {}).get("newValue")
    if do == "change":
        records["a"] = {"oldValue": None, "newValue": "changed", "op": "replace"}
        records["b"]["op"] = "remove"
        records["added"] = {"newValue": "new", "op": "replace"}
        del records["do"]
    elif do == "fail":
        raise Exception("no")
    elif do == "other":
        event["identityId"] = "somebody"
    elif do == "op":
        records["a"] = {"newValue": "x", "op": "invent"}
    elif do == "value":
        records["a"] = {"op": "replace"}
    elif do == "nothing":
        return None
    elif do == "text":
        return "text"
    elif do == "slow":
        time.sleep(6)
    return event
`

func (f *fixture) permit() {
	f.Helper()
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("sync"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("cognito-sync.amazonaws.com"),
		SourceArn: aws.String("arn:aws:cognito-sync:us-east-1:" + f.p.Account() + ":identitypool/" + f.pool), SourceAccount: aws.String(f.p.Account()),
	})
	if err != nil {
		f.Fatal(err)
	}
}

func TestFunctionChangesRemovesAndAddsRecords(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		function := p.MakeFunction(t, "f", judge)
		_, err := f.update(replace("a", "old", 0))
		f.want(err, nil)
		f.call("cognito-sync", "SetCognitoEvents", object{"IdentityPoolId": f.pool, "Events": object{"SyncTrigger": function}})
		f.want(f.call("cognito-sync", "GetCognitoEvents", object{"IdentityPoolId": f.pool})["Events"], object{"SyncTrigger": function})
		_, err = f.update(replace("a", "new", 1))
		f.refused(err, "NotAuthorizedException", "Cognito Sync is not authorized to invoke the Lambda function "+function)
		f.want(values(f.list(0)), object{"a": "old"})
		f.permit()
		_, err = f.update(replace("a", "new", 1), replace("b", "x", 0), replace("do", "change", 0))
		f.want(err, nil)
		f.want(values(f.list(0)), object{"a": "changed", "added": "new", "b": nil, "do": "change"})
		p.Drain(t)
		var got object
		printed := p.Printed(t, "f")
		if len(printed) != 1 || json.Unmarshal([]byte(printed[0]), &got) != nil {
			t.Fatalf("the function got %q", printed)
		}
		want := object{"version": 2.0, "eventType": "SyncTrigger", "region": "us-east-1", "identityPoolId": f.pool, "identityId": f.identity, "datasetName": "settings",
			"datasetRecords": object{
				"a":  object{"oldValue": "old", "newValue": "new", "op": "replace"},
				"b":  object{"oldValue": nil, "newValue": "x", "op": "replace"},
				"do": object{"oldValue": nil, "newValue": "change", "op": "replace"},
			}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		f.call("cognito-sync", "SetCognitoEvents", object{"IdentityPoolId": f.pool, "Events": object{"SyncTrigger": ""}})
		_, err = f.update(replace("a", "asked nobody", 2))
		f.want(err, nil)
	})
}

func TestFailureOfTheFunctionFailsTheWrite(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	function := f.p.MakeFunction(t, "f", judge)
	f.permit()
	f.call("cognito-sync", "SetCognitoEvents", object{"IdentityPoolId": f.pool, "Events": object{"SyncTrigger": function}})
	for do, want := range map[string]string{
		"fail": "failed", "other": "changed more than datasetRecords", "op": `the op "invent" for the record "a"`, "value": `no newValue for the record "a"`,
		"nothing": "changed more than datasetRecords", "text": "is not the event",
	} {
		_, err := f.update(replace("do", do, 0))
		f.refused(err, "InvalidLambdaFunctionOutputException", want)
	}
	_, err := f.update(replace("do", "slow", 0))
	f.refused(err, "LambdaSocketTimeoutException", "did not answer within 5 seconds")
	if _, err := f.p.Lambda().PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
		t.Fatal(err)
	}
	_, err = f.update(replace("do", "x", 0))
	f.refused(err, "LambdaThrottledException", "was throttled")
	f.want(f.list(0)["DatasetExists"], false)
	token := f.list(0)["SyncSessionToken"]
	_, err = f.p.Client().Call(t.Context(), "cognito-sync", "UpdateRecords", f.in(object{"SyncSessionToken": token, "RecordPatches": []any{replace("do", "fail", 0)}}))
	f.want(err, nil) // credentials that are not an identity's ask no function
}

func TestSessionsAndLimitsAreHeld(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.p.Clock().Freeze(time.Now())
	token := f.list(0)["SyncSessionToken"]
	try := func(token any, dataset string, patches ...any) error {
		_, err := f.p.Client().Call(t.Context(), "cognito-sync", "UpdateRecords", f.in(object{"SyncSessionToken": token, "DatasetName": dataset, "RecordPatches": patches}))
		return err
	}
	f.refused(try("made-up", "settings"), "InvalidParameterException", "Invalid SyncSessionToken.")
	f.refused(try(token, "other"), "InvalidParameterException", "Invalid SyncSessionToken.")
	f.refused(try(token, "settings", replace("a", "1", 0), replace("a", "2", 0)), "InvalidParameterException", "The record 'a' is patched twice.")
	f.refused(try(token, "settings", object{"Op": "replace", "Key": "a", "SyncCount": 0}), "InvalidParameterException", "without a Value")
	f.refused(try(token, "settings", replace("a", strings.Repeat("x", 1<<20-1), 0), replace("b", "xx", 0)), "LimitExceededException", "1048576 bytes")
	var many []any
	for i := range 1025 {
		many = append(many, replace(strconv.Itoa(i), "", 0))
	}
	f.refused(try(token, "settings", many...), "LimitExceededException", "1024 records")
	f.want(try(token, "settings", many[:1024]...), nil)
	f.refused(try(token, "settings", many[1024]), "LimitExceededException", "1024 records")
	_, err := f.device.Call(t.Context(), "cognito-sync", "DeleteDataset", f.in(nil))
	f.want(err, nil)
	f.p.Clock().Advance(16 * time.Minute)
	f.refused(try(token, "settings", replace("a", "1", 0)), "InvalidParameterException", "SyncSessionToken expired.")
	names := []string{}
	for i := range 21 {
		name := "d" + string(rune('a'+i))
		out, err := f.p.Client().Call(t.Context(), "cognito-sync", "ListRecords", f.in(object{"DatasetName": name}))
		f.want(err, nil)
		err = try(out["SyncSessionToken"], name, replace("k", "v", 0))
		if i == 20 {
			f.refused(err, "LimitExceededException", "20 datasets")
			continue
		}
		f.want(err, nil)
		names = append(names, name)
	}
	var listed []string
	for next := any(nil); ; {
		out := f.call("cognito-sync", "ListDatasets", object{"IdentityPoolId": f.pool, "IdentityId": f.identity, "MaxResults": 7, "NextToken": next})
		for _, d := range out["Datasets"].([]any) {
			listed = append(listed, d.(object)["DatasetName"].(string))
		}
		if next = out["NextToken"]; next == nil {
			break
		}
	}
	f.want(listed, names)
	usage := f.call("cognito-sync", "DescribeIdentityUsage", object{"IdentityPoolId": f.pool, "IdentityId": f.identity})["IdentityUsage"].(object)
	f.want([]any{usage["DatasetCount"], usage["DataStorage"]}, []any{20, 40})
	f.want(f.call("cognito-sync", "DescribeIdentityPoolUsage", object{"IdentityPoolId": f.pool})["IdentityPoolUsage"].(object)["DataStorage"], 40)
	f.want(len(f.call("cognito-sync", "ListIdentityPoolUsage", nil)["IdentityPoolUsages"].([]any)), 1)
	_, err = f.p.Client().Call(t.Context(), "cognito-sync", "SetCognitoEvents", object{"IdentityPoolId": f.pool, "Events": object{"Other": ""}})
	f.refused(err, "InvalidParameterException", `The event "Other"`)
	_, err = f.p.Client().Call(t.Context(), "cognito-sync", "SetCognitoEvents", object{"IdentityPoolId": f.pool, "Events": object{"SyncTrigger": "f"}})
	f.refused(err, "InvalidParameterException", `"f" is not the ARN of a function`)
}

func TestNobodyReachesWhatIsAnotherIdentitys(t *testing.T) {
	const nobody = "us-east-1:00000000-0000-0000-0000-000000000000"
	f := setUp(t, apptest.Start(t))
	_, err := f.update(replace("secret", "1", 0))
	f.want(err, nil)
	_, other := f.join()
	_, err = other.Call(t.Context(), "cognito-sync", "ListRecords", f.in(nil))
	f.refused(err, "NotAuthorizedException", "Access to Identity '"+f.identity+"' is forbidden.")
	elsewhere := f.p.As("999999999999", "us-east-1").Client()
	_, err = elsewhere.Call(t.Context(), "cognito-sync", "ListRecords", f.in(nil))
	f.refused(err, "ResourceNotFoundException", "IdentityPool '"+f.pool+"' not found.")
	_, err = elsewhere.Call(t.Context(), "cognito-identity", "DescribeIdentityPool", object{"IdentityPoolId": f.pool})
	f.refused(err, "ResourceNotFoundException", "IdentityPool '"+f.pool+"' not found.")
	f.want(f.call("cognito-identity", "DeleteIdentities", object{"IdentityIdsToDelete": []any{f.identity, nobody}})["UnprocessedIdentityIds"],
		[]any{object{"IdentityId": nobody, "ErrorCode": "AccessDenied"}})
	_, err = f.p.Client().Call(t.Context(), "cognito-identity", "DescribeIdentity", object{"IdentityId": f.identity})
	f.refused(err, "ResourceNotFoundException", "Identity '"+f.identity+"' not found.")
	f.want(len(f.call("cognito-identity", "ListIdentities", object{"IdentityPoolId": f.pool, "MaxResults": 10})["Identities"].([]any)), 1)
	f.want(f.call("cognito-identity", "GetIdentityPoolRoles", object{"IdentityPoolId": f.pool})["Roles"], object{"authenticated": f.role("user"), "unauthenticated": f.role("guest")})
	f.call("cognito-identity", "UpdateIdentityPool", object{"IdentityPoolId": f.pool, "IdentityPoolName": "closed", "AllowUnauthenticatedIdentities": false})
	if status, out := unsigned(t, f.p, "GetId", object{"IdentityPoolId": f.pool}); status != 400 || out["__type"] != "NotAuthorizedException" {
		t.Errorf("a closed pool answers %d %v", status, out)
	}
	f.want(f.call("cognito-identity", "ListIdentityPools", object{"MaxResults": 10})["IdentityPools"], []any{object{"IdentityPoolId": f.pool, "IdentityPoolName": "closed"}})
	f.call("cognito-identity", "DeleteIdentityPool", object{"IdentityPoolId": f.pool})
	_, err = f.p.Client().Call(t.Context(), "cognito-sync", "GetCognitoEvents", object{"IdentityPoolId": f.pool})
	f.refused(err, "ResourceNotFoundException", "not found")
}

func TestLoginsNameTheSameIdentityInDevelopmentModeOnly(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	in := object{"IdentityPoolId": f.pool, "Logins": object{"accounts.google.com": "token"}}
	if status, out := unsigned(t, f.p, "GetId", in); status != 400 || out["__type"] != "NotAuthorizedException" {
		t.Errorf("an unknown provider: %d %v", status, out)
	}
	f.call("cognito-identity", "UpdateIdentityPool", object{"IdentityPoolId": f.pool, "IdentityPoolName": "app", "AllowUnauthenticatedIdentities": false,
		"SupportedLoginProviders": object{"accounts.google.com": "app-id"}})
	_, first := unsigned(t, f.p, "GetId", in)
	_, second := unsigned(t, f.p, "GetId", in)
	f.want(second, first)
	if status, out := unsigned(t, f.p, "GetCredentialsForIdentity", object{"IdentityId": first["IdentityId"]}); status != 400 {
		t.Errorf("without its login: %d %v", status, out)
	}
	if status, out := unsigned(t, f.p, "GetCredentialsForIdentity", object{"IdentityId": first["IdentityId"], "Logins": in["Logins"]}); status != 200 {
		t.Errorf("with its login: %d %v", status, out)
	}
}

func TestServerModeTakesUnsignedCallsOfIdentitiesAlone(t *testing.T) {
	const id, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.AccessKeys, s.IAM = settings.Server, []settings.AccessKey{{ID: id, Secret: settings.Secret(secret), Account: s.Account}}, "off"
	}).Signing(id, secret)
	f := setUp(t, p)
	_, err := f.update(replace("a", "1", 0))
	f.want(err, nil)
	if status, out := unsigned(t, p, "ListIdentityPools", object{"MaxResults": 10}); status != 403 && status != 400 || out["IdentityPools"] != nil {
		t.Errorf("unsigned list: %d %v", status, out)
	}
	if status, out := unsigned(t, p, "GetId", object{"IdentityPoolId": f.pool, "Logins": object{"accounts.google.com": "token"}}); status != 400 ||
		!strings.Contains(out["message"].(string), "cannot be verified") {
		t.Errorf("a token that nobody verifies: %d %v", status, out)
	}
}

const boto = `import boto3, sys
from botocore import UNSIGNED
from botocore.config import Config
url, pool = sys.argv[1:]
a = boto3.client("cognito-identity", endpoint_url=url, region_name="us-east-1", config=Config(signature_version=UNSIGNED))
i = a.get_id(IdentityPoolId=pool)["IdentityId"]
c = a.get_credentials_for_identity(IdentityId=i)["Credentials"]
s = boto3.client("cognito-sync", endpoint_url=url, region_name="us-east-1", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretKey"], aws_session_token=c["SessionToken"])
at = dict(IdentityPoolId=pool, IdentityId=i, DatasetName="d")
r = s.list_records(**at)
s.update_records(**at, SyncSessionToken=r["SyncSessionToken"], RecordPatches=[{"Op": "replace", "Key": "k", "Value": "v", "SyncCount": 0}])
r = s.list_records(**at)["Records"][0]
print(r["Key"], r["Value"], r["SyncCount"], r["LastModifiedDate"].year > 2000)
`

func TestBoto3Synchronizes(t *testing.T) {
	lambdatest.NeedBoto3(t)
	f := setUp(t, apptest.Start(t))
	out, err := exec.CommandContext(t.Context(), "python3", "-c", boto, f.p.URL(), f.pool).CombinedOutput()
	if err != nil || string(out) != "k v 1 True\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
