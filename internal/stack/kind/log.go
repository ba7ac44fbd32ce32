package kind

import (
	"context"

	"plumb/internal/arn"
)

// logTypes are those of CloudWatch Logs.
func logTypes() map[string]Type {
	return map[string]Type{
		"AWS::Logs::LogGroup": {
			Service: "CloudWatchLogs", Naming: Naming{Property: "LogGroupName", Max: 512}, Fixed: []string{"LogGroupName"},
			Create: createLogGroup, Update: updateLogGroup, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "logs", "DeleteLogGroup", map[string]any{"logGroupName": r.Physical})
				return absent(err)
			},
		},
		"AWS::Logs::SubscriptionFilter": {
			Service: "CloudWatchLogs", Naming: Naming{Property: "FilterName", Max: 512}, Fixed: []string{"FilterName", "LogGroupName"},
			Create: putSubscriptionFilter, Update: putSubscriptionFilter, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "logs", "DeleteSubscriptionFilter", map[string]any{"logGroupName": r.text("LogGroupName"), "filterName": r.Physical})
				return absent(err)
			},
		},
		"AWS::Logs::LogStream": {
			Service: "CloudWatchLogs", Naming: Naming{Property: "LogStreamName", Max: 512},
			Create: func(ctx context.Context, r *Request) error {
				if err := r.only("LogGroupName", "LogStreamName"); err != nil {
					return err
				}
				_, err := r.send(ctx, "logs", "CreateLogStream", map[string]any{
					"logGroupName": r.text("LogGroupName"), "logStreamName": r.name("LogStreamName")})
				r.Physical = r.name("LogStreamName")
				return r.mine(err)
			},
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "logs", "DeleteLogStream", map[string]any{"logGroupName": r.text("LogGroupName"), "logStreamName": r.Physical})
				return absent(err)
			},
		},
	}
}

func putSubscriptionFilter(ctx context.Context, r *Request) error {
	in := without(r.Properties)
	in["FilterName"] = r.name("FilterName")
	_, err := r.send(ctx, "logs", "PutSubscriptionFilter", in)
	r.Physical = r.name("FilterName")
	return err
}

func createLogGroup(ctx context.Context, r *Request) error {
	if err := r.only("LogGroupName", "RetentionInDays", "KmsKeyId", "Tags", "LogGroupClass", "DataProtectionPolicy"); err != nil {
		return err
	}
	name := r.name("LogGroupName")
	in := map[string]any{"logGroupName": name}
	set(in, "kmsKeyId", r.Properties, "KmsKeyId")
	set(in, "logGroupClass", r.Properties, "LogGroupClass")
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["tags"] = tagMap(tags)
	}
	if _, err := r.send(ctx, "logs", "CreateLogGroup", in); r.mine(err) != nil {
		return err
	}
	r.Physical = name
	r.Attributes = map[string]any{"Arn": arn.New("logs", r.Place.Region, r.Place.Account, "log-group:"+name+":*").String()}
	return r.setRetention(ctx)
}

func (r *Request) setRetention(ctx context.Context) (err error) {
	if !r.changed("RetentionInDays") {
		return nil
	}
	if days, ok := r.Properties["RetentionInDays"]; ok {
		_, err = r.send(ctx, "logs", "PutRetentionPolicy", map[string]any{"logGroupName": r.Physical, "retentionInDays": days})
	} else {
		_, err = r.send(ctx, "logs", "DeleteRetentionPolicy", map[string]any{"logGroupName": r.Physical})
	}
	return err
}

func updateLogGroup(ctx context.Context, r *Request) error {
	if err := r.setRetention(ctx); err != nil {
		return err
	}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	group := arn.New("logs", r.Place.Region, r.Place.Account, "log-group:"+r.Physical).String()
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, "logs", "UntagResource", map[string]any{"resourceArn": group, "tagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	_, err := r.send(ctx, "logs", "TagResource", map[string]any{"resourceArn": group, "tags": tagMap(wanted)})
	return err
}
