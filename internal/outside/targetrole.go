package outside

import (
	"context"
	"strings"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/model"
)

// calls are what sending to a target of a service is.
var calls = map[string][]string{
	"sqs": {"SendMessage"}, "sns": {"Publish"}, "lambda": {"InvokeFunction"}, "events": {"PutEvents"}, "s3": {"PutObject", "ListBucket"},
}

// Lacks returns the call to a target that the sender's role does not allow. What goes
// to an outside service is sent with the account's own credentials there.
func (t *Targets) Lacks(ctx context.Context, tx *db.Tx, from caller.Sender, target string) (call string, err error) {
	a, err := arn.Parse(target)
	if err != nil || t.RoleMay == nil || t.replaces(from, a.Service) {
		return "", err
	}
	for _, call := range calls[a.Service] {
		err := t.RoleMay(ctx, tx, from.Role, from.Region, a.Service+":"+call, resourceOf(a, call))
		if model.IsCode(err, "AccessDeniedException") {
			return call, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// resourceOf is what a call is about: some object of a bucket, or the target itself.
func resourceOf(a arn.ARN, call string) string {
	if a.Service == "s3" && call == "PutObject" {
		return a.String() + "/aws/lambda/object"
	}
	return strings.TrimSuffix(a.String(), ":*")
}

// roleMay returns an error unless a sender's role lets it send to a target. Services
// have no role: the resource's policy was asked.
func (t *Targets) roleMay(ctx context.Context, tx *db.Tx, from caller.Sender, a arn.ARN) error {
	if t.RoleMay == nil || from.Service != "" || len(calls[a.Service]) == 0 {
		return nil
	}
	call := calls[a.Service][0]
	return t.RoleMay(ctx, tx, from.Role, from.Region, a.Service+":"+call, resourceOf(a, call))
}
