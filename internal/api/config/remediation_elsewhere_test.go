package config_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// remediations returns the state of the remediation of each resource, with its steps.
func (a account) remediations() string {
	a.t.Helper()
	var all []string
	for _, e := range a.executions() {
		line := *e.ResourceKey.ResourceId + " " + string(e.State)
		for _, s := range e.StepDetails {
			line += fmt.Sprint(" ", *s.Name, "=", s.State)
			if s.ErrorMessage != nil {
				line += fmt.Sprint("(", *s.ErrorMessage, ")")
			}
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

func TestADocumentRunsAtAnOutsideSystemsManager(t *testing.T) {
	elsewhere := apptest.Start(t)
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		ctx, bucket := t.Context(), strings.ToLower(strings.ReplaceAll(t.Name()[len("TestADocumentRunsAt"):], "/", "-"))
		_, err := elsewhere.S3().CreateBucket(ctx, createBucket(bucket))
		a := open(t, p)
		a.must(err)
		_, err = elsewhere.S3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
		})
		a.must(err)
		a.running()
		a.Drain(t)
		a.must(a.put(managed("versioned", "S3_BUCKET_VERSIONING_ENABLED")))
		a.Drain(t)
		a.equal(a.verdict(bucket), types.ComplianceTypeNonCompliant)

		wrong := versioning(false)
		wrong.TargetId = new("No-Such-Document")
		a.putRemediation(wrong)
		a.startRemediation(bucketKey(bucket))
		a.Drain(t)
		got := a.remediations()
		a.equal(strings.HasPrefix(got, bucket+" FAILED No-Such-Document=FAILED(AutomationDefinitionNotFoundException"), true)

		a.putRemediation(versioning(false))
		a.startRemediation(bucketKey(bucket))
		a.Drain(t)
		a.equal(a.remediations(), bucket+" IN_PROGRESS")
		a.Clock().Advance(6 * time.Second)
		a.Drain(t)
		elsewhere.Drain(t)
		a.Clock().Advance(16 * time.Second)
		a.Drain(t)
		a.equal(strings.HasPrefix(a.remediations(), bucket+" SUCCEEDED "), true)
		a.equal(a.verdict(bucket), types.ComplianceTypeCompliant)
		status, err := elsewhere.S3().GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket})
		a.must(err)
		a.equal(status.Status, s3types.BucketVersioningStatusEnabled)
	}, apptest.Target(elsewhere.URL()), func(s *settings.Settings) { s.Endpoints.SSM = elsewhere.URL() })
}
