package ruledev

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/rule"
	"plumb/internal/rule/managed"
	"plumb/internal/rule/view"
	"plumb/internal/rulebench"
	"plumb/internal/rulefile"
)

// maxOthers is how many resources of a type a rule may look through, when it is
// evaluated again to say why.
const maxOthers = 1000

// Why prints what a rule says of a recorded resource, and what decided it.
func Why(ctx context.Context, b *rulebench.Bench, c *managed.Catalogue, s *Session, name string, key config.ResourceKey) error {
	st, err := b.Describe(ctx, name)
	if err != nil {
		return err
	}
	verdicts, err := b.Verdicts(ctx, name)
	if err != nil {
		return err
	}
	p := &page{s.Out, s.Color}
	told := false
	for _, v := range verdicts {
		if v.Type == key.Type && v.ID == key.ID {
			told = true
			fmt.Fprintf(p.w, "%s says of %s %s: %s\n", name, v.Type, v.ID, p.in(colorOf(v.Compliance), string(v.Compliance)))
			if v.Annotation != "" {
				fmt.Fprintf(p.w, "  %s\n", v.Annotation)
			}
			fmt.Fprintf(p.w, "  evaluated %s\n", v.Invoked.UTC().Format("2006-01-02 15:04:05 MST"))
		}
	}
	if !told {
		fmt.Fprintf(p.w, "%s says nothing of %s %s\n", name, key.Type, key.ID)
	}
	if st.Error != "" {
		fmt.Fprintf(p.w, "  its last failure: %s: %s\n", st.Error, st.Message)
	}
	if st.Owner == config.OwnerLambda {
		function := st.Identifier[strings.LastIndex(st.Identifier, ":")+1:]
		fmt.Fprintf(p.w, "  it is the function %s: \"plumb logs %s\" shows what it printed, \"plumb rule run %s %s/%s\" asks it again\n",
			function, function, name, key.Type, key.ID)
		return nil
	}
	return decided(ctx, b, c, p, st, key)
}

// decided prints what an in-process rule is decided by now.
func decided(ctx context.Context, b *rulebench.Bench, c *managed.Catalogue, p *page, st rulebench.Status, key config.ResourceKey) error {
	it, err := b.Item(ctx, key.Type, key.ID)
	if err != nil {
		return err
	}
	r := rulefile.Rule{Kind: rulefile.Managed, Identifier: st.Identifier, Name: st.Rule, Path: st.Rule}
	var finds []string
	if st.Owner == config.OwnerPolicy {
		r.Kind, r.Text = rulefile.Policy, st.Policy
	} else if file, err := c.File(st.Identifier); err == nil {
		fmt.Fprintf(p.w, "  %s: %s\n", st.Identifier, file.Description)
		finds = file.Finds
	}
	if st.Parameters != "" {
		if err := json.Unmarshal([]byte(st.Parameters), &r.Parameters); err != nil {
			return err
		}
	}
	e, err := r.Evaluator(c)
	if err != nil {
		fmt.Fprintf(p.w, "  %s\n", p.in(red, err.Error()))
		return nil
	}
	v, err := beside(ctx, b, finds)
	if err != nil {
		return err
	}
	compliance, annotation, err := e.Evaluate(it, v)
	if err != nil {
		fmt.Fprintf(p.w, "  evaluated now: %s\n", p.in(red, err.Error()))
	} else {
		fmt.Fprintf(p.w, "  evaluated now, on the item of %s: %s  %s\n", it.CaptureTime.UTC().Format("2006-01-02 15:04:05 MST"),
			p.in(colorOf(compliance), string(compliance)), annotation)
	}
	printReasons(p, e, it, v)
	return nil
}

func printReasons(p *page, e rule.Evaluator, it config.Item, v view.View) {
	w, ok := e.(reasoner)
	if !ok {
		return
	}
	why, err := w.Why(it, v)
	if err != nil {
		why = []string{err.Error()}
	}
	for _, line := range why {
		fmt.Fprintf(p.w, "    %s\n", line)
	}
}

// beside reads the resources that a rule looks through.
func beside(ctx context.Context, b *rulebench.Bench, types []string) (view.Fixed, error) {
	v := view.Fixed{At: managed.Beside().At}
	if len(types) == 0 {
		return v, nil
	}
	keys, err := b.Recorded(ctx, types, maxOthers)
	if err != nil {
		return v, err
	}
	for _, k := range keys {
		it, err := b.Item(ctx, k.Type, k.ID)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, it)
	}
	return v, nil
}

// Run has a rule of a server evaluate again, one resource or all that is recorded,
// and prints what it says.
func (s *Session) Run(ctx context.Context, b *rulebench.Bench, name string, key *config.ResourceKey) error {
	st, err := b.Describe(ctx, name)
	if err != nil {
		return err
	}
	p := &page{s.Out, s.Color}
	if key != nil && st.Owner == config.OwnerLambda {
		l := look{Occasion: rulebench.Occasion{Type: key.Type, ID: key.ID}}
		a, err := b.Ask(ctx, name, l.Occasion)
		if err != nil {
			return err
		}
		p.answer(l, a.In("."), "", nil)
		return nil
	}
	if err := b.Evaluate(ctx, name); err != nil {
		return err
	}
	if err := b.Drain(ctx); err != nil {
		return err
	}
	if st, err = b.Describe(ctx, name); err != nil {
		return err
	}
	verdicts, err := b.Verdicts(ctx, name)
	if err != nil {
		return err
	}
	shown := 0
	for _, v := range verdicts {
		if key == nil && v.Compliance != config.NotApplicable || key != nil && v.Type == key.Type && v.ID == key.ID {
			shown++
			fmt.Fprintf(p.w, "  %s %s  %s  %s\n", v.Type, v.ID, p.in(colorOf(v.Compliance), string(v.Compliance)), v.Annotation)
		}
	}
	if shown == 0 {
		fmt.Fprintf(p.w, "  %s gave no verdict\n", name)
	}
	if st.Error != "" {
		fmt.Fprintf(p.w, "  %s\n", p.in(red, st.Error+": "+st.Message))
	}
	return nil
}
