package ssm_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"plumb/internal/apptest"
	"plumb/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

const document = `{"schemaVersion":"0.3","description":"makes a bucket","parameters":{"Bucket":{"type":"String"}},"mainSteps":[
	{"name":"make","action":"aws:executeAwsApi","inputs":{"Service":"s3","Api":"CreateBucket","Bucket":"{{ Bucket }}"}},
	{"name":"count","action":"aws:executeScript","inputs":{"Runtime":"python3.11","Handler":"count","InputPayload":{"name":"{{ Bucket }}"},
	 "Script":"def count(events, context):\n    return {'length': len(events['name'])}"},"outputs":[{"Name":"Length","Selector":"$.Payload.length","Type":"Integer"}]},
	{"name":"pause","action":"aws:sleep","inputs":{"Duration":"PT5M"},"isEnd":true}],"outputs":["count.Length"]}`

type client struct {
	*apptest.Plumb
	*ssm.Client
	t *testing.T
}

func open(t *testing.T, p *apptest.Plumb) client { return client{p, ssm.NewFromConfig(p.SDK()), t} }

func (c client) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c client) refused(err error, code string) {
	c.t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		c.t.Fatalf("got %v, want %s", err, code)
	}
}

func (c client) create(name, content string) error {
	_, err := c.CreateDocument(c.t.Context(), &ssm.CreateDocumentInput{Name: &name, Content: &content, DocumentType: types.DocumentTypeAutomation})
	return err
}

func TestDocumentsAreKeptInVersions(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := open(t, p)
		ctx := t.Context()
		c.must(c.create("mine", document))
		c.refused(c.create("mine", document), "DocumentAlreadyExists")
		c.refused(c.create("AWS-Mine", document), "InvalidDocumentContent")
		c.refused(c.create("bad", `{"schemaVersion":"0.3","mainSteps":[{"name":"a","action":"aws:approve"}]}`), "InvalidDocumentContent")
		c.refused(c.create("bad", "{"), "InvalidDocumentContent")
		changed := strings.Replace(document, "makes", "creates", 1)
		update := &ssm.UpdateDocumentInput{Name: new("mine"), Content: &changed, DocumentVersion: new("$LATEST")}
		_, err := c.UpdateDocument(ctx, update)
		c.must(err)
		_, err = c.UpdateDocument(ctx, update)
		c.refused(err, "DuplicateDocumentContent")
		got, err := c.GetDocument(ctx, &ssm.GetDocumentInput{Name: new("mine")})
		c.must(err)
		if *got.Content != document || *got.DocumentVersion != "1" {
			t.Fatalf("the default version is %s", *got.DocumentVersion)
		}
		arn := "arn:aws:ssm:" + p.Region() + ":" + p.Account() + ":document/mine"
		byARN, err := c.GetDocument(ctx, &ssm.GetDocumentInput{Name: &arn, DocumentVersion: new("2")})
		c.must(err)
		if *byARN.Name != "mine" || *byARN.Content != changed {
			t.Fatalf("by its ARN it is %s", *byARN.Name)
		}
		_, err = c.GetDocument(ctx, &ssm.GetDocumentInput{Name: new(strings.Replace(arn, p.Account(), "999999999999", 1))})
		c.refused(err, "InvalidDocument")
		_, err = c.UpdateDocumentDefaultVersion(ctx, &ssm.UpdateDocumentDefaultVersionInput{Name: new("mine"), DocumentVersion: new("2")})
		c.must(err)
		p.Restart(t)
		c = open(t, p)
		described, err := c.DescribeDocument(ctx, &ssm.DescribeDocumentInput{Name: new("mine")})
		c.must(err)
		d := described.Document
		if *d.DefaultVersion != "2" || *d.LatestVersion != "2" || *d.Description != "creates a bucket" || *d.Parameters[0].Name != "Bucket" {
			t.Fatalf("got %+v", d)
		}
		seen := map[string]int{}
		pages := ssm.NewListDocumentsPaginator(c, &ssm.ListDocumentsInput{MaxResults: new(int32(3))})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			c.must(err)
			for _, d := range page.DocumentIdentifiers {
				seen[*d.Name]++
			}
		}
		if seen["mine"] != 1 || seen["AWS-ConfigureS3BucketVersioning"] != 1 {
			t.Fatal(seen)
		}
		own, err := c.ListDocuments(ctx, &ssm.ListDocumentsInput{Filters: []types.DocumentKeyValuesFilter{{Key: new("Owner"), Values: []string{"Self"}}}})
		c.must(err)
		if len(own.DocumentIdentifiers) != 1 {
			t.Fatalf("%d documents are my own", len(own.DocumentIdentifiers))
		}
		_, err = c.ListDocuments(ctx, &ssm.ListDocumentsInput{NextToken: new("garbage")})
		c.refused(err, "InvalidNextToken")
		other := open(t, p.As("210987654321", "us-east-1"))
		_, err = other.GetDocument(ctx, &ssm.GetDocumentInput{Name: new("mine")})
		c.refused(err, "InvalidDocument")
		_, err = c.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: new("mine")})
		c.must(err)
		_, err = c.DeleteDocument(ctx, &ssm.DeleteDocumentInput{Name: new("mine")})
		c.refused(err, "InvalidDocument")
		owned, err := c.GetDocument(ctx, &ssm.GetDocumentInput{Name: new("AWS-EnableS3BucketEncryption"), DocumentFormat: types.DocumentFormatJson})
		c.must(err)
		if !strings.HasPrefix(*owned.Content, "{") {
			t.Fatal(*owned.Content)
		}
	})
}

func TestExecutionRunsWaitsAndIsStopped(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		c := open(t, p)
		ctx := t.Context()
		c.must(c.create("mine", document))
		in := &ssm.StartAutomationExecutionInput{
			DocumentName: new("mine"), Parameters: map[string][]string{"Bucket": {"made-by-it"}}, ClientToken: new("00000000-0000-4000-8000-000000000001"),
		}
		started, err := c.StartAutomationExecution(ctx, in)
		c.must(err)
		again, err := c.StartAutomationExecution(ctx, in)
		c.must(err)
		if *again.AutomationExecutionId != *started.AutomationExecutionId {
			t.Fatal("the token began another execution")
		}
		c.Drain(t)
		get := func() string {
			out, err := c.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId})
			c.must(err)
			x := out.AutomationExecution
			text := fmt.Sprint(x.AutomationExecutionStatus)
			for _, s := range x.StepExecutions {
				text += fmt.Sprintf(" %s:%s", *s.StepName, s.StepStatus)
				if s.FailureMessage != nil {
					text += "(" + *s.FailureMessage + ")"
				}
			}
			return text + fmt.Sprint(x.Outputs)
		}
		if got := get(); got != "InProgress make:Success count:Success pause:InProgressmap[count.Length:[10]]" {
			t.Fatal(got)
		}
		_, err = p.S3().HeadBucket(ctx, &s3.HeadBucketInput{Bucket: new("made-by-it")})
		c.must(err)
		_, err = c.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId})
		c.must(err)
		if got := get(); got != "Cancelled make:Success count:Success pause:Cancelledmap[count.Length:[10]]" {
			t.Fatal(got)
		}
		_, err = c.StopAutomationExecution(ctx, &ssm.StopAutomationExecutionInput{AutomationExecutionId: started.AutomationExecutionId})
		c.refused(err, "InvalidAutomationStatusUpdateException")
		in.ClientToken, in.Parameters = nil, map[string][]string{"Bucket": {"made-by-it"}}
		for range 2 {
			_, err = c.StartAutomationExecution(ctx, in)
			c.must(err)
		}
		c.Drain(t)
		n := 0
		pages := ssm.NewDescribeAutomationExecutionsPaginator(c, &ssm.DescribeAutomationExecutionsInput{MaxResults: new(int32(2))})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			c.must(err)
			n += len(page.AutomationExecutionMetadataList)
		}
		if n != 3 {
			t.Fatalf("%d executions are listed", n)
		}
		failed, err := c.DescribeAutomationExecutions(ctx, &ssm.DescribeAutomationExecutionsInput{Filters: []types.AutomationExecutionFilter{
			{Key: types.AutomationExecutionFilterKeyExecutionStatus, Values: []string{"Failed"}},
			{Key: types.AutomationExecutionFilterKeyDocumentNamePrefix, Values: []string{"mi"}},
		}})
		c.must(err)
		if len(failed.AutomationExecutionMetadataList) != 0 {
			t.Fatal(*failed.AutomationExecutionMetadataList[0].FailureMessage) // the bucket is one's own
		}
		steps, err := c.DescribeAutomationStepExecutions(ctx, &ssm.DescribeAutomationStepExecutionsInput{
			AutomationExecutionId: started.AutomationExecutionId, MaxResults: new(int32(1)), ReverseOrder: new(true),
		})
		c.must(err)
		if *steps.StepExecutions[0].StepName != "pause" || steps.NextToken == nil {
			t.Fatalf("got %+v", steps)
		}
		for code, in := range map[string]*ssm.StartAutomationExecutionInput{
			"AutomationDefinitionNotFoundException":         {DocumentName: new("nobody")},
			"InvalidAutomationExecutionParametersException": {DocumentName: new("mine")},
		} {
			_, err := c.StartAutomationExecution(ctx, in)
			c.refused(err, code)
		}
		_, err = c.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: new("00000000-0000-4000-8000-000000000009")})
		c.refused(err, "AutomationExecutionNotFoundException")
	})
}
