package demo

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
)

//go:embed rule.py
var pythonRule []byte

// putRules puts both rules and waits for their first verdicts.
func (st *story) putRules(ctx context.Context) error {
	_, err := st.call(ctx, "config", "PutConfigRule", shape{"ConfigRule": shape{
		"ConfigRuleName": managedRule, "Source": shape{"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"},
	}})
	if err != nil {
		return err
	}
	st.line("rule", managedRule+", managed: S3_BUCKET_VERSIONING_ENABLED")
	function, err := st.makeFunction(ctx)
	if err != nil {
		return fmt.Errorf("function: %w", err)
	}
	_, err = st.call(ctx, "config", "PutConfigRule", shape{"ConfigRule": shape{
		"ConfigRuleName": customRule, "Scope": shape{"ComplianceResourceTypes": []any{"AWS::S3::Bucket"}},
		"Source": shape{
			"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function,
			"SourceDetails": []any{shape{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}},
		},
	}})
	if err != nil {
		return err
	}
	st.line("rule", customRule+", a function that calls PutEvaluations")
	for _, rule := range []string{managedRule, customRule} {
		if _, err := st.awaitVerdict(ctx, rule, "COMPLIANT"); err != nil {
			return err
		}
		st.line("verdict", rule+": "+st.verdict("COMPLIANT"))
	}
	return nil
}

// makeFunction makes the function of the custom rule, which AWS Config may invoke.
func (st *story) makeFunction(ctx context.Context) (arn string, err error) {
	what, runtime, handler := "Python", "python3.12", "rule.handler"
	var code []byte
	if st.Python {
		code, err = zipped("rule.py", bytes.NewReader(pythonRule))
	} else {
		what = "a program for provided.al2023, since python3 with boto3 is not here"
		runtime, handler = "provided.al2023", "bootstrap"
		code, err = zippedFile("bootstrap", st.Bootstrap)
	}
	if err != nil {
		return "", err
	}
	out, err := st.call(ctx, "lambda", "CreateFunction", shape{
		"FunctionName": customRule, "Role": "arn:aws:iam::" + st.Account + ":role/demo-rule", "Timeout": 30,
		"Runtime": runtime, "Handler": handler, "Code": shape{"ZipFile": code},
	})
	if err != nil {
		return "", err
	}
	_, err = st.call(ctx, "lambda", "AddPermission", shape{
		"FunctionName": customRule, "StatementId": "config", "Action": "lambda:InvokeFunction",
		"Principal": "config.amazonaws.com", "SourceAccount": st.Account,
	})
	if err == nil {
		st.line("function", customRule+": "+what)
	}
	return text(out, "FunctionArn"), err
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

// awaitVerdict waits until a rule has that verdict on the bucket, and returns the
// annotation.
func (st *story) awaitVerdict(ctx context.Context, rule, want string) (annotation string, err error) {
	err = until(ctx, "the verdict of "+rule, func(ctx context.Context) (bool, error) {
		out, err := st.call(ctx, "config", "GetComplianceDetailsByConfigRule", shape{"ConfigRuleName": rule, "ComplianceTypes": []any{want}})
		if err != nil {
			return false, err
		}
		for _, r := range list(out, "EvaluationResults") {
			id, _ := r["EvaluationResultIdentifier"].(shape)
			qualifier, _ := id["EvaluationResultQualifier"].(shape)
			if text(qualifier, "ResourceId") == watched {
				annotation = text(r, "Annotation")
				return true, nil
			}
		}
		return false, nil
	})
	return annotation, err
}
