package kind

import (
	"context"
	"slices"
)

// eventTypes are those of EventBridge.
func eventTypes() map[string]Type {
	return map[string]Type{
		"AWS::Events::Rule": {
			Service: "CloudWatchEvents", Naming: Naming{Property: "Name", Max: 64}, Fixed: []string{"Name", "EventBusName"},
			Create: createEventRule, Update: putEventRule, Delete: deleteEventRule,
		},
	}
}

func (r *Request) bus(in map[string]any) map[string]any {
	set(in, "EventBusName", r.Properties, "EventBusName")
	return in
}

func createEventRule(ctx context.Context, r *Request) error {
	name := r.name("Name")
	if !r.Again {
		// PutRule would change a rule that is there.
		if _, err := r.send(ctx, "events", "DescribeRule", r.bus(map[string]any{"Name": name})); err == nil {
			return refuse(AlreadyExists, "%s already exists", name)
		} else if !isAbsent(err) {
			return err
		}
	}
	return putEventRule(ctx, r)
}

func putEventRule(ctx context.Context, r *Request) error {
	in := without(r.Properties, "Targets", "Tags")
	in["Name"] = r.name("Name")
	if tags := r.tags("Tags"); len(tags) > 0 && r.Physical == "" {
		in["Tags"] = tagList(tags)
	}
	out, err := r.send(ctx, "events", "PutRule", in)
	if err != nil {
		return err
	}
	r.Physical = r.name("Name")
	r.Attributes = map[string]any{"Arn": at(out, "RuleArn")}
	wanted := targetIDs(r.Properties)
	var gone []any
	for _, id := range targetIDs(r.Old) {
		if !slices.Contains(wanted, id) {
			gone = append(gone, id)
		}
	}
	if err := r.removeTargets(ctx, gone); err != nil || len(wanted) == 0 {
		return err
	}
	answer, err := r.send(ctx, "events", "PutTargets", r.bus(map[string]any{"Rule": r.Physical, "Targets": r.Properties["Targets"]}))
	if err == nil && at(answer, "FailedEntries", 0, "ErrorMessage") != "" {
		return refuse(InvalidRequest, "%s", at(answer, "FailedEntries", 0, "ErrorMessage"))
	}
	return err
}

func targetIDs(properties map[string]any) (ids []any) {
	list, _ := properties["Targets"].([]any)
	for _, t := range list {
		ids = append(ids, at(t, "Id"))
	}
	return ids
}

func (r *Request) removeTargets(ctx context.Context, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := r.send(ctx, "events", "RemoveTargets", r.bus(map[string]any{"Rule": r.Physical, "Ids": ids}))
	return absent(err)
}

func deleteEventRule(ctx context.Context, r *Request) error {
	if err := r.removeTargets(ctx, targetIDs(r.Properties)); err != nil {
		return err
	}
	_, err := r.send(ctx, "events", "DeleteRule", r.bus(map[string]any{"Name": r.Physical}))
	return absent(err)
}
