package kind

import "context"

// scheduleTypes are those of EventBridge Scheduler.
func scheduleTypes() map[string]Type {
	return map[string]Type{
		"AWS::Scheduler::Schedule": {
			Service: "Scheduler", Naming: Naming{Property: "Name", Max: 64}, Fixed: []string{"Name", "GroupName"},
			Create: createSchedule, Update: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "scheduler", "UpdateSchedule", r.schedule())
				return err
			},
			Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "scheduler", "DeleteSchedule", r.group(map[string]any{"Name": r.Physical}))
				return absent(err)
			},
		},
		"AWS::Scheduler::ScheduleGroup": {
			Service: "Scheduler", Naming: Naming{Property: "Name", Max: 64}, Fixed: []string{"Name"},
			Create: createScheduleGroup, Update: tagScheduleGroup, Delete: func(ctx context.Context, r *Request) error {
				_, err := r.send(ctx, "scheduler", "DeleteScheduleGroup", map[string]any{"Name": r.Physical})
				return absent(err)
			},
			Absent: func(ctx context.Context, r *Request) (bool, error) {
				_, err := r.send(ctx, "scheduler", "GetScheduleGroup", map[string]any{"Name": r.Physical})
				return isAbsent(err), absent(err)
			},
		},
	}
}

func (r *Request) group(in map[string]any) map[string]any {
	set(in, "GroupName", r.Properties, "GroupName")
	return in
}

// schedule is what the API takes: the properties, and the name.
func (r *Request) schedule() map[string]any {
	in := without(r.Properties)
	in["Name"] = r.name("Name")
	if r.Physical != "" {
		in["Name"] = r.Physical
	}
	return in
}

func createSchedule(ctx context.Context, r *Request) error {
	out, err := r.send(ctx, "scheduler", "CreateSchedule", r.schedule())
	if r.Again && isThere(err) {
		out, err = r.send(ctx, "scheduler", "GetSchedule", r.group(map[string]any{"Name": r.name("Name")}))
		out = map[string]any{"ScheduleArn": at(out, "Arn")}
	}
	if err != nil {
		return err
	}
	r.Physical = r.name("Name")
	r.Attributes = map[string]any{"Arn": at(out, "ScheduleArn")}
	return nil
}

func createScheduleGroup(ctx context.Context, r *Request) error {
	if err := r.only("Name", "Tags"); err != nil {
		return err
	}
	in := map[string]any{"Name": r.name("Name")}
	if tags := r.tags("Tags"); len(tags) > 0 {
		in["Tags"] = tagList(tags)
	}
	if _, err := r.send(ctx, "scheduler", "CreateScheduleGroup", in); r.mine(err) != nil {
		return err
	}
	out, err := r.send(ctx, "scheduler", "GetScheduleGroup", map[string]any{"Name": in["Name"]})
	if err != nil {
		return err
	}
	r.Physical = r.name("Name")
	r.Attributes = map[string]any{"Arn": at(out, "Arn"), "State": at(out, "State")}
	return nil
}

func tagScheduleGroup(ctx context.Context, r *Request) error {
	in := map[string]any{"ResourceArn": r.Attributes["Arn"]}
	wanted, old := r.tags("Tags"), r.oldTags("Tags")
	if gone := missing(old, wanted); len(gone) > 0 {
		if _, err := r.send(ctx, "scheduler", "UntagResource", map[string]any{"ResourceArn": in["ResourceArn"], "TagKeys": gone}); err != nil {
			return err
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	in["Tags"] = tagList(wanted)
	_, err := r.send(ctx, "scheduler", "TagResource", in)
	return err
}
