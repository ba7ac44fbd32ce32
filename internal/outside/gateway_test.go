package outside_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func TestAPIIsAskedWhereItIs(t *testing.T) {
	here, target := targeted(t)
	ctx, in := t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("n"), ProtocolType: types.ProtocolTypeHttp}
	local, remote := apigatewayv2.NewFromConfig(here.SDK()), apigatewayv2.NewFromConfig(target.SDK())
	ours := must[*apigatewayv2.CreateApiOutput](t)(local.CreateApi(ctx, in))
	theirs := must[*apigatewayv2.CreateApiOutput](t)(remote.CreateApi(ctx, in))
	for _, id := range []*string{ours.ApiId, theirs.ApiId} {
		must[*apigatewayv2.GetApiOutput](t)(local.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: id}))
	}
	if _, err := remote.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: ours.ApiId}); err == nil {
		t.Error("an API was made at the target")
	}
	all := must[*apigatewayv2.GetApisOutput](t)(local.GetApis(ctx, nil))
	if len(all.Items) != 2 || *all.Items[0].ApiId != *ours.ApiId || *all.Items[1].ApiId != *theirs.ApiId {
		t.Errorf("the APIs are %v", all.Items)
	}
}
