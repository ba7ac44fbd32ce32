// The same with an early AWS SDK for Go 2, which does not read AWS_ENDPOINT_URL yet.
package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

type invoking struct {
	Item struct {
		Type     string    `json:"resourceType"`
		ID       string    `json:"resourceId"`
		Captured time.Time `json:"configurationItemCaptureTime"`
		More     struct {
			Versioning struct {
				Status string `json:"status"`
			} `json:"BucketVersioningConfiguration"`
		} `json:"supplementaryConfiguration"`
	} `json:"configurationItem"`
}

func handle(ctx context.Context, e events.ConfigEvent) error {
	var in invoking
	if err := json.Unmarshal([]byte(e.InvokingEvent), &in); err != nil {
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	verdict := types.ComplianceTypeNonCompliant
	if in.Item.More.Versioning.Status == "Enabled" {
		verdict = types.ComplianceTypeCompliant
	}
	_, err = configservice.NewFromConfig(cfg).PutEvaluations(ctx, &configservice.PutEvaluationsInput{
		ResultToken: &e.ResultToken,
		Evaluations: []types.Evaluation{{
			ComplianceResourceType: &in.Item.Type, ComplianceResourceId: &in.Item.ID, ComplianceType: verdict, OrderingTimestamp: &in.Item.Captured,
		}},
	})
	return err
}

func main() { lambda.Start(handle) }
