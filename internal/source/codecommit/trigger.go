package codecommit

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"plumb/internal/arn"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/lambda"
	"plumb/internal/model"
	api "plumb/internal/model/codecommitapi"
)

// service is CodeCommit's name in the policies of functions and topics.
const service = "codecommit.amazonaws.com"

// CodeCommit's limits of triggers.
const (
	maxTriggers   = 10
	maxBranches   = 10
	maxCustomData = 1000
)

// The events of references.
const (
	allEvents       = "all"
	updateReference = "updateReference"
	createReference = "createReference"
	deleteReference = "deleteReference"
)

// A Trigger tells a function or a topic of changed references.
type Trigger struct {
	Name       string   `json:"name"`
	Target     string   `json:"target"` // ARN
	CustomData string   `json:"customData,omitempty"`
	Branches   []string `json:"branches,omitempty"` // empty is all, and tags
	Events     []string `json:"events"`
}

var triggerName = regexp.MustCompile(`^[\w.-]{1,100}$`)

// CheckTriggers returns CodeCommit's error to triggers of a repository that cannot be.
func CheckTriggers(p config.Place, list []Trigger) error {
	if len(list) > maxTriggers {
		return api.MaximumRepositoryTriggersExceededException("A repository can have up to %d triggers", maxTriggers)
	}
	seen := map[string]bool{}
	for _, t := range list {
		if err := t.check(p); err != nil {
			return err
		}
		if seen[t.Name] {
			return api.InvalidRepositoryTriggerNameException("The trigger name %s is used twice", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

func (t Trigger) check(p config.Place) error {
	if !triggerName.MatchString(t.Name) {
		return api.InvalidRepositoryTriggerNameException("The trigger name %q is not valid: it has 1 to 100 letters, digits, periods, underscores and dashes", t.Name)
	}
	a, err := arn.Parse(t.Target)
	_, function := lambda.ParseARN(t.Target)
	switch {
	case t.Target == "":
		return api.RepositoryTriggerDestinationArnRequiredException("Trigger %s has no destination", t.Name)
	case err != nil || a.Service != "sns" && (a.Service != "lambda" || function != nil):
		return api.InvalidRepositoryTriggerDestinationArnException("The destination %s of trigger %s is not the ARN of a function or a topic", t.Target, t.Name)
	case a.Region != p.Region:
		return api.InvalidRepositoryTriggerRegionException("The destination %s of trigger %s is not in the region of the repository", t.Target, t.Name)
	case utf8.RuneCountInString(t.CustomData) > maxCustomData:
		return api.InvalidRepositoryTriggerCustomDataException("The custom data of trigger %s has more than %d characters", t.Name, maxCustomData)
	case len(t.Branches) > maxBranches:
		return api.MaximumBranchesExceededException("Trigger %s names more than %d branches", t.Name, maxBranches)
	case len(t.Events) == 0:
		return api.RepositoryTriggerEventsListRequiredException("Trigger %s has no events", t.Name)
	case len(t.Events) > 1 && slices.Contains(t.Events, allEvents):
		return api.InvalidRepositoryTriggerEventsException("Trigger %s has the event all, and others", t.Name)
	}
	for _, name := range t.Branches {
		if CheckBranch(name) != nil {
			return api.InvalidRepositoryTriggerBranchNameException("Trigger %s names %q, which is no branch", t.Name, name)
		}
	}
	return nil
}

// tells reports whether a change is the trigger's.
func (t Trigger) tells(c change) bool {
	event := updateReference
	switch {
	case c.isNew:
		event = createReference
	case c.isEnd:
		event = deleteReference
	}
	if !slices.Contains(t.Events, allEvents) && !slices.Contains(t.Events, event) {
		return false
	}
	branch, isBranch := strings.CutPrefix(c.ref, heads)
	return len(t.Branches) == 0 || isBranch && slices.Contains(t.Branches, branch)
}

// notice is the job that tells a trigger's destination.
type notice struct {
	config.Place
	Repository string `json:"repository"` // ARN
	Trigger    string `json:"trigger"`
	Target     string `json:"target"` // ARN
	Event      []byte `json:"event"`
}

func (notice) Kind() string { return "source.codecommit.notice" }

// Owner is the repository's account.
func (n notice) Owner() string { return n.Account }

// happened leaves a job for each trigger that changes are told to.
func (r *Repositories) happened(ctx context.Context, tx *db.Tx, x Repository, by caller.Caller, done []change) error {
	for _, t := range x.Triggers {
		var list []reference
		for _, c := range done {
			if t.tells(c) {
				list = append(list, referenceOf(c))
			}
		}
		parts, err := r.events(x, t, by, referenceChanges, list)
		if err != nil {
			return err
		}
		for _, event := range parts {
			if err := r.jobs.Insert(ctx, tx, notice{x.Place, x.ARN(), t.Name, t.Target, event}, job.Options{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// tell hands an event over, if the destination still lets the repository in.
func (r *Repositories) tell(ctx context.Context, tx *db.Tx, j job.Job[notice]) error {
	reason, err := r.hand(ctx, tx, j.Args)
	if err == nil && reason != "" {
		r.log.Warn("event of a repository was not taken", "repository", j.Args.Repository, "target", j.Args.Target, "err", reason)
	}
	return err
}

// hand gives an event to its destination, and says why that does not take it.
func (r *Repositories) hand(ctx context.Context, tx *db.Tx, n notice) (reason string, err error) {
	from := caller.Sender{Account: n.Account, Region: n.Region, Service: service, ARN: n.Repository}
	if ref, err := lambda.ParseARN(n.Target); err == nil {
		may, err := lambda.MayInvoke(ctx, tx, n.Target, service, n.Repository, n.Account)
		if err != nil {
			return "", err
		}
		if !may {
			return "AWS CodeCommit does not have permission to access the AWS Lambda function " + n.Target, nil
		}
		_, err = r.o.Functions.InvokeAsync(ctx, tx, lambda.Event{Ref: ref, Payload: n.Event})
		return refusal(err)
	}
	found, err := r.o.Targets.Exists(ctx, tx, from, n.Target)
	if err != nil {
		return "", err
	}
	if !found {
		return "AWS CodeCommit does not have permission to access the Amazon SNS topic " + n.Target + ", or the topic does not exist", nil
	}
	return refusal(r.o.Targets.Send(ctx, tx, from, lambda.Message{Target: n.Target, Subject: subject(n), Body: string(n.Event)}))
}

// refusal tells what a destination answers from what could not be asked.
func refusal(err error) (string, error) {
	if named, ok := model.Named(err); ok {
		return named.Message, nil
	}
	return "", err
}

// A TestFailure is a trigger that does not work.
type TestFailure struct{ Trigger, Reason string }

// Test tells the destinations of triggers a test event at once. Those that do not take it
// are returned.
func (r *Repositories) Test(ctx context.Context, x Repository, list []Trigger) (failed []TestFailure, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		failed = nil
		sample, err := sampleOf(ctx, tx, x)
		if err != nil {
			return err
		}
		for _, t := range list {
			parts, err := r.events(x, t, caller.From(ctx), triggerTest, []reference{sample})
			if err != nil {
				return err
			}
			reason, err := r.hand(ctx, tx, notice{x.Place, x.ARN(), t.Name, t.Target, parts[0]})
			if err != nil {
				return err
			}
			if reason != "" {
				failed = append(failed, TestFailure{t.Name, reason})
			}
		}
		return nil
	})
	return failed, err
}
