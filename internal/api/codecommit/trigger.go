package codecommit

import (
	"context"
	"slices"

	"plumb/internal/caller"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
	"plumb/internal/source/codecommit"
)

// triggersOf reads triggers, and checks them.
func triggersOf(ctx context.Context, in []api.RepositoryTrigger) (out []codecommit.Trigger, err error) {
	for _, t := range in {
		x := codecommit.Trigger{Name: *t.Name, Target: *t.DestinationArn, CustomData: model.Deref(t.CustomData), Branches: t.Branches}
		for _, e := range t.Events {
			x.Events = append(x.Events, string(e))
		}
		out = append(out, x)
	}
	return out, codecommit.CheckTriggers(caller.Place(ctx), out)
}

// PutRepositoryTriggers puts triggers in the place of those that there were.
func (o operations) PutRepositoryTriggers(ctx context.Context, in *api.PutRepositoryTriggersInput) (*api.PutRepositoryTriggersOutput, error) {
	list, err := triggersOf(ctx, in.Triggers)
	if err != nil {
		return nil, err
	}
	id := lambda.NewID()
	_, err = o.change(ctx, in.RepositoryName, func(_ *db.Tx, x *codecommit.Repository) error {
		x.Triggers, x.TriggersID = list, id
		return nil
	})
	return &api.PutRepositoryTriggersOutput{ConfigurationId: &id}, err
}

// GetRepositoryTriggers tells the triggers of a repository.
func (o operations) GetRepositoryTriggers(ctx context.Context, in *api.GetRepositoryTriggersInput) (*api.GetRepositoryTriggersOutput, error) {
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &api.GetRepositoryTriggersOutput{ConfigurationId: model.Optional(x.TriggersID), Triggers: []api.RepositoryTrigger{}}
	for _, t := range x.Triggers {
		s := api.RepositoryTrigger{
			Name: &t.Name, DestinationArn: &t.Target, CustomData: model.Optional(t.CustomData), Branches: append([]string{}, t.Branches...),
		}
		for _, e := range t.Events {
			s.Events = append(s.Events, api.RepositoryTriggerEventEnum(e))
		}
		out.Triggers = append(out.Triggers, s)
	}
	return out, nil
}

// TestRepositoryTriggers tells the destinations of triggers a test event. The triggers need not
// be those of the repository.
func (o operations) TestRepositoryTriggers(ctx context.Context, in *api.TestRepositoryTriggersInput) (*api.TestRepositoryTriggersOutput, error) {
	if len(in.Triggers) == 0 {
		return nil, api.RepositoryTriggersListRequiredException("A list of triggers is required")
	}
	list, err := triggersOf(ctx, in.Triggers)
	if err != nil {
		return nil, err
	}
	x, err := o.find(ctx, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	failed, err := o.r.Test(ctx, x, list)
	if err != nil {
		return nil, err
	}
	out := &api.TestRepositoryTriggersOutput{SuccessfulExecutions: []string{}, FailedExecutions: []api.RepositoryTriggerExecutionFailure{}}
	for _, f := range failed {
		out.FailedExecutions = append(out.FailedExecutions, api.RepositoryTriggerExecutionFailure{Trigger: &f.Trigger, FailureMessage: &f.Reason})
	}
	for _, t := range list {
		if !slices.ContainsFunc(failed, func(f codecommit.TestFailure) bool { return f.Trigger == t.Name }) {
			out.SuccessfulExecutions = append(out.SuccessfulExecutions, t.Name)
		}
	}
	return out, nil
}
