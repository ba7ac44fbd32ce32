package outside

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"plumb/internal/arn"
	"plumb/internal/awsclient"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/eventbus"
	"plumb/internal/model"
)

// Recipients are the targets of EventBridge's rules and schedules that an outside
// service holds: its queues, topics, functions.
type Recipients struct{ clients *Clients }

// NewRecipients returns the recipients.
func NewRecipients(c *Clients) *Recipients { return &Recipients{c} }

// Away reports whether a service of a place is an outside one.
func (o *Recipients) Away(p config.Place, service string) bool {
	return service != "events" && o.clients.Replaces(p, service)
}

// Hand gives a recipient its input, with the account's own credentials.
func (o *Recipients) Hand(ctx context.Context, from caller.Sender, to eventbus.Recipient) error {
	a, err := arn.Parse(to.ARN)
	if err != nil {
		return err
	}
	client, err := o.clients.Service(ctx, place(from), a.Service)
	if err != nil {
		return err
	}
	if client == nil {
		return &model.Error{Code: "NO_RESOURCE", Message: "The settings name no " + a.Service + " any more.", Status: http.StatusBadRequest}
	}
	switch a.Service {
	case "lambda":
		_, err = client.Call(ctx, "lambda", "Invoke", map[string]any{"FunctionName": to.ARN, "InvocationType": "Event", "Payload": []byte(to.Body)})
	case "sns":
		_, err = client.Call(ctx, "sns", "Publish", map[string]any{"TopicArn": to.ARN, "Message": to.Body})
	case "sqs":
		err = sendMessage(ctx, client, a, to)
	default:
		err = fmt.Errorf("no event is sent to an outside %s", a.Service)
	}
	return named(err)
}

func sendMessage(ctx context.Context, client *awsclient.Client, queue arn.ARN, to eventbus.Recipient) error {
	found, err := client.Call(ctx, "sqs", "GetQueueUrl", map[string]any{"QueueName": queue.Resource, "QueueOwnerAWSAccountId": queue.Account})
	if err != nil {
		return err
	}
	in := map[string]any{"QueueUrl": found["QueueUrl"], "MessageBody": to.Body}
	if to.Group != "" {
		in["MessageGroupId"] = to.Group
	}
	_, err = client.Call(ctx, "sqs", "SendMessage", in)
	return err
}

// named gives an error of an outside service the form of one of ours.
func named(err error) error {
	if e, ok := errors.AsType[*awsclient.Error](err); ok {
		return &model.Error{Code: e.Code, Message: e.Message, Status: e.Status}
	}
	return err
}
