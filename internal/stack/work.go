package stack

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/template"
)

// What is done to a resource.
const (
	doCreate = "create"
	doUpdate = "update"
	doRevert = "revert"
	doDelete = "delete"
)

// doWork does the task of a resource as far as it can be done now.
func (s *Stacks) doWork(ctx context.Context, j job.Job[work]) error {
	st, rows, r, err := s.current(ctx, j.Args)
	if errors.Is(err, errNotFound) {
		return nil // it was done, or overtaken
	}
	if err != nil {
		return err
	}
	if err := s.do(ctx, st, rows, r, j.Args.Once); err != nil {
		if ctx.Err() != nil || j.Attempt < maxTries {
			return err
		}
		return s.end(ctx, st, r, fmt.Errorf("internal failure after %d attempts: %w", j.Attempt, err))
	}
	return nil
}

// maxTries is how often a task is tried that fails for reasons of our own.
const maxTries = 5

func (s *Stacks) do(ctx context.Context, st Stack, rows []Resource, r Resource, once bool) error {
	switch {
	case r.State == settling:
		return s.wait(ctx, st, r, once)
	case st.Operation.Phase == Making:
		return s.make(ctx, st, rows, r)
	case st.Operation.Phase == Reverting:
		return s.change(ctx, st, r, r.Called)
	default:
		return s.remove(ctx, st, r)
	}
}

// current returns the stack, its resources and the one of a job.
func (s *Stacks) current(ctx context.Context, w work) (st Stack, rows []Resource, r Resource, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if st, err = byID(ctx, tx, w.Stack); err != nil {
			return err
		}
		rows, err = resourcesOf(ctx, tx, w.Stack)
		return err
	})
	if err != nil {
		return st, nil, r, err
	}
	i := slices.IndexFunc(rows, func(r Resource) bool { return r.ID == w.ID && r.Generation == w.Generation })
	if i < 0 || st.Operation.mark() != w.Mark || rows[i].Mark != w.Mark || rows[i].State != asked && rows[i].State != settling {
		return st, nil, r, errNotFound
	}
	return st, rows, rows[i], nil
}

// attributes answers Ref and Fn::GetAtt from what was made.
func attributes(rows []Resource) template.Attribute {
	return func(id, attribute string) (any, error) {
		for _, r := range rows {
			if r.ID != id || r.Generation != 0 {
				continue
			}
			if attribute == "" {
				return r.Physical, nil
			}
			if v, ok := r.Attributes[attribute]; ok {
				return v, nil
			}
			return nil, because("Template error: resource %s does not support attribute type %s in Fn::GetAtt", id, attribute)
		}
		return nil, because("Template error: resource %s is not there", id)
	}
}

// make creates a resource, changes it, replaces it or leaves it alone.
func (s *Stacks) make(ctx context.Context, st Stack, rows []Resource, r Resource) error {
	if r.Called {
		return s.change(ctx, st, r, true) // an attempt was cut off: it is known what it wanted
	}
	want, err := s.wanted(ctx, st, rows, r)
	if err != nil {
		if named, ok := errors.AsType[*template.Error](err); ok {
			return s.begun(ctx, st, r, Made{Type: r.Type}, named)
		}
		return err
	}
	return s.begun(ctx, st, r, want, nil)
}

// wanted evaluates what the template says of a resource.
func (s *Stacks) wanted(ctx context.Context, st Stack, rows []Resource, r Resource) (Made, error) {
	m := Made{Type: r.Type}
	var text string
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		text, err = templateOf(ctx, tx, st.ID, coming)
		return err
	})
	if err != nil {
		return m, err
	}
	plan, err := s.plan(ctx, st, text, &m.Imports)
	if err != nil {
		return m, err
	}
	of := attributes(rows)
	if m.Properties, err = plan.Properties(r.ID, of); err != nil {
		return m, err
	}
	for _, w := range plan.Resources() {
		if w.ID == r.ID {
			m.DependsOn, m.Type = w.DependsOn, w.Type
		}
	}
	for name, into := range map[string]*string{"DeletionPolicy": &m.OnDelete, "UpdateReplacePolicy": &m.OnReplace} {
		v, _, err := plan.Attribute(r.ID, name, of)
		if err != nil {
			return m, err
		}
		*into, _ = template.Text(v)
	}
	return m, nil
}

// begun notes what a task is going to do, then does it.
func (s *Stacks) begun(ctx context.Context, st Stack, r Resource, want Made, problem error) error {
	same := problem == nil && r.Physical != "" && reflect.DeepEqual(normal(r.Properties), normal(want.Properties)) && !s.retagged(st, r)
	if same {
		want.Physical, want.Attributes = r.Physical, r.Attributes
		r.Made, r.State = want, done
		_, err := s.note(ctx, st, r, false, true)
		return err
	}
	r.Reason, r.Updated = "", s.Now()
	switch {
	case r.Physical == "":
		r.Do, r.Status = doCreate, createWord+inProgress
		r.Made = want
	case problem == nil && s.replaces(r, want):
		r.Previous = new(r.Made)
		r.Do, r.Status = doCreate, updateWord+inProgress
		r.Reason = "Requested update requires the creation of a new physical resource; hence creating one."
		r.Made = want
	default:
		r.Previous = new(r.Made)
		r.Do, r.Status = doUpdate, updateWord+inProgress
		want.Physical, want.Attributes = r.Physical, r.Attributes
		if problem != nil {
			want = r.Made
		}
		r.Made = want
	}
	if problem == nil {
		problem = s.unknown(r)
	}
	r.Called = problem == nil
	ok, err := s.note(ctx, st, r, true, false)
	if err != nil || !ok {
		return err
	}
	if problem != nil {
		return s.end(ctx, st, r, problem)
	}
	return s.change(ctx, st, r, false)
}

// normal is how properties are compared: as they are kept.
func normal(m map[string]any) string {
	text, err := template.JSON(m)
	if err != nil || len(m) == 0 {
		return "{}"
	}
	return text
}

// retagged reports whether the stack's tags change, which its resources have too.
func (s *Stacks) retagged(st Stack, r Resource) bool {
	t, simple := s.kinds.Type(r.Type)
	return simple && t.Update != nil && !slices.Equal(st.Tags, st.Operation.Before.Tags) && strings.HasPrefix(st.Status, updateWord)
}

// unknown returns why a type cannot be made.
func (s *Stacks) unknown(r Resource) error {
	if _, ok := s.kinds.Type(r.Type); ok || s.isSpecial(r.Type) {
		return nil
	}
	return because("Unrecognized resource types: [%s]", r.Type)
}

func (s *Stacks) replaces(r Resource, want Made) bool {
	if t, ok := s.kinds.Type(r.Type); ok {
		return t.Replaces(r.Properties, want.Properties)
	}
	return s.specialReplaces(r, want)
}

// note keeps a resource as its task has it now. ok is false if the task was
// overtaken meanwhile.
func (s *Stacks) note(ctx context.Context, st Stack, r Resource, event, over bool) (ok bool, err error) {
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if ok, err = s.holds(ctx, tx, &st, r); err != nil || !ok {
			return err
		}
		if event {
			if err := s.resourceEvent(ctx, tx, st, r); err != nil {
				return err
			}
		}
		if err := s.imports(ctx, tx, st, r.Imports); err != nil {
			return err
		}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		if over {
			return s.next(ctx, tx, st)
		}
		return nil
	})
	return ok, err
}

// holds reads the stack again and reports whether a resource's task is still
// what it is about.
func (s *Stacks) holds(ctx context.Context, tx *db.Tx, st *Stack, r Resource) (ok bool, err error) {
	fresh, ok, err := s.locked(ctx, tx, r.Stack, r.Mark)
	if err != nil || !ok {
		return false, err
	}
	now, err := resourceOf(ctx, tx, r.Stack, r.ID, r.Generation)
	if errors.Is(err, errNotFound) {
		return false, nil
	}
	*st = fresh
	return err == nil && now.Mark == r.Mark && now.Token == r.Token && (now.State == asked || now.State == settling || now.State == waiting), err
}

// change carries out what begun noted, or what a rollback wants. It may have been
// done by an attempt whose end is not known.
func (s *Stacks) change(ctx context.Context, st Stack, r Resource, again bool) error {
	if again && r.Do == doCreate && r.Physical != "" && !s.isSpecial(r.Type) {
		return s.wait(ctx, st, r, false) // it was made, and the server was killed
	}
	if r.Do == doRevert && !again {
		r.Status, r.Reason, r.Updated = updateWord+inProgress, "", s.Now()
		r.Called = true
		if ok, err := s.note(ctx, st, r, true, false); err != nil || !ok {
			return err
		}
	}
	if s.isSpecial(r.Type) {
		return s.changeSpecial(ctx, st, r)
	}
	t, ok := s.kinds.Type(r.Type)
	if !ok {
		return s.end(ctx, st, r, s.unknown(r))
	}
	q := s.request(st, r, again)
	var err error
	switch r.Do {
	case doCreate:
		err = t.Create(ctx, q)
	case doUpdate:
		q.Old = r.Previous.Properties
		err = t.Update(ctx, q)
	case doRevert:
		q.Old, q.Properties = r.Properties, r.Previous.Properties
		err = t.Update(ctx, q)
	}
	if ctx.Err() != nil {
		return ctx.Err() // the server is being stopped: it is tried again
	}
	if q.Physical != "" {
		r.Physical, r.Attributes = q.Physical, q.Attributes
	}
	if err != nil {
		return s.endOrTry(ctx, st, r, err)
	}
	if r.Do == doCreate {
		r.Reason = "Resource creation Initiated"
		if ok, err := s.note(ctx, st, r, true, false); err != nil || !ok {
			return err
		}
	}
	return s.wait(ctx, st, r, false)
}

// remove deletes a resource.
func (s *Stacks) remove(ctx context.Context, st Stack, r Resource) error {
	if !r.Called {
		r.Status, r.Reason, r.Updated, r.Called = deleteWord+inProgress, "", s.Now(), true
		if ok, err := s.note(ctx, st, r, true, false); err != nil || !ok {
			return err
		}
	}
	if s.isSpecial(r.Type) {
		return s.removeSpecial(ctx, st, r)
	}
	t, ok := s.kinds.Type(r.Type)
	if !ok {
		return s.end(ctx, st, r, nil)
	}
	err := t.Delete(ctx, s.request(st, r, false))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.endOrTry(ctx, st, r, err)
	}
	return s.wait(ctx, st, r, false)
}
