// The function of a rule as authors wrote them with the AWS SDK for Go 1, which knows
// AWS's own names of hosts and no others.
package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/configservice"
	"github.com/aws/aws-sdk-go/service/s3"
)

type invoking struct {
	Item struct {
		Type     string    `json:"resourceType"`
		ID       string    `json:"resourceId"`
		Captured time.Time `json:"configurationItemCaptureTime"`
	} `json:"configurationItem"`
}

func handle(_ context.Context, e events.ConfigEvent) error {
	var in invoking
	if err := json.Unmarshal([]byte(e.InvokingEvent), &in); err != nil {
		return err
	}
	sess := session.Must(session.NewSession())
	verdict := configservice.ComplianceTypeNonCompliant
	out, err := s3.New(sess).GetBucketVersioning(&s3.GetBucketVersioningInput{Bucket: &in.Item.ID})
	if err != nil {
		return err
	}
	if aws.StringValue(out.Status) == s3.BucketVersioningStatusEnabled {
		verdict = configservice.ComplianceTypeCompliant
	}
	_, err = configservice.New(sess).PutEvaluations(&configservice.PutEvaluationsInput{
		ResultToken: &e.ResultToken,
		Evaluations: []*configservice.Evaluation{{
			ComplianceResourceType: &in.Item.Type, ComplianceResourceId: &in.Item.ID, ComplianceType: &verdict, OrderingTimestamp: &in.Item.Captured,
		}},
	})
	return err
}

func main() { lambda.Start(handle) }
