package main

import "fmt"

// enums writes a string type for each enum. The empty value means absent.
func (p *packagePlan) enums(t *packageText) error {
	for _, s := range p.enums_ {
		name := p.goName[s.Name]
		seen := map[string]string{}
		t.p("// %s is one of %d values; empty is absent.\ntype %s string\n", name, len(s.Enum), name)
		t.p("// Values of %s.\nconst (", name)
		for _, v := range s.Enum {
			c := name + constant(v)
			if old, dup := seen[c]; dup {
				return fmt.Errorf("%s: %q and %q would both be %s", s.Name, old, v, c)
			}
			seen[c] = v
			t.p("%s %s = %q", c, name, v)
		}
		t.p(")\n")
		t.p("// Values lists them in the order of the model.\nfunc (%s) Values() []%s {\nreturn []%s{", name, name, name)
		for _, v := range s.Enum {
			t.p("%s,", name+constant(v))
		}
		t.p("}\n}\n")
	}
	return nil
}
