package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
)

// deployLimit is how long a pack may take from the call to the end of its
// deployment, its rules' first evaluation included.
const deployLimit = 2 * time.Second

// packBucket is the bucket that record makes.
const packBucket = "delivered-123456789012"

// packFiles returns the conformance packs of the checkout.
func packFiles(t *testing.T) []string {
	t.Helper()
	dir := filepath.Join(needCheckout(t, rulesVariable), "aws-config-conformance-packs")
	files, err := filepath.Glob(filepath.Join(dir, "*.y*ml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no packs: %v", dir, err)
	}
	return files
}

// packValues are for the parameters that the public packs give no default.
func packValues(template string) (out []types.ConformancePackInputParameter) {
	for name, value := range map[string]string{
		"SnsTopicForPublishNotificationArn":  "arn:aws:sns:us-east-1:123456789012:topic",
		"S3TargetBucketNameForEnableLogging": packBucket,
		"CustomConfigRuleLambdaArn":          "arn:aws:lambda:us-east-1:123456789012:function:pack",
	} {
		if strings.Contains(template, name+":") {
			out = append(out, types.ConformancePackInputParameter{ParameterName: &name, ParameterValue: &value})
		}
	}
	return out
}

// TestPublicPacksAreDeployedAndRemoved deploys each public conformance pack, and
// removes it before the next. Larger ones than the API takes go through a bucket.
func TestPublicPacksAreDeployedAndRemoved(t *testing.T) {
	files := packFiles(t)
	p := apptest.Start(t)
	record(t, p)
	putPackFunction(t, p)
	p.Drain(t)
	slowest, total := time.Duration(0), 0
	for n, file := range files {
		name := fmt.Sprintf("pack-%d", n)
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := &configservice.PutConformancePackInput{ConformancePackName: &name, ConformancePackInputParameters: packValues(string(text))}
			if len(text) <= 51200 {
				in.TemplateBody = aws.String(string(text))
			} else {
				upload(t, p, name, text)
				in.TemplateS3Uri = aws.String("s3://" + packBucket + "/" + name)
			}
			began := time.Now()
			if _, err := p.Config().PutConformancePack(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			p.Drain(t)
			took := time.Since(began)
			rules := deployedRules(t, p, name)
			slowest, total = max(slowest, took), total+rules
			t.Logf("%d rules in %s", rules, took.Round(time.Millisecond))
			removePack(t, p, name)
			if took > deployLimit {
				t.Errorf("%d rules took %s, more than %s", rules, took, deployLimit)
			}
		})
	}
	t.Logf("%d packs with %d rules; the slowest took %s", len(files), total, slowest.Round(time.Millisecond))
}

// putPackFunction makes the function that one of the packs has a rule for.
func putPackFunction(t *testing.T, p *apptest.Plumb) {
	t.Helper()
	code := zipped(t, map[string][]byte{"index.py": []byte("def handler(event, context):\n    return None\n")})
	if err := p.PutFunction(t.Context(), "pack", "index.handler", code); err != nil {
		t.Fatal(err)
	}
}

func upload(t *testing.T, p *apptest.Plumb, key string, content []byte) {
	t.Helper()
	_, err := p.S3().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(packBucket), Key: &key, Body: strings.NewReader(string(content)),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// deployedRules returns how many rules a pack has, once it was created.
func deployedRules(t *testing.T, p *apptest.Plumb, name string) int {
	t.Helper()
	out, err := p.Config().DescribeConformancePackStatus(t.Context(), &configservice.DescribeConformancePackStatusInput{ConformancePackNames: []string{name}})
	if err != nil {
		t.Fatal(err)
	}
	s := out.ConformancePackStatusDetails[0]
	if s.ConformancePackState != types.ConformancePackStateCreateComplete {
		t.Errorf("the pack is %s: %s", s.ConformancePackState, aws.ToString(s.ConformancePackStatusReason))
	}
	of, err := p.Config().DescribeConformancePackCompliance(t.Context(), &configservice.DescribeConformancePackComplianceInput{ConformancePackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return len(of.ConformancePackRuleComplianceList)
}

func removePack(t *testing.T, p *apptest.Plumb, name string) {
	t.Helper()
	if _, err := p.Config().DeleteConformancePack(t.Context(), &configservice.DeleteConformancePackInput{ConformancePackName: &name}); err != nil {
		t.Fatal(err)
	}
	p.Drain(t)
	rules, err := p.Config().DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	if err != nil {
		t.Fatal(err)
	}
	if len(rules.ConfigRules) > 0 {
		t.Errorf("%d rules are left", len(rules.ConfigRules))
	}
}
