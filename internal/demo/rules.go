package demo

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

//go:embed rule.py
var pythonRule []byte

// putRules puts both rules and waits for their first verdicts.
func (st *story) putRules(ctx context.Context) error {
	_, err := st.config.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: aws.String(managedRule),
		Source:         &configtypes.Source{Owner: configtypes.OwnerAws, SourceIdentifier: aws.String("S3_BUCKET_VERSIONING_ENABLED")},
	}})
	if err != nil {
		return err
	}
	st.line("rule", managedRule+", managed: S3_BUCKET_VERSIONING_ENABLED")
	function, err := st.makeFunction(ctx)
	if err != nil {
		return fmt.Errorf("function: %w", err)
	}
	_, err = st.config.PutConfigRule(ctx, &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
		ConfigRuleName: aws.String(customRule),
		Scope:          &configtypes.Scope{ComplianceResourceTypes: []string{"AWS::S3::Bucket"}},
		Source: &configtypes.Source{
			Owner: configtypes.OwnerCustomLambda, SourceIdentifier: function,
			SourceDetails: []configtypes.SourceDetail{{
				EventSource: configtypes.EventSourceAwsConfig, MessageType: configtypes.MessageTypeConfigurationItemChangeNotification,
			}},
		},
	}})
	if err != nil {
		return err
	}
	st.line("rule", customRule+", a function that calls PutEvaluations")
	for _, rule := range []string{managedRule, customRule} {
		if _, err := st.awaitVerdict(ctx, rule, configtypes.ComplianceTypeCompliant); err != nil {
			return err
		}
		st.line("verdict", rule+": "+st.verdict("COMPLIANT"))
	}
	return nil
}

// makeFunction makes the function of the custom rule, which AWS Config may invoke.
func (st *story) makeFunction(ctx context.Context) (arn *string, err error) {
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(customRule), Role: aws.String("arn:aws:iam::" + st.Account + ":role/demo-rule"),
		Timeout: aws.Int32(30), Code: &lambdatypes.FunctionCode{},
	}
	what := "Python"
	if st.Python {
		in.Runtime, in.Handler = lambdatypes.RuntimePython312, aws.String("rule.handler")
		in.Code.ZipFile, err = zipped("rule.py", bytes.NewReader(pythonRule))
	} else {
		what = "a program for provided.al2023, since python3 with boto3 is not here"
		in.Runtime, in.Handler = lambdatypes.RuntimeProvidedal2023, aws.String("bootstrap")
		in.Code.ZipFile, err = zippedFile("bootstrap", st.Bootstrap)
	}
	if err != nil {
		return nil, err
	}
	out, err := st.lambda.CreateFunction(ctx, in)
	if err != nil {
		return nil, err
	}
	_, err = st.lambda.AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: in.FunctionName, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"), SourceAccount: &st.Account,
	})
	if err == nil {
		st.line("function", customRule+": "+what)
	}
	return out.FunctionArn, err
}

func zippedFile(name, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return zipped(name, f)
}

// zipped returns an archive with one executable file.
func zipped(name string, content io.Reader) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed) // a program is large, and somebody is waiting
	})
	head := &zip.FileHeader{Name: name, Method: zip.Deflate}
	head.SetMode(0o755)
	w, err := z.CreateHeader(head)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, content); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// awaitVerdict waits until a rule says that of the bucket, and returns the
// annotation.
func (st *story) awaitVerdict(ctx context.Context, rule string, want configtypes.ComplianceType) (annotation string, err error) {
	err = until(ctx, "the verdict of "+rule, func(ctx context.Context) (bool, error) {
		out, err := st.config.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{
			ConfigRuleName: &rule, ComplianceTypes: []configtypes.ComplianceType{want},
		})
		if err != nil {
			return false, err
		}
		for _, r := range out.EvaluationResults {
			if aws.ToString(r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId) == watched {
				annotation = aws.ToString(r.Annotation)
				return true, nil
			}
		}
		return false, nil
	})
	return annotation, err
}

// notYet says that AWS Config has not discovered the resource.
func notYet(err error) bool {
	var e *configtypes.ResourceNotDiscoveredException
	return errors.As(err, &e)
}
