package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumb/internal/db"
	"plumb/internal/job"
	"plumb/internal/model"
	"plumb/internal/template"
)

// isSpecial reports whether a type is made by this package and not by a service.
func (s *Stacks) isSpecial(typ string) bool { return typ == StackType || isCustom(typ) || isWait(typ) }

// specialReplaces reports whether a change of a special resource makes another
// one. Nested stacks are changed in place; custom resources say it when they
// answer.
func (s *Stacks) specialReplaces(Resource, Made) bool { return false }

// changeSpecial begins or changes a special resource.
func (s *Stacks) changeSpecial(ctx context.Context, st Stack, r Resource) error {
	switch {
	case isCustom(r.Type):
		return s.ask(ctx, st, r)
	case isWait(r.Type):
		return s.await(ctx, st, r)
	}
	return s.nest(ctx, st, r)
}

// removeSpecial begins the end of a special resource.
func (s *Stacks) removeSpecial(ctx context.Context, st Stack, r Resource) error {
	switch {
	case isCustom(r.Type):
		return s.ask(ctx, st, r)
	case isWait(r.Type):
		return s.closeWait(ctx, st, r)
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		child, err := byID(ctx, tx, r.Physical)
		if errors.Is(err, errNotFound) || err == nil && child.Gone() {
			return s.endIn(ctx, tx, st, r, nil)
		}
		if err != nil {
			return err
		}
		err = s.delete(ctx, tx, Deletion{Who: st.who(), Stack: r.Physical, Parent: st.ID})
		if named, ok := errors.AsType[*model.Error](err); ok {
			return s.endIn(ctx, tx, st, r, errors.New(named.Message))
		}
		if err != nil {
			return err
		}
		r.State = waiting
		return putResource(ctx, tx, st, r)
	})
}

// who is for whom the stack is made.
func (st Stack) who() Who { return Who{st.Place, st.By, st.UserID, st.ByRoot} }

// actFor has the stack made for somebody.
func (st *Stack) actFor(w Who) { st.By, st.UserID, st.ByRoot = w.Principal, w.UserID, w.Unbounded }

// nest makes or changes a nested stack. Its end is told by tellParent.
func (s *Stacks) nest(ctx context.Context, st Stack, r Resource) error {
	properties := r.Properties
	if r.Do == doRevert {
		properties = r.Previous.Properties
	}
	q, err := s.nestedRequest(ctx, st, r, properties)
	var c checked
	var child Stack
	switch {
	case err != nil:
	case r.Physical == "":
		c, err = s.check(q, nil, "")
	default:
		q.Stack = r.Physical
		child, c, err = s.checkUpdate(ctx, q)
	}
	if named, ok := errors.AsType[*model.Error](err); ok {
		return s.end(ctx, st, r, errors.New(named.Message))
	}
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		ok, err := s.holds(ctx, tx, &st, r)
		if err != nil || !ok {
			return err
		}
		if r.Physical == "" {
			nested := s.newStack(c)
			r.Physical, r.Reason = nested.ID, "Resource creation Initiated"
			if err = s.beginCreate(ctx, tx, nested, c.Template, ""); err == nil {
				err = s.resourceEvent(ctx, tx, st, r)
			}
		} else {
			err = s.update(ctx, tx, child.ID, c)
		}
		if errors.Is(err, ErrNoChange) {
			return s.endIn(ctx, tx, st, r, nil)
		}
		if named, ok := errors.AsType[*model.Error](err); ok {
			return s.endIn(ctx, tx, st, r, errors.New(named.Message))
		}
		if err != nil {
			return err
		}
		r.State = waiting
		return putResource(ctx, tx, st, r)
	})
}

// nestedRequest is what the properties of a nested stack ask for.
func (s *Stacks) nestedRequest(ctx context.Context, st Stack, r Resource, properties map[string]any) (q Request, err error) {
	q = Request{Who: st.who(), Parent: &st, Stack: fmt.Sprintf("%s-%s-%s", st.Name, r.ID, rand.Text()[:12])}
	q.Role, q.Capabilities, q.KeepFailed = st.Role, st.Capabilities, st.KeepFailed
	q.Tags = slices.Clone(st.Tags)
	var address string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		v := properties[name]
		switch name {
		case "TemplateURL":
			address, _ = template.Text(v)
		case "Parameters":
			m, _ := v.(map[string]any)
			for _, k := range slices.Sorted(maps.Keys(m)) {
				q.Given = append(q.Given, Given{Name: k, Value: listText(m[k])})
			}
		case "Tags":
			q.Tags = append(q.Tags, tagsIn(v)...)
		case "TimeoutInMinutes":
			text, _ := template.Text(v)
			if q.Timeout, err = strconv.Atoi(text); err != nil || q.Timeout < 1 {
				return q, Invalid("TimeoutInMinutes must be a whole number of minutes.")
			}
		case "NotificationARNs":
			for _, a := range listOf(v) {
				q.Notifications = append(q.Notifications, listText(a))
			}
		default:
			return q, Invalid("Properties validation failed for resource %s with message:\n#: extraneous key [%s] is not permitted", r.ID, name)
		}
	}
	q.Template, err = s.Text(ctx, st.Place, "", address)
	return q, err
}

func listOf(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// listText writes a value as the text of a parameter: lists with commas.
func listText(v any) string {
	if text, ok := template.Text(v); ok {
		return text
	}
	list, _ := v.([]any)
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i], _ = template.Text(item)
	}
	return strings.Join(parts, ",")
}

func tagsIn(v any) (out []Tag) {
	for _, item := range listOf(v) {
		m, _ := item.(map[string]any)
		k, _ := template.Text(m["Key"])
		value, _ := template.Text(m["Value"])
		if i := slices.IndexFunc(out, func(t Tag) bool { return t.Key == k }); i < 0 {
			out = append(out, Tag{k, value})
		}
	}
	return out
}

// A told is the job that tells a stack that a nested one ended what it was at. It
// is a job because who holds a parent may ask for its child, and not the other way
// round.
type told struct {
	Child string `json:"child"`
}

// Kind names the job.
func (told) Kind() string { return "stack.told" }

func (s *Stacks) tellParent(ctx context.Context, tx *db.Tx, child Stack) error {
	if child.Parent == "" {
		return nil
	}
	return s.Jobs.Insert(ctx, tx, told{child.ID}, job.Options{})
}

// doTold ends the task of the resource that a stack is in another one.
func (s *Stacks) doTold(ctx context.Context, tx *db.Tx, j job.Job[told]) error {
	child, err := byID(ctx, tx, j.Args.Child)
	if errors.Is(err, errNotFound) || err == nil && child.InProgress() {
		return nil // the end of what it is at tells again
	}
	if err != nil {
		return err
	}
	if err := lock(ctx, tx, child.Parent); err != nil {
		return err
	}
	st, err := byID(ctx, tx, child.Parent)
	if errors.Is(err, errNotFound) {
		return nil
	}
	if err != nil || !st.InProgress() {
		return err
	}
	rows, err := resourcesOf(ctx, tx, st.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r Resource) bool {
		return r.Physical == child.ID && r.State == waiting && r.Mark == st.Operation.mark()
	})
	if i < 0 {
		return nil
	}
	r := rows[i]
	good := createWord + complete
	switch r.Do {
	case doUpdate, doRevert:
		good = updateWord + complete
	case doDelete:
		good = deleteWord + complete
	}
	if child.Status != good {
		return s.endIn(ctx, tx, st, r, because("Embedded stack %s was not successfully %s: %s", child.ID, pastOf(r.Do), child.Reason))
	}
	r.Attributes = map[string]any{}
	for _, o := range child.Outputs {
		r.Attributes["Outputs."+o.Name] = o.Value
	}
	return s.endIn(ctx, tx, st, r, nil)
}

func pastOf(do string) string {
	return map[string]string{doCreate: "created", doUpdate: "updated", doRevert: "updated", doDelete: "deleted"}[do]
}
