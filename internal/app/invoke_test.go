package app_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"plumb/internal/apptest"
	"plumb/internal/lambda/lambdatest"
)

// Development mode asks no policies but a function's own, where another account invokes it.
func TestAFunctionsPolicyLetsAnotherAccountInvoke(t *testing.T) {
	p := apptest.Start(t)
	ctx := t.Context()
	f, err := p.Lambda().CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), Role: aws.String("arn:aws:iam::123456789012:role/r"), Runtime: lambdatypes.RuntimeProvidedal2023,
		Handler: aws.String("x"), Code: &lambdatypes.FunctionCode{ZipFile: lambdatest.Zip(t, "bootstrap", []byte("x"))}, Publish: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	function := strings.TrimSuffix(*f.FunctionArn, ":1")
	if _, err := p.Lambda().CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	may := func(account, name string) bool {
		_, err := p.Signing(account, "any").Lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, InvocationType: lambdatypes.InvocationTypeDryRun})
		if err != nil && !strings.Contains(err.Error(), "AccessDeniedException") {
			t.Errorf("%s as %s: %v", name, account, err)
		}
		return err == nil
	}
	if may("222222222222", function) || may("222222222222", function+":live") {
		t.Error("without a policy another account invokes")
	}
	_, err = p.Lambda().AddPermission(ctx, &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), Qualifier: aws.String("live"), StatementId: aws.String("s"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("222222222222"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !may("222222222222", function+":live") {
		t.Error("the alias's policy does not let its account in")
	}
	if may("222222222222", function) || may("222222222222", function+":1") || may("333333333333", function+":live") {
		t.Error("the alias's policy lets others in, or into more")
	}
}
