package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
	"plumb/internal/sandbox"
	"plumb/internal/settings"
)

// The SDK for Go 1 and early ones for Go 2 know AWS's own names of hosts and no
// variable that says otherwise: testdata/compiled has a rule with each.
func TestCompiledRulesThatKnowOnlyAWSsNamesJudge(t *testing.T) {
	needTool(t, "go")
	if l := sandbox.Probe(t.TempDir()).Level; l < sandbox.Namespaces {
		t.Skipf("at level %s AWS's names do not lead here: see docs/divergences.md", l)
	}
	for _, version := range []string{"v1", "v2"} {
		t.Run(version, func(t *testing.T) {
			program := compiled(t, version)
			apptest.Run(t, func(t *testing.T, p *apptest.Plumb) { judgedByProgram(t, p, program) },
				func(s *settings.Settings) { s.LogLevel = "error" })
		})
	}
}

// compiled builds a program of testdata/compiled, a module of its own.
func compiled(t *testing.T, version string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./"+version)
	cmd.Dir, cmd.Env = filepath.Join("testdata", "compiled"), append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func judgedByProgram(t *testing.T, p *apptest.Plumb, program []byte) {
	ctx := t.Context()
	if err := p.Record(ctx); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "kept"} {
		if _, err := p.S3().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.S3().PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String("kept"), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	putProgramRule(t, p, program)
	p.Drain(t)
	for name, want := range map[string]types.ComplianceType{"plain": types.ComplianceTypeNonCompliant, "kept": types.ComplianceTypeCompliant} {
		out, err := p.Config().DescribeComplianceByResource(ctx, &configservice.DescribeComplianceByResourceInput{
			ResourceType: aws.String("AWS::S3::Bucket"), ResourceId: &name,
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.ComplianceByResources) != 1 || out.ComplianceByResources[0].Compliance.ComplianceType != want {
			t.Errorf("%s: got %+v, want %s\n%s", name, out.ComplianceByResources, want, strings.Join(p.LogLines(t, "/aws/lambda/versioned"), ""))
		}
	}
}

func putProgramRule(t *testing.T, p *apptest.Plumb, program []byte) {
	t.Helper()
	f, err := p.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("versioned"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"), Timeout: aws.Int32(30),
		Role: aws.String("arn:aws:iam::" + p.Account() + ":role/rule"), Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "bootstrap", program)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: f.FunctionName, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("config.amazonaws.com"),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Config().PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
		ConfigRuleName: aws.String("versioned"), Scope: &types.Scope{ComplianceResourceTypes: []string{"AWS::S3::Bucket"}},
		Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: f.FunctionArn, SourceDetails: []types.SourceDetail{{
			EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification,
		}}},
	}}); err != nil {
		t.Fatal(err)
	}
}
