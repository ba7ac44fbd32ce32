package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"plumb/internal/arn"
	"plumb/internal/db"
	"plumb/internal/model/cloudformationapi"
	"plumb/internal/template"
)

// A ChangeSet is a change of a stack that was computed and not yet made.
type ChangeSet struct {
	ID          string // its ARN
	Name        string
	Stack       string // ARN
	Kind        string // CREATE or UPDATE
	Description string
	Status      string
	Reason      string
	Execution   string // status
	Created     time.Time
	Settings
	Changes []Change
}

// A Change is what is done to one resource.
type Change struct {
	Action      string // Add, Modify or Remove
	ID, Type    string
	Physical    string
	Replacement string // True, False or Conditional, of a modification
	Properties  []string
}

type storedChangeSet struct {
	Kind        string         `json:"kind"`
	Description string         `json:"description,omitempty"`
	Status      string         `json:"status"`
	Reason      string         `json:"reason,omitempty"`
	Execution   string         `json:"execution"`
	Settings    storedSettings `json:"settings"`
	Changes     []storedChange `json:"changes,omitempty"`
}

type storedChange struct {
	Action      string   `json:"action"`
	ID          string   `json:"id"`
	Type        string   `json:"type"`
	Physical    string   `json:"physical,omitempty"`
	Replacement string   `json:"replacement,omitempty"`
	Properties  []string `json:"properties,omitempty"`
}

func putChangeSet(ctx context.Context, tx *db.Tx, c ChangeSet) error {
	form := storedChangeSet{
		Kind: c.Kind, Description: c.Description, Status: c.Status, Reason: c.Reason, Execution: c.Execution, Settings: toSettings(c.Settings),
	}
	for _, one := range c.Changes {
		form.Changes = append(form.Changes, storedChange(one))
	}
	body, err := encode(form)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO stack_change_set (id, stack, name, created, body) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body`, c.ID, c.Stack, c.Name, db.Micros(c.Created), body)
	if err != nil {
		return fmt.Errorf("keep change set %s: %w", c.ID, err)
	}
	return nil
}

func changeSetsWhere(ctx context.Context, tx *db.Tx, where string, args ...any) (out []ChangeSet, err error) {
	err = db.Each(ctx, tx, func(scan func(...any) error) error {
		var c ChangeSet
		var created int64
		var body string
		if err := scan(&c.ID, &c.Stack, &c.Name, &created, &body); err != nil {
			return err
		}
		var form storedChangeSet
		if err := json.Unmarshal([]byte(body), &form); err != nil {
			return fmt.Errorf("change set %s: %w", c.ID, err)
		}
		c.Created, c.Kind, c.Description, c.Status, c.Reason = db.Time(created), form.Kind, form.Description, form.Status, form.Reason
		c.Execution, c.Settings = form.Execution, fromSettings(form.Settings)
		for _, one := range form.Changes {
			c.Changes = append(c.Changes, Change(one))
		}
		out = append(out, c)
		return nil
	}, `SELECT id, stack, name, created, body FROM stack_change_set WHERE `+where, args...)
	return out, err
}

// A Proposal asks for a change set.
type Proposal struct {
	Request
	Name        string
	Kind        string // CREATE or UPDATE; empty: UPDATE
	Description string
}

// Propose computes a change set and returns it. A change set that has no changes
// is kept as failed, as AWS does.
func (s *Stacks) Propose(ctx context.Context, p Proposal) (set ChangeSet, err error) {
	if p.Kind == "" {
		p.Kind = updateWord
	}
	p.reviewed = true
	st, c, err := s.checkProposal(ctx, p)
	if err != nil {
		return set, err
	}
	set = ChangeSet{
		ID: arn.New("cloudformation", p.Region, p.Account, "changeSet/"+p.Name+"/"+newUUID()).String(), Name: p.Name, Kind: p.Kind,
		Description: p.Description, Created: s.Now(), Settings: c.Settings, Status: createWord + complete, Execution: "AVAILABLE",
	}
	if set.Changes, err = s.changes(ctx, st, c); err != nil {
		return set, err
	}
	err = s.DB.Write(ctx, func(tx *db.Tx) error { return s.keepProposal(ctx, tx, &set, st, c) })
	return set, err
}

// checkProposal returns the stack that is to be changed, which may not be there.
func (s *Stacks) checkProposal(ctx context.Context, p Proposal) (st Stack, c checked, err error) {
	there, err := s.Find(ctx, p.Place, p.Stack)
	switch {
	case err == nil && p.Kind == createWord && there.Status != inReview:
		return st, c, cloudformationapi.AlreadyExistsException("Stack [%s] already exists and cannot be created again with the changeSet [%s].", p.Stack, p.Name)
	case err == nil && p.Kind == updateWord && there.Status == inReview:
		return st, c, Invalid("Stack [%s] does not exist", p.Stack)
	case err == nil && p.Kind == createWord:
		c, err = s.check(p.Request, nil, "")
		return there, c, err
	case err == nil:
		if err := there.mayUpdate(); err != nil {
			return st, c, err
		}
		return s.checkUpdate(ctx, p.Request)
	case p.Kind == createWord && nameOf(p.Stack) == p.Stack:
		c, err = s.check(p.Request, nil, "")
		return st, c, err
	}
	return st, c, Invalid("Stack [%s] does not exist", p.Stack)
}

// keepProposal keeps a change set, with the stack in review that it is for.
func (s *Stacks) keepProposal(ctx context.Context, tx *db.Tx, set *ChangeSet, st Stack, c checked) error {
	if err := lockNames(ctx, tx, c.Place); err != nil {
		return err
	}
	now, err := find(ctx, tx, c.Place, c.Stack)
	switch {
	case errors.Is(err, errNotFound) && st.ID == "":
		now = s.newStack(c)
		now.Status = inReview
		now.Settings = Settings{Tags: c.Tags, Role: c.Role, Notifications: c.Notifications, Timeout: c.Timeout}
		if err := putStack(ctx, tx, now); err != nil {
			return err
		}
		if err := s.event(ctx, tx, now, Event{Resource: now.Name, Physical: now.ID, Type: StackType, Status: inReview, Reason: "User Initiated"}); err != nil {
			return err
		}
	case err != nil:
		return missing(err, c.Stack)
	case st.ID != "" && now.ID != st.ID || st.ID == "" && now.Status != inReview:
		return cloudformationapi.AlreadyExistsException("Stack [%s] already exists", c.Stack)
	}
	set.Stack = now.ID
	same, err := changeSetsWhere(ctx, tx, `stack = ? AND name = ?`, now.ID, set.Name)
	if err != nil {
		return err
	}
	if len(same) > 0 {
		return cloudformationapi.AlreadyExistsException("ChangeSet %s already exists", set.Name)
	}
	text, err := templateOf(ctx, tx, now.ID, present)
	if err != nil {
		return err
	}
	if set.Kind == updateWord && unchanged(now, c, text) {
		set.Status, set.Execution = failed[1:], "UNAVAILABLE"
		set.Reason = "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	if set.Kind == updateWord {
		if err := s.sameTypes(ctx, tx, now, c.template); err != nil {
			return err
		}
	}
	if err := putTemplate(ctx, tx, now.ID, set.ID, c.Template); err != nil {
		return err
	}
	return putChangeSet(ctx, tx, *set)
}

// knownLater is how an attribute shows that a change set cannot know.
const knownLater = "{{changeSet:KNOWN_AFTER_APPLY}}"

// changes compares a template with the resources that there are.
func (s *Stacks) changes(ctx context.Context, st Stack, c checked) (out []Change, err error) {
	var rows []Resource
	if st.ID != "" {
		err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
			rows, err = resourcesOf(ctx, tx, st.ID)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	exported, err := s.exportsOf(ctx, c.Place)
	if err != nil {
		return nil, err
	}
	after := Stack{Place: c.Place, Name: nameOf(c.Stack), ID: st.ID, Settings: c.Settings}
	plan, err := c.template.Plan(input(after, exported, nil))
	if err != nil {
		return nil, err
	}
	replaced := map[string]bool{}
	there := attributes(rows)
	of := func(id, attribute string) (any, error) {
		v, err := there(id, attribute)
		if err != nil || replaced[id] {
			return knownLater, nil
		}
		return v, nil
	}
	for _, w := range plan.Resources() {
		i := slices.IndexFunc(rows, func(r Resource) bool { return r.ID == w.ID && r.Generation == 0 && r.Physical != "" })
		properties, err := plan.Properties(w.ID, of)
		if named, ok := errors.AsType[*template.Error](err); ok {
			return nil, Invalid("Template error: %s", named.Problems[0].Message)
		}
		switch {
		case err != nil:
			return nil, err
		case i < 0:
			out = append(out, Change{Action: "Add", ID: w.ID, Type: w.Type})
			continue
		case normal(properties) == normal(rows[i].Properties):
			continue
		}
		change := Change{Action: "Modify", ID: w.ID, Type: w.Type, Physical: rows[i].Physical, Replacement: "False"}
		change.Properties = differing(rows[i].Properties, properties)
		if s.replaces(rows[i], Made{Properties: properties}) {
			change.Replacement, replaced[w.ID] = "True", true
		}
		out = append(out, change)
	}
	for _, r := range rows {
		if r.Generation == 0 && r.Physical != "" && !slices.ContainsFunc(plan.Resources(), func(w template.Resource) bool { return w.ID == r.ID }) {
			out = append(out, Change{Action: "Remove", ID: r.ID, Type: r.Type, Physical: r.Physical})
		}
	}
	return out, nil
}

func differing(a, b map[string]any) (names []string) {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(a[k], b[k]) {
			names = append(names, k)
		}
	}
	return names
}

// ChangeSet returns a change set by its ARN, or by its name and its stack, with
// the stack.
func (s *Stacks) ChangeSet(ctx context.Context, w Who, stack, name string) (set ChangeSet, st Stack, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		set, st, err = findChangeSet(ctx, tx, w, stack, name)
		return err
	})
	return set, st, err
}

func findChangeSet(ctx context.Context, tx *db.Tx, w Who, stack, name string) (set ChangeSet, st Stack, err error) {
	where, args := `id = ?`, []any{name}
	if a, err := arn.Parse(name); err != nil || a.Account != w.Account || a.Region != w.Region {
		if stack == "" {
			return set, st, Invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
		}
		if st, err = find(ctx, tx, w.Place, stack); err != nil {
			return set, st, changeSetMissing(err, name)
		}
		where, args = `stack = ? AND name = ?`, []any{st.ID, name}
	}
	list, err := changeSetsWhere(ctx, tx, where, args...)
	if err == nil && len(list) == 0 {
		err = errNotFound
	}
	if err != nil {
		return set, st, changeSetMissing(err, name)
	}
	st, err = byID(ctx, tx, list[0].Stack)
	return list[0], st, err
}

func changeSetMissing(err error, name string) error {
	if errors.Is(err, errNotFound) {
		return cloudformationapi.ChangeSetNotFoundException("ChangeSet [%s] does not exist", name)
	}
	return err
}

// ChangeSets lists the change sets of a stack, the newest first.
func (s *Stacks) ChangeSets(ctx context.Context, w Who, stack string) (list []ChangeSet, st Stack, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if st, err = find(ctx, tx, w.Place, stack); err != nil {
			return missing(err, stack)
		}
		list, err = changeSetsWhere(ctx, tx, `stack = ? ORDER BY created DESC, id`, st.ID)
		return err
	})
	return list, st, err
}

// DropChangeSet deletes a change set. One that is not there is gone already.
func (s *Stacks) DropChangeSet(ctx context.Context, w Who, stack, name string) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		set, st, err := findChangeSet(ctx, tx, w, stack, name)
		if err != nil {
			return err
		}
		if set.Execution == "EXECUTE_IN_PROGRESS" && st.InProgress() {
			return cloudformationapi.InvalidChangeSetStatusException("ChangeSet [%s] cannot be deleted in its current execution status of [%s]", set.ID, set.Execution)
		}
		if err := dropTemplate(ctx, tx, st.ID, set.ID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM stack_change_set WHERE id = ?`, set.ID)
		return err
	})
}

// Execute makes the changes of a change set.
func (s *Stacks) Execute(ctx context.Context, w Who, stack, name, token string, keepFailed bool) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		set, st, err := findChangeSet(ctx, tx, w, stack, name)
		if err != nil {
			return err
		}
		if err := lock(ctx, tx, st.ID); err != nil {
			return err
		}
		if st, err = byID(ctx, tx, st.ID); err != nil {
			return err
		}
		if set.Execution != "AVAILABLE" {
			return cloudformationapi.InvalidChangeSetStatusException("ChangeSet [%s] cannot be executed in its current status of [%s]", set.ID, set.Status)
		}
		text, err := templateOf(ctx, tx, st.ID, set.ID)
		if err != nil {
			return err
		}
		t, err := s.Parse(st.Place, text, set.Parameters)
		if err != nil {
			return err
		}
		c := checked{Request: Request{Who: w, Template: text, Settings: set.Settings, Token: token}, template: t, parameters: set.Parameters}
		c.KeepFailed = c.KeepFailed || keepFailed
		if err := s.begunBy(ctx, tx, set, st); err != nil {
			return err
		}
		st.ChangeSet = set.ID
		if set.Kind == createWord {
			st.Settings = c.Settings
			st.actFor(w)
			return s.beginCreate(ctx, tx, st, text, token)
		}
		if err := st.mayUpdate(); err != nil {
			return err
		}
		return s.beginUpdate(ctx, tx, st, c)
	})
}

// begunBy notes that a change set is carried out: the stack's others are of a
// stack that is no more.
func (s *Stacks) begunBy(ctx context.Context, tx *db.Tx, set ChangeSet, st Stack) error {
	others, err := changeSetsWhere(ctx, tx, `stack = ?`, st.ID)
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.ID == set.ID {
			o.Execution = "EXECUTE_COMPLETE"
		} else if o.Execution == "AVAILABLE" {
			o.Execution = "OBSOLETE"
		}
		if err := putChangeSet(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}
