package lambda_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
)

// Statements that come and go at once, as a stack sends them, are all added and removed.
func TestPermissionsThatAreAddedAtOnceAreAllThere(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		p.MakeFunction(t, "shared", "def handler(event, context):\n    pass\n")
		const n = 12
		all := func(do func(id string) error) {
			var group sync.WaitGroup
			for i := range n {
				group.Go(func() {
					if err := do(fmt.Sprintf("statement-%d-", i)); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		all(func(id string) error {
			_, err := p.Lambda().AddPermission(t.Context(), &lambda.AddPermissionInput{FunctionName: aws.String("shared"), StatementId: &id,
				Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("s3.amazonaws.com")})
			return err
		})
		got, err := p.Lambda().GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("shared")})
		if err != nil || strings.Count(*got.Policy, "statement-") != n {
			t.Fatalf("of %d statements the policy has %v, %v", n, got, err)
		}
		all(func(id string) error {
			_, err := p.Lambda().RemovePermission(t.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("shared"), StatementId: &id})
			return err
		})
		if got, err := p.Lambda().GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: aws.String("shared")}); err == nil {
			t.Errorf("after all are removed the policy is %s", *got.Policy)
		}
	})
}
