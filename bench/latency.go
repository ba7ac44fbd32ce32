package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const (
	bucket       = "watched"
	managedRule  = "by-a-managed-rule"
	functionRule = "by-a-function"
)

// latency measures how long it takes from the call that changes a bucket to the
// first read that shows the new verdict: by a managed rule, by a function that is
// warm, by one that is cold.
func latency(ctx context.Context, b *bench) error {
	s, err := b.newServer(ctx)
	if err != nil {
		return err
	}
	if _, err := s.send(ctx, "PUT", "/"+bucket, "s3", nil); err != nil {
		return err
	}
	if err := s.startRecorder(ctx); err != nil {
		return err
	}
	if err := s.putManagedRule(ctx, managedRule, "S3_BUCKET_VERSIONING_ENABLED"); err != nil {
		return err
	}
	took, err := s.timeChanges(ctx, managedRule, b.changes, nil)
	if err != nil {
		return err
	}
	b.table.latencies("change to verdict, managed rule", took, 100*time.Millisecond)
	return b.functionLatency(ctx, s)
}

func (b *bench) functionLatency(ctx context.Context, s *server) error {
	if _, boto3 := python(ctx); !boto3 {
		b.table.missing("change to verdict, Python function", "no python3 with boto3 here")
		return nil
	}
	arn, err := s.makeFunction(ctx, "rule", rulePython)
	if err != nil {
		return err
	}
	if _, err := s.putFunctionRule(ctx, functionRule, arn, "AWS::S3::Bucket"); err != nil {
		return err
	}
	if err := s.app.Drain(ctx); err != nil { // the first evaluation starts an environment
		return err
	}
	took, err := s.timeChanges(ctx, functionRule, b.changes, nil)
	if err != nil {
		return err
	}
	b.table.latencies("change to verdict, warm Python function", took, 500*time.Millisecond)
	took, err = s.timeChanges(ctx, functionRule, max(b.changes/10, 1), func(i int) error {
		return s.chill(ctx, "rule", fmt.Sprint("cold", i))
	})
	if err != nil {
		return err
	}
	b.table.latencies("change to verdict, cold Python function", took, 2*time.Second)
	return nil
}

// timeChanges turns the bucket's versioning on and off, and waits for the rule
// to see it. It drains the server in between, so that changes do not overlap.
func (s *server) timeChanges(ctx context.Context, rule string, n int, before func(i int) error) ([]time.Duration, error) {
	var took []time.Duration
	for i := range n + 1 {
		if err := s.app.Drain(ctx); err != nil {
			return nil, err
		}
		if before != nil {
			if err := before(i); err != nil {
				return nil, err
			}
		}
		to, want := "Enabled", "COMPLIANT"
		now, err := s.versioning(ctx)
		if err != nil {
			return nil, err
		}
		if now == "Enabled" {
			to, want = "Suspended", "NON_COMPLIANT"
		}
		d, err := s.timeChange(ctx, rule, to, want)
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first one finds caches empty
			took = append(took, d)
		}
	}
	return took, nil
}

func (s *server) timeChange(ctx context.Context, rule, to, want string) (time.Duration, error) {
	start := time.Now()
	if err := s.setVersioning(ctx, to); err != nil {
		return 0, err
	}
	for {
		is, err := s.verdict(ctx, rule)
		if err != nil {
			return 0, err
		}
		took := time.Since(start)
		if is == want {
			return took, nil
		}
		if took > 30*time.Second {
			return 0, fmt.Errorf("rule %s still says %q half a minute after versioning was %s", rule, is, to)
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *server) setVersioning(ctx context.Context, to string) error {
	body := `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>` + to + `</Status></VersioningConfiguration>`
	_, err := s.send(ctx, "PUT", "/"+bucket+"?versioning", "s3", []byte(body))
	return err
}

// versioning returns Enabled, or anything else.
func (s *server) versioning(ctx context.Context) (string, error) {
	var out struct {
		ConfigurationItems []struct{ SupplementaryConfiguration map[string]string }
	}
	err := s.call(ctx, "GetResourceConfigHistory", map[string]any{"resourceType": "AWS::S3::Bucket", "resourceId": bucket, "limit": 1}, &out)
	if err != nil || len(out.ConfigurationItems) == 0 {
		return "", err
	}
	var v struct{ Status string }
	err = json.Unmarshal([]byte(out.ConfigurationItems[0].SupplementaryConfiguration["BucketVersioningConfiguration"]), &v)
	return v.Status, err
}

// verdict returns what a rule says of the bucket; empty if nothing.
func (s *server) verdict(ctx context.Context, rule string) (string, error) {
	var out struct {
		EvaluationResults []struct {
			ComplianceType             string
			EvaluationResultIdentifier struct {
				EvaluationResultQualifier struct{ ConfigRuleName string }
			}
		}
	}
	err := s.call(ctx, "GetComplianceDetailsByResource", map[string]any{"ResourceType": "AWS::S3::Bucket", "ResourceId": bucket}, &out)
	for _, r := range out.EvaluationResults {
		if r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName == rule {
			return r.ComplianceType, err
		}
	}
	return "", err
}
