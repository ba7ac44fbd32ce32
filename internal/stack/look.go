package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/stack/kind"
	"plumb/internal/template"
)

// prepareLook reads what the template wants, which takes a while, and returns what
// decides.
func (s *Stacks) prepareLook(ctx context.Context, j job.Job[look]) (job.Commit, error) {
	var st Stack
	var text string
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if st, err = byID(ctx, tx, j.Args.Stack); err == nil {
			text, err = templateOf(ctx, tx, st.ID, coming)
		}
		return err
	})
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var plan *planned
	if st.Operation.Phase == Making && st.Operation.mark() == j.Args.Mark {
		plan = &planned{}
		if plan.Plan, err = s.plan(ctx, st, text, &plan.used); err != nil {
			return nil, job.Discard(fmt.Errorf("template of %s: %w", st.ID, err)) // it was checked when it came
		}
	}
	return func(ctx context.Context, tx *db.Tx) error { return s.look(ctx, tx, j.Args, plan) }, nil
}

// A planned template notes which exports its outputs use.
type planned struct {
	*template.Plan
	used []string
}

func (s *Stacks) look(ctx context.Context, tx *db.Tx, l look, plan *planned) error {
	st, ok, err := s.locked(ctx, tx, l.Stack, l.Mark)
	if err != nil || !ok {
		return err
	}
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	switch st.Operation.Phase {
	case Making:
		if st.Operation.Failed || st.Operation.Delete {
			return s.lookFailed(ctx, tx, st, rows)
		}
		return s.lookMaking(ctx, tx, st, rows, plan)
	case Reverting:
		return s.lookReverting(ctx, tx, st, rows)
	default:
		return s.lookDeleting(ctx, tx, st, rows)
	}
}

// busy reports whether a resource's task is under way.
func (r Resource) busy(mark string) bool {
	return r.Mark == mark && (r.State == asked || r.State == settling || r.State == waiting)
}

func (r Resource) ended(mark string) bool {
	return r.Mark == mark && (r.State == done || r.State == broken)
}

// lookMaking begins with what can be made now, or ends the phase.
func (s *Stacks) lookMaking(ctx context.Context, tx *db.Tx, st Stack, rows []Resource, plan *planned) error {
	mark, byID := st.Operation.mark(), map[string]Resource{}
	for _, r := range rows {
		if r.Generation == 0 {
			byID[r.ID] = r
		}
	}
	finished := true
	for _, want := range plan.Resources() {
		r, there := byID[want.ID]
		if r.Mark == mark {
			finished = finished && r.State == done
			continue
		}
		finished = false
		if slices.ContainsFunc(want.DependsOn, func(d string) bool { return byID[d].Mark != mark || byID[d].State != done }) {
			continue
		}
		if !there {
			r = Resource{Stack: st.ID, ID: want.ID, Made: Made{Type: want.Type}}
			r.Fresh = true
		}
		r.task = task{Mark: mark, State: asked, Token: newUUID(), Fresh: r.Fresh || r.Physical == "", Name: s.newName(st, want.ID, want.Type)}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		if err := s.begin(ctx, tx, st, r, 0); err != nil {
			return err
		}
	}
	if !finished {
		return nil
	}
	return s.finishMaking(ctx, tx, st, rows, plan)
}

// newName is what a resource is called that the template does not name.
func (s *Stacks) newName(st Stack, id, typ string) string {
	t, _ := s.kinds.Type(typ)
	return makeName(st.Name, id, rand.Text()[:12], t.Naming)
}

func makeName(stack, id, random string, n kind.Naming) string {
	room := 255
	if n.Max > 0 {
		room = n.Max
	}
	room -= len(random) + 2
	if len(stack)+len(id) > room {
		stack = stack[:min(len(stack), max(room-len(id), room/2))]
		id = id[:min(len(id), room-len(stack))]
	}
	name := strings.Join([]string{stack, id, random}, "-")
	if n.Lower {
		return strings.ToLower(name)
	}
	return name
}

// finishMaking gives the stack what the template says, and has what is no longer
// in it deleted.
func (s *Stacks) finishMaking(ctx context.Context, tx *db.Tx, st Stack, rows []Resource, plan *planned) error {
	for i, r := range rows {
		wanted := slices.ContainsFunc(plan.Resources(), func(w template.Resource) bool { return w.ID == r.ID })
		switch {
		case r.Generation > 0:
			continue
		case !wanted:
			if err := s.leaveBehind(ctx, tx, st, rows, r, r.Made, r.OnDelete); err != nil {
				return err
			}
			if err := dropResource(ctx, tx, r); err != nil {
				return err
			}
			rows[i].Generation = -1
		case r.Previous != nil && r.Previous.Physical != r.Physical:
			if err := s.leaveBehind(ctx, tx, st, rows, r, *r.Previous, r.Previous.OnReplace); err != nil {
				return err
			}
		}
	}
	if failure, err := s.giveBack(ctx, tx, &st, rows, plan); err != nil {
		return err
	} else if failure != "" {
		st.Operation.Failed, st.Operation.Reason = true, failure
		if err := putStack(ctx, tx, st); err != nil {
			return err
		}
		return s.next(ctx, tx, st)
	}
	text, err := templateOf(ctx, tx, st.ID, coming)
	if err != nil {
		return err
	}
	if err := putTemplate(ctx, tx, st.ID, present, text); err != nil {
		return err
	}
	if err := dropTemplate(ctx, tx, st.ID, coming); err != nil {
		return err
	}
	if strings.HasPrefix(st.Status, createWord) {
		return s.settle(ctx, tx, st, createWord+complete, "")
	}
	return s.enter(ctx, tx, st, Cleaning, updateWord+cleanup, "")
}

// leaveBehind keeps a resource for the clean-up.
func (s *Stacks) leaveBehind(ctx context.Context, tx *db.Tx, st Stack, rows []Resource, of Resource, m Made, policy string) error {
	if m.Physical == "" && !isCustom(m.Type) {
		return nil
	}
	generation := 1
	for _, r := range rows {
		if r.ID == of.ID {
			generation = max(generation, r.Generation+1)
		}
	}
	m.OnDelete = policy
	left := Resource{Stack: st.ID, ID: of.ID, Generation: generation, Status: of.Status, Updated: of.Updated, Made: m}
	left.Called, left.Name = of.Called, of.Name
	return putResource(ctx, tx, st, left)
}

// lookFailed waits for what is under way, and has what was done undone.
func (s *Stacks) lookFailed(ctx context.Context, tx *db.Tx, st Stack, rows []Resource) error {
	mark := st.Operation.mark()
	for i, r := range rows {
		switch {
		case r.Mark == mark && r.State == waiting:
			r.State, r.Status, r.Reason, r.Updated = broken, verbOf(r)+failed, "Resource "+nounOf(r)+" cancelled", s.Now()
			if err := s.resourceEvent(ctx, tx, st, r); err != nil {
				return err
			}
			if err := putResource(ctx, tx, st, r); err != nil {
				return err
			}
			rows[i] = r
		case r.busy(mark):
			return nil // its end asks for another look
		}
	}
	reason := st.Operation.Reason
	if names := idsOf(rows, func(r Resource) bool { return r.Mark == mark && r.State == broken }); len(names) > 0 {
		reason = fmt.Sprintf("The following resource(s) failed to %s: [%s]. ", strings.ToLower(strings.SplitN(st.Status, "_", 2)[0]), strings.Join(names, ", "))
	}
	creating := strings.HasPrefix(st.Status, createWord)
	switch {
	case creating && (st.Operation.Delete || st.OnFailure == "DELETE"):
		st.Operation.Delete = false
		return s.enter(ctx, tx, st, Removing, deleteWord+inProgress, reason)
	case creating && (st.KeepFailed || st.OnFailure == "DO_NOTHING"):
		return s.settle(ctx, tx, st, createWord+failed, reason)
	case creating:
		return s.enter(ctx, tx, st, Undoing, rollbackWord+inProgress, reason+"Rollback requested by user.")
	case st.KeepFailed:
		return s.keepFailed(ctx, tx, st, rows, reason)
	}
	return s.enter(ctx, tx, st, Reverting, updateRollback+inProgress, reason)
}

// keepFailed ends an update that is not to be rolled back.
func (s *Stacks) keepFailed(ctx context.Context, tx *db.Tx, st Stack, rows []Resource, reason string) error {
	for _, r := range rows {
		if r.Previous == nil || r.Previous.Physical == r.Physical {
			continue
		}
		if r.Physical == "" {
			r.Made = *r.Previous // its replacement was not made
		} else if err := s.leaveBehind(ctx, tx, st, rows, r, *r.Previous, r.Previous.OnReplace); err != nil {
			return err
		}
		r.Previous = nil
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
	}
	return s.settle(ctx, tx, st, updateWord+failed, reason)
}

func idsOf(rows []Resource, which func(Resource) bool) (ids []string) {
	for _, r := range rows {
		if which(r) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// verbOf is the word of a resource's statuses, nounOf the one of its reasons.
func verbOf(r Resource) string {
	if r.Do == doUpdate || r.Previous != nil {
		return updateWord
	}
	return createWord
}

func nounOf(r Resource) string {
	if verbOf(r) == updateWord {
		return "update"
	}
	return "creation"
}

// lookReverting has each resource that the update changed changed back, after
// those that it depended on.
func (s *Stacks) lookReverting(ctx context.Context, tx *db.Tx, st Stack, rows []Resource) error {
	mark, left := st.Operation.mark(), map[string]bool{}
	for _, r := range rows {
		if r.Generation == 0 && r.Previous != nil && !r.ended(mark) {
			left[r.ID] = true
		}
	}
	for i, r := range rows {
		if !left[r.ID] || r.Generation > 0 || r.Mark == mark {
			continue
		}
		if r.Do == doCreate { // of a replacement: the former one is still there
			if err := s.putBack(ctx, tx, st, rows, r); err != nil {
				return err
			}
			delete(left, r.ID)
			continue
		}
		if slices.ContainsFunc(r.Previous.DependsOn, func(d string) bool { return left[d] && d != r.ID }) {
			continue
		}
		r.task = task{Mark: mark, State: asked, Token: newUUID(), Do: doRevert}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		if err := s.begin(ctx, tx, st, r, 0); err != nil {
			return err
		}
		rows[i] = r
	}
	if len(left) > 0 {
		return nil
	}
	return s.finishReverting(ctx, tx, st)
}

// putBack makes the former resource that of the stack again.
func (s *Stacks) putBack(ctx context.Context, tx *db.Tx, st Stack, rows []Resource, r Resource) error {
	if err := s.leaveBehind(ctx, tx, st, rows, r, r.Made, ""); err != nil {
		return err
	}
	r.Made, r.Previous = *r.Previous, nil
	r.Status, r.Reason, r.Updated = updateWord+complete, "", s.Now()
	r.task = task{Mark: st.Operation.mark(), State: done}
	if err := s.resourceEvent(ctx, tx, st, r); err != nil {
		return err
	}
	return putResource(ctx, tx, st, r)
}

// finishReverting gives the stack what it had before, and has what the update
// made deleted.
func (s *Stacks) finishReverting(ctx context.Context, tx *db.Tx, st Stack) error {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	mark := st.Operation.mark()
	if names := idsOf(rows, func(r Resource) bool { return r.Mark == mark && r.State == broken }); len(names) > 0 {
		return s.settle(ctx, tx, st, updateRollback+failed, fmt.Sprintf("The following resource(s) failed to update: [%s]. ", strings.Join(names, ", ")))
	}
	for _, r := range rows {
		if r.Generation > 0 || !r.Fresh {
			continue
		}
		if err := s.leaveBehind(ctx, tx, st, rows, r, r.Made, ""); err != nil {
			return err
		}
		if err := dropResource(ctx, tx, r); err != nil {
			return err
		}
	}
	st.Settings = st.Operation.Before
	if err := dropTemplate(ctx, tx, st.ID, coming); err != nil {
		return err
	}
	return s.enter(ctx, tx, st, Cleaning, updateRollback+cleanup, "")
}

// retains reports whether a resource stays when the stack lets go of it.
func (st Stack) retains(r Resource) bool {
	switch r.OnDelete {
	case "Retain":
		return true
	case "RetainExceptOnCreate":
		return st.Operation.Phase != Undoing
	}
	return slices.Contains(st.Operation.Retain, r.ID)
}

// lookDeleting has each resource deleted that no other one depends on any more.
func (s *Stacks) lookDeleting(ctx context.Context, tx *db.Tx, st Stack, rows []Resource) error {
	mark, running := st.Operation.mark(), false
	var set []Resource
	for _, r := range rows {
		if (st.Operation.Phase == Cleaning) == (r.Generation > 0) || r.Generation > 0 {
			set = append(set, r)
		}
	}
	// What is left alone ends at once, and so lets go of others.
	for i, r := range set {
		if r.Mark == mark {
			continue
		}
		over, err := s.leaveAlone(ctx, tx, st, r)
		if err != nil {
			return err
		}
		if over {
			set[i].Mark, set[i].State = mark, done
		}
	}
	for _, r := range set {
		switch {
		case r.ended(mark):
			continue
		case r.Mark == mark:
			running = true
			continue
		case slices.ContainsFunc(set, func(o Resource) bool {
			return (o.Mark != mark || o.State != done) && o.ID != r.ID && slices.Contains(o.DependsOn, r.ID)
		}):
			continue // it stays if what depends on it cannot be deleted
		}
		running = true
		r.task = task{Mark: mark, State: asked, Token: newUUID(), Do: doDelete, Name: r.Name}
		if err := putResource(ctx, tx, st, r); err != nil {
			return err
		}
		if err := s.begin(ctx, tx, st, r, 0); err != nil {
			return err
		}
	}
	if running {
		return nil
	}
	return s.finishDeleting(ctx, tx, st)
}

// leaveAlone ends the deletion of a resource that is not to be deleted, or was not
// made.
func (s *Stacks) leaveAlone(ctx context.Context, tx *db.Tx, st Stack, r Resource) (over bool, err error) {
	switch {
	case r.Status == deleteWord+complete || r.Status == deleteSkipped:
		return true, nil
	case r.Physical == "" && !(isCustom(r.Type) && r.Called):
		if r.Generation > 0 || r.Status == "" {
			return true, dropResource(ctx, tx, r)
		}
		r.Status, r.Reason, r.Updated = deleteWord+complete, "", s.Now()
	case st.retains(r):
		r.Status, r.Reason, r.Updated = deleteSkipped, "", s.Now()
	default:
		return false, nil
	}
	if err := s.resourceEvent(ctx, tx, st, r); err != nil {
		return false, err
	}
	if r.Generation > 0 {
		return true, dropResource(ctx, tx, r)
	}
	r.task = task{Mark: st.Operation.mark(), State: done}
	return true, putResource(ctx, tx, st, r)
}

// finishDeleting ends an operation whose resources are gone.
func (s *Stacks) finishDeleting(ctx context.Context, tx *db.Tx, st Stack) error {
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	mark, reason := st.Operation.mark(), ""
	if names := idsOf(rows, func(r Resource) bool { return r.Mark == mark && r.State == broken }); len(names) > 0 {
		reason = fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(names, ", "))
	}
	switch st.Operation.Phase {
	case Cleaning:
		for _, r := range rows {
			if r.Generation > 0 { // AWS gives those up that it cannot delete
				if err := dropResource(ctx, tx, r); err != nil {
					return err
				}
			}
		}
		return s.settle(ctx, tx, st, strings.TrimSuffix(st.Status, cleanup)+complete, "")
	case Undoing:
		if reason != "" {
			return s.settle(ctx, tx, st, rollbackWord+failed, reason)
		}
		return s.settle(ctx, tx, st, rollbackWord+complete, "")
	}
	if reason != "" {
		return s.settle(ctx, tx, st, deleteWord+failed, reason)
	}
	st.Deleted = s.Now()
	if err := s.forget(ctx, tx, st); err != nil {
		return err
	}
	return s.settle(ctx, tx, st, deleteWord+complete, "")
}
