package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// deliveredPast is what a server delivered: a bucket whose versioning changed, and one that is gone.
func deliveredPast(t *testing.T, p *apptest.Plumb) (folder string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Clock().Freeze(time.Now())
	must(p.Record(t.Context()))
	for _, name := range []string{"logs", "gone"} {
		_, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
		must(err)
	}
	p.Drain(t)
	p.Clock().Advance(time.Minute)
	_, err := p.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: new("logs"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
	})
	must(err)
	_, err = p.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: new("gone")})
	must(err)
	p.Drain(t)
	_, err = p.Config().DeliverConfigSnapshot(t.Context(), &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: new("default")})
	must(err)
	p.Clock().Advance(7 * time.Hour)
	p.Drain(t)
	folder = t.TempDir()
	list, err := p.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new(apptest.DeliveryBucket)})
	must(err)
	for _, o := range list.Contents {
		out, err := p.S3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: new(apptest.DeliveryBucket), Key: o.Key})
		must(err)
		body, err := io.ReadAll(out.Body)
		must(err)
		path := filepath.Join(folder, filepath.FromSlash(*o.Key))
		must(os.MkdirAll(filepath.Dir(path), 0o755))
		must(os.WriteFile(path, body, 0o644))
	}
	return folder
}

func bucketHistory(t *testing.T, p *apptest.Plumb, id string) (out []string) {
	t.Helper()
	h, err := p.Config().GetResourceConfigHistory(t.Context(), &configservice.GetResourceConfigHistoryInput{
		ResourceType: types.ResourceTypeBucket, ResourceId: &id,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range h.ConfigurationItems {
		out = append(out, fmt.Sprint(*it.ConfigurationStateId, it.ConfigurationItemCaptureTime, it.ConfigurationItemStatus, aws.ToString(it.Configuration), it.SupplementaryConfiguration, it.Tags, aws.ToString(it.Arn)))
	}
	return out
}

func importing(t *testing.T, args ...string) (out, errOut string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), append([]string{"import"}, args...), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), status
}

func TestFilesThatAServerDeliveredAreThePastOfAnother(t *testing.T) {
	quiet := func(s *settings.Settings) { s.LogLevel = "error" }
	from := apptest.Start(t, quiet)
	folder := deliveredPast(t, from)

	p := apptest.Start(t, quiet)
	if _, err := p.Config().PutConfigurationRecorder(t.Context(), &configservice.PutConfigurationRecorderInput{
		ConfigurationRecorder: &types.ConfigurationRecorder{Name: new("default"), RoleARN: new("arn:aws:iam::" + p.Account() + ":role/config")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: new("versioned"), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: new("S3_BUCKET_VERSIONING_ENABLED")},
	}}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	out, errOut, status := importing(t, folder, "--endpoint", p.URL())
	if status != 0 || !strings.Contains(out, " kept already, 0 too old, 0 not asked for, 0 not read") {
		t.Fatalf("%d\n%s%s", status, out, errOut)
	}
	for _, id := range []string{"logs", "gone"} {
		got, want := bucketHistory(t, p, id), bucketHistory(t, from, id)
		if len(want) < 2 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", id, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	p.Drain(t)
	found, err := p.Config().GetComplianceDetailsByConfigRule(t.Context(), &configservice.GetComplianceDetailsByConfigRuleInput{
		ConfigRuleName: new("versioned"), ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant},
	})
	if err != nil || !strings.Contains(fmt.Sprint(resourceIDs(found)), "logs") {
		t.Errorf("%v %v", resourceIDs(found), err)
	}
	if out, _, _ := importing(t, folder, "--endpoint", p.URL(), "--again"); !strings.Contains(out, ": 0 new ") {
		t.Error(out)
	}

	// From a bucket of its own, and of another endpoint.
	outside := apptest.Start(t, quiet, func(s *settings.Settings) { s.Endpoints.S3 = from.URL() })
	for _, q := range []*apptest.Plumb{from, outside} {
		out, errOut, status := importing(t, "s3://"+apptest.DeliveryBucket+"/AWSLogs", "--endpoint", q.URL())
		if status != 0 || q == from && !strings.Contains(out, ": 0 new ") || q == outside && strings.Contains(out, ": 0 new ") {
			t.Errorf("%d %s%s", status, out, errOut)
		}
	}
	if got, want := bucketHistory(t, outside, "logs"), bucketHistory(t, from, "logs"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v", got)
	}
	if _, errOut, status := importing(t, "s3://nowhere", "--endpoint", p.URL()); status != 1 || !strings.Contains(errOut, "bucket does not exist") {
		t.Errorf("%d %s", status, errOut)
	}
}

func resourceIDs(out *configservice.GetComplianceDetailsByConfigRuleOutput) (ids []string) {
	if out == nil {
		return nil
	}
	for _, r := range out.EvaluationResults {
		ids = append(ids, *r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId)
	}
	return ids
}

func TestImportNeedsNoServer(t *testing.T) {
	folder, data := t.TempDir(), t.TempDir()
	file := filepath.Join(folder, "123456789012_Config_eu-west-1_ConfigHistory_x.json")
	item := func(id, captured string) string {
		return `{"configurationItemVersion":"1.3","configurationItemCaptureTime":"` + captured + `","configurationStateId":0,"awsAccountId":"123456789012",
			"configurationItemStatus":"OK","resourceType":"AWS::Of::Nobody","resourceId":"` + id + `","awsRegion":"eu-west-1","configuration":{}}`
	}
	if err := os.WriteFile(file, []byte(`{"configurationItems":[`+item("a", "2026-01-01T00:00:00.000Z")+`,`+item("b", "1999-01-01T00:00:00.000Z")+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	alone := []string{folder, "--data", data, "--listen", "127.0.0.1:9", "--sandbox", "auto"}
	for n, want := range []string{"2 items: 1 new (1 of them", "0 items: 0 new"} {
		out, errOut, status := importing(t, alone...)
		if status != incomplete || !strings.Contains(out, want) || !strings.Contains(out, "item 2: it was captured at 1999-01-01T00:00:00.000Z, before AWS Config was") {
			t.Errorf("run %d: %d %s%s", n, status, out, errOut)
		}
	}
	if _, errOut, status := importing(t, append([]string{filepath.Join(folder, "not-there")}, alone[1:]...)...); status != 1 || !strings.Contains(errOut, "no such file") {
		t.Errorf("%d %s", status, errOut)
	}
}
