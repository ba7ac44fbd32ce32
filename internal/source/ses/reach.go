package ses

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
)

// setupNotification is the object by which SES tries whether a rule may write to a
// bucket.
const setupNotification = "AMAZON_SES_SETUP_NOTIFICATION"

// Reach refuses a rule that may not use a topic, function or bucket that it names.
func (m *Mail) Reach(ctx context.Context, p config.Place, set string, r Rule) error {
	from := sender(p, set, r.Name)
	err := m.db.Read(ctx, func(tx *db.Tx) error {
		if _, err := FindRuleSet(ctx, tx, p, set); err != nil {
			return err
		}
		for _, a := range r.Actions {
			if a.Topic != "" {
				if ok, err := m.o.HasTopic(ctx, tx, from, a.Topic); err != nil {
					return err
				} else if !ok {
					return sesapi.InvalidSnsTopicException("Invalid SNS topic: %s", a.Topic)
				}
			}
			if a.Type == ActionLambda {
				if _, err := m.mayInvoke(ctx, tx, from, a.Function); model.IsCode(err, errMayNot.Code) {
					return sesapi.InvalidLambdaFunctionException("Invalid Lambda function: %s", a.Function)
				} else if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range r.Actions {
		if a.Type != ActionS3 {
			continue
		}
		text := "\nYou have successfully created an Amazon SES receipt rule: your bucket takes the mail that " + r.Name + " receives.\n"
		err := m.o.PutObject(ctx, from, a.Bucket, a.Prefix+setupNotification, []byte(text), a.KMSKey)
		if _, named := model.Named(err); named {
			return sesapi.InvalidS3ConfigurationException("Could not write to bucket: %s", a.Bucket)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
