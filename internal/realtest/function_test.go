package realtest

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"plumb/internal/apptest"
)

// putFunction makes a function of a rule as its author would: the file as it is
// in a zip, with the library beside it that AWS offers as a layer.
func putFunction(t *testing.T, p *apptest.Plumb, c ruleCase) (arn string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(needCheckout(t, rulesVariable), c.Rule))
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Base(c.Rule)
	files := map[string][]byte{base: text}
	runtime, handler := types.RuntimePython312, "lambda_handler"
	if filepath.Ext(base) == ".js" {
		needNodeSDK(t)
		runtime, handler = types.RuntimeNodejs20x, "handler"
	}
	if bytes.Contains(text, []byte("from rdklib import")) {
		addLibrary(t, files, needCheckout(t, rdklibVariable))
	}
	out, err := p.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(c.name()), Runtime: runtime, Handler: aws.String(strings.TrimSuffix(base, filepath.Ext(base)) + "." + handler),
		Role: aws.String("arn:aws:iam::" + p.Account() + ":role/rule"), Timeout: aws.Int32(60), MemorySize: aws.Int32(256),
		Code: &types.FunctionCode{ZipFile: zipped(t, files)},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: out.FunctionName, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("config.amazonaws.com"), SourceAccount: aws.String(p.Account()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.FunctionArn
}

// addLibrary adds rdklib as its published package has it: without the module that
// AWS uses internally, in whose presence evaluations are not put.
func addLibrary(t *testing.T, files map[string][]byte, checkout string) {
	t.Helper()
	for _, pattern := range []string{"rdklib/*.py", "rdklib/util/*.py"} {
		names, err := filepath.Glob(filepath.Join(checkout, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("no rdklib in %s: %v", checkout, err)
		}
		for _, name := range names {
			inside, _ := filepath.Rel(checkout, name)
			if inside == "rdklib/util/internal.py" {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[inside] = text
		}
	}
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
