package crashtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// writers change the world until they are stopped.
type writers struct {
	*world
	*ledger
	t    *testing.T
	name string        // begins the names of what they change, which is theirs alone
	pace time.Duration // between two changes of one writer, on average
	// mayBeAway takes 503 Service Unavailable for no answer: the database is restarted.
	mayBeAway bool
	stop      context.Context
	wg        sync.WaitGroup
}

// run starts a writer, which takes one step after another.
func (w *writers) run(step func(ctx context.Context, n int)) {
	w.wg.Go(func() {
		for n := 1; w.stop.Err() == nil; n++ {
			step(w.t.Context(), n)
			// Not a wait for anything: the load is to leave the machine air.
			time.Sleep(time.Duration(rand.Int64N(int64(2 * w.pace))))
		}
	})
}

// ask makes one call and says whether it was acknowledged. What ended without
// an answer is unknown; it waits until there is a server again.
func (w *writers) ask(ctx context.Context, operation string, call func() error) (acked, answered bool) {
	began := time.Now()
	err := call()
	w.server.answered(w.t, operation, began)
	var answer smithy.APIError
	if errors.As(err, &answer) && w.mayBeAway && isAway(err) {
		answer = nil
	}
	w.mu.Lock()
	switch {
	case err == nil:
		w.acked[operation]++
	case answer != nil:
		w.refused[fmt.Sprintf("%s: %s: %s", operation, answer.ErrorCode(), answer.ErrorMessage())]++
	default:
		w.unknown[operation]++
	}
	w.mu.Unlock()
	if err != nil && answer == nil {
		if err := w.wait(ctx); err != nil && w.stop.Err() == nil {
			w.t.Error(err)
		}
	}
	return err == nil, err == nil || answer != nil
}

// isAway recognizes the answer of a server whose database does not answer.
func isAway(err error) bool {
	var response *smithyhttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusServiceUnavailable
}

// change makes a change of a subject and keeps it. A change that was refused
// did not happen.
func (w *writers) change(ctx context.Context, s *subject, serial int, operation string, call func() error) bool {
	acked, answered := w.ask(ctx, operation, call)
	if acked || !answered {
		w.mu.Lock()
		s.attempts = append(s.attempts, attempt{serial, acked})
		w.mu.Unlock()
	}
	return acked
}

func (w *writers) subjects(resourceType string, every bool, ids ...string) []*subject {
	var out []*subject
	for _, id := range ids {
		out = append(out, &subject{resourceType: resourceType, id: id, every: every})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.subjects = append(w.ledger.subjects, out...)
	return out
}

func ids(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s%d", prefix, i))
	}
	return out
}

// pushes pushes resources of a type, and deletes one now and then.
func (w *writers) pushes(resourceType, prefix string, n int, configuration func(serial int) string) {
	all := w.subjects(resourceType, true, ids(w.name+prefix, n)...)
	live := make([]bool, n)
	w.run(func(ctx context.Context, serial int) {
		i := rand.IntN(n)
		s := all[i]
		if live[i] && rand.IntN(20) == 0 {
			live[i] = !w.change(ctx, s, gone, "DeleteResourceConfig", func() error {
				_, err := w.config.DeleteResourceConfig(ctx, &configservice.DeleteResourceConfigInput{ResourceType: &resourceType, ResourceId: &s.id})
				if saysGone(err) {
					return nil // by a call that was not answered; another would find it so too
				}
				return err
			})
			return
		}
		live[i] = w.change(ctx, s, serial, "PutResourceConfig "+resourceType, func() error {
			_, err := w.config.PutResourceConfig(ctx, pushed(resourceType, s.id, configuration(serial)))
			return err
		}) || live[i]
	})
}

func saysGone(err error) bool { return err != nil && strings.Contains(err.Error(), "does not exist") }

// buckets tags buckets, switches their versioning, and makes one anew now and
// then.
func (w *writers) buckets(n int) {
	all := w.subjects(typeBucket, false, ids(w.name+"bucket-", n)...)
	w.run(func(ctx context.Context, serial int) {
		s := all[rand.IntN(n)]
		made, _ := w.ask(ctx, "CreateBucket", func() error {
			_, err := w.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.id})
			return err // in us-east-1 none if it is there
		})
		if !made {
			return
		}
		switch rand.IntN(20) {
		case 0:
			w.change(ctx, s, gone, "DeleteBucket", func() error {
				_, err := w.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &s.id})
				return err
			})
			return
		case 1, 2, 3:
			status := []s3types.BucketVersioningStatus{s3types.BucketVersioningStatusEnabled, s3types.BucketVersioningStatusSuspended}[serial%2]
			w.ask(ctx, "PutBucketVersioning", func() error {
				_, err := w.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
					Bucket: &s.id, VersioningConfiguration: &s3types.VersioningConfiguration{Status: status},
				})
				return err
			})
		}
		tags := []s3types.Tag{
			{Key: aws.String("serial"), Value: aws.String(fmt.Sprint(serial))},
			{Key: aws.String("even"), Value: aws.String([]string{"yes", "no"}[serial%2])},
		}
		w.change(ctx, s, serial, "PutBucketTagging", func() error {
			_, err := w.s3.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &s.id, Tagging: &s3types.Tagging{TagSet: tags}})
			return err
		})
	})
}

// queues sets an attribute of queues.
func (w *writers) queues(n int) {
	all := w.subjects(typeQueue, false)
	url := map[string]string{}
	w.run(func(ctx context.Context, serial int) {
		serial += 1000 // above the time that a queue has at first
		name := fmt.Sprintf("%squeue-%d", w.name, rand.IntN(n))
		if url[name] == "" {
			w.ask(ctx, "CreateQueue", func() error {
				out, err := w.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
				if err == nil {
					url[name] = recordedQueue(*out.QueueUrl)
				}
				return err
			})
			if url[name] == "" {
				return
			}
			all = append(all, w.subjects(typeQueue, false, url[name])...)
		}
		for _, s := range all {
			if s.id != url[name] {
				continue
			}
			w.change(ctx, s, serial, "SetQueueAttributes", func() error {
				_, err := w.sqs.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
					QueueUrl: &s.id, Attributes: map[string]string{"VisibilityTimeout": fmt.Sprint(serial)},
				})
				return err
			})
		}
	})
}

// recordedQueue returns the id by which Config knows a queue: AWS's URL, whatever address the server has.
func recordedQueue(url string) string {
	parts := strings.Split(url, "/")
	return "https://sqs.us-east-1.amazonaws.com/" + strings.Join(parts[len(parts)-2:], "/")
}

// functions sets the description of a function.
func (w *writers) functions() {
	s := w.subjects(typeLambda, false, w.function)[0]
	w.run(func(ctx context.Context, serial int) {
		if serial%10 != 0 {
			return // each change ends the warm environments
		}
		w.change(ctx, s, serial, "UpdateFunctionConfiguration", func() error {
			_, err := w.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
				FunctionName: &w.function, Description: aws.String(fmt.Sprintf("serial=%d", serial)),
			})
			return err
		})
	})
}

// content is what an object holds at a serial number: of a size that varies.
func content(serial int) string {
	return fmt.Sprintf("%d ", serial) + strings.Repeat("x", serial*7919%200_000)
}

// objects puts objects, again and again under the same keys, and deletes some.
func (w *writers) puts() {
	w.run(func(ctx context.Context, serial int) {
		key := fmt.Sprintf("folder/%s%d", w.name, rand.IntN(30))
		n, operation := serial, "PutObject"
		if rand.IntN(10) == 0 {
			n, operation = gone, "DeleteObject"
		}
		acked, answered := w.ask(ctx, operation, func() (err error) {
			if n == gone {
				_, err = w.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("objects"), Key: &key})
				return err
			}
			_, err = w.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("objects"), Key: &key, Body: strings.NewReader(content(n))})
			return err
		})
		if acked || !answered {
			w.mu.Lock()
			w.ledger.objects[key] = append(w.ledger.objects[key], attempt{n, acked})
			w.mu.Unlock()
		}
	})
}

// messages sends messages, and receives and deletes some of them.
func (w *writers) messages() {
	w.run(func(ctx context.Context, serial int) {
		body := fmt.Sprintf("%smessage %d", w.name, serial)
		acked, answered := w.ask(ctx, "SendMessage", func() error {
			_, err := w.sqs.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &w.letters, MessageBody: &body})
			return err
		})
		if acked || !answered {
			w.mu.Lock()
			w.sent[body] = acked
			w.mu.Unlock()
		}
		if serial%3 != 0 {
			return
		}
		var got *sqs.ReceiveMessageOutput
		w.ask(ctx, "ReceiveMessage", func() (err error) {
			got, err = w.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.letters})
			return err
		})
		if got == nil || len(got.Messages) == 0 {
			return
		}
		acked, answered = w.ask(ctx, "DeleteMessage", func() error {
			_, err := w.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &w.letters, ReceiptHandle: got.Messages[0].ReceiptHandle})
			return err
		})
		if acked || !answered {
			w.mu.Lock()
			w.deleted[*got.Messages[0].Body] = acked
			w.mu.Unlock()
		}
	})
}

// evaluations calls PutEvaluations from outside, with the token of a rule.
func (w *writers) evaluations(n int) {
	w.run(func(ctx context.Context, serial int) {
		var batch []configtypes.Evaluation
		for range 1 + rand.IntN(5) {
			batch = append(batch, configtypes.Evaluation{
				ComplianceResourceType: aws.String(typeAside), ComplianceResourceId: aws.String(fmt.Sprintf("%saside-%d", w.name, rand.IntN(n))),
				ComplianceType: even(serial), Annotation: aws.String(fmt.Sprint(serial)), OrderingTimestamp: aws.Time(time.Now()),
			})
		}
		acked, answered := w.ask(ctx, "PutEvaluations", func() error {
			out, err := w.config.PutEvaluations(ctx, &configservice.PutEvaluationsInput{ResultToken: &w.token, Evaluations: batch})
			if err == nil && len(out.FailedEvaluations) > 0 {
				return &smithy.GenericAPIError{Code: "FailedEvaluations", Message: fmt.Sprint(len(out.FailedEvaluations))}
			}
			return err
		})
		if !acked && answered {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, e := range batch {
			id := *e.ComplianceResourceId
			w.aside[id] = append(w.aside[id], attempt{serial, acked})
		}
	})
}

// rules puts rules, has them evaluated and deletes them.
func (w *writers) rules(n int) {
	w.run(func(ctx context.Context, serial int) {
		if serial%5 != 0 {
			return // each is evaluated on all there is
		}
		name := fmt.Sprintf("%spassing-%d", w.name, rand.IntN(n))
		what, operation, call := 1, "PutConfigRule", func() error {
			_, err := w.config.PutConfigRule(ctx, &configservice.PutConfigRuleInput{
				ConfigRule: managed(name, "REQUIRED_TAGS", `{"tag1Key": "even", "tag1Value": "yes"}`),
			})
			return err
		}
		switch rand.IntN(4) {
		case 0:
			what, operation, call = gone, "DeleteConfigRule", func() error {
				_, err := w.config.DeleteConfigRule(ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: &name})
				return err
			}
		case 1:
			name = ruleJudge
			what, operation, call = 0, "StartConfigRulesEvaluation", func() error {
				_, err := w.config.StartConfigRulesEvaluation(ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{name}})
				return err
			}
		}
		declined := false
		acked, answered := w.ask(ctx, operation, func() error {
			err := call()
			if declined = saysNotNow(err); declined {
				return nil
			}
			return err
		})
		if what != 0 && !declined && (acked || !answered) {
			w.mu.Lock()
			w.ledger.rules[name] = append(w.ledger.rules[name], attempt{what, acked})
			w.mu.Unlock()
		}
	})
}

// saysNotNow recognizes what AWS Config says of a rule that is not there, or at
// work on what it was asked before.
func saysNotNow(err error) bool {
	missing, busy, many := new(configtypes.NoSuchConfigRuleException), new(configtypes.ResourceInUseException), new(configtypes.LimitExceededException)
	return errors.As(err, &missing) || errors.As(err, &busy) || errors.As(err, &many)
}

// even is the verdict of everybody here on a serial number.
func even(serial int) configtypes.ComplianceType {
	if serial%2 == 0 {
		return configtypes.ComplianceTypeCompliant
	}
	return configtypes.ComplianceTypeNonCompliant
}
