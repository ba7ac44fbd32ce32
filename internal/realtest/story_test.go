package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

// TestEverySDKPutsARuleAndReadsItsVerdict has each SDK outside, as a client that puts a rule, meets errors
// and reads what it judged, and inside, in the function of the rule. Go's are in the other tests.
func TestEverySDKPutsARuleAndReadsItsVerdict(t *testing.T) {
	const three = "@aws-sdk/client-config-service"
	for name, s := range map[string]struct {
		program, client, rule, module string
		runtime                       types.Runtime
	}{
		"JavaScript 3, CommonJS":   {"node", "client3.cjs", "rule3.cjs", three, types.RuntimeNodejs20x},
		"JavaScript 3, ES modules": {"node", "client3.mjs", "rule3.mjs", three, types.RuntimeNodejs20x},
		"JavaScript 2":             {"node", "client2.cjs", "rule2.cjs", "aws-sdk", types.RuntimeNodejs16x},
		"boto3":                    {"python3", "client.py", "rule.py", "", types.RuntimePython312},
	} {
		t.Run(name, func(t *testing.T) {
			dir, modules := t.TempDir(), ""
			if s.module == "" {
				needBoto3(t)
			} else {
				modules = needNodeModule(t, filepath.FromSlash(s.module))
				if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil { // ES modules look nowhere else
					t.Fatal(err)
				}
			}
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "story"))); err != nil {
				t.Fatal(err)
			}
			p := apptest.Start(t, func(o *settings.Settings) { o.NodePath = modules })
			record(t, p)
			if _, err := p.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("told")}); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), s.program, s.client, ruleFunction(t, p, s.runtime, filepath.Join(dir, s.rule)), "told")
			cmd.Dir, cmd.Env = dir, clientEnv(p.URL())
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// ruleFunction makes a function of one file that AWS Config may invoke, and returns its ARN.
func ruleFunction(t *testing.T, p *apptest.Plumb, runtime types.Runtime, file string) string {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name, in := aws.String("story"), "index"+filepath.Ext(file)
	if runtime == types.RuntimeNodejs16x {
		in = "index.js"
	}
	f, err := p.Lambda().CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: name, Runtime: runtime, Handler: aws.String("index.handler"), Role: aws.String("arn:aws:iam::" + p.Account() + ":role/rule"),
		Code: &types.FunctionCode{ZipFile: zipped(t, map[string][]byte{in: code})}, Timeout: aws.Int32(30),
	})
	if err == nil {
		_, err = p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: name, StatementId: aws.String("config"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("config.amazonaws.com"),
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return *f.FunctionArn
}
