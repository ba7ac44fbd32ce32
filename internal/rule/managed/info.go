package managed

import (
	"fmt"
	"strings"
)

// A Trigger says what makes AWS Config run a rule.
type Trigger string

// The triggers. NewChange rules see changes only: putting the rule or asking for
// an evaluation does not run them on what is already there. Nothing runs a rule
// of trigger None: its verdicts are put by PutExternalEvaluation.
const (
	Change    Trigger = "change"
	Periodic  Trigger = "periodic"
	Both      Trigger = "both"
	NewChange Trigger = "new"
	None      Trigger = "none"
)

// OnChange reports whether a configuration change runs the rule.
func (t Trigger) OnChange() bool { return t == Change || t == Both || t == NewChange }

// OnSchedule reports whether the clock runs the rule.
func (t Trigger) OnSchedule() bool { return t == Periodic || t == Both }

func parseTrigger(s string) (Trigger, error) {
	switch t := Trigger(s); t {
	case Change, Periodic, Both, NewChange, None:
		return t, nil
	}
	return "", fmt.Errorf("the trigger %q is none of change, periodic, both, new, none", s)
}

// Info is what AWS's guide says of a managed rule.
type Info struct {
	Identifier  string // INCOMING_SSH_DISABLED
	DefaultName string // restricted-ssh: what the console names a rule made of it
	Trigger     Trigger
	Types       []string // resource types; none for rules on the account
	Parameters  []Parameter
	Evaluated   bool // Plumb has an evaluator for it
	Proactive   bool // AWS evaluates with it before a resource is there

	stencil stencil // that makes its file
	own     []byte  // the text of a user's own file
}

// A Parameter of a rule. In the identifiers a default is what the console fills
// in, never the API; in a rule's file it is what an absent parameter means.
type Parameter struct {
	Name     string
	Kind     string // String, CSV, int, double, boolean, StringMap
	Optional bool
	Default  string
	Raw      bool    // the check reads the text as it was given, whatever its kind
	Ignored  bool    // AWS Config takes it and it decides nothing
	Domain   *Domain // nil: any value of the kind
}

// parseIdentifiers reads identifiers.tsv.
func parseIdentifiers(tsv string) (map[string]Info, []string, error) {
	known := map[string]Info{}
	var order []string
	number := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(tsv, "\n"), "\n") {
		number++
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "identifier\t") {
			continue
		}
		info, err := parseInfo(strings.Split(line, "\t"))
		if err != nil {
			return nil, nil, fmt.Errorf("identifiers.tsv:%d: %w", number, err)
		}
		known[info.Identifier] = info
		order = append(order, info.Identifier)
	}
	return known, order, nil
}

func parseInfo(fields []string) (Info, error) {
	if len(fields) != 5 {
		return Info{}, fmt.Errorf("%d columns, where identifier, name, trigger, types and parameters are wanted", len(fields))
	}
	trigger, err := parseTrigger(fields[2])
	if err != nil {
		return Info{}, err
	}
	info := Info{Identifier: fields[0], DefaultName: fields[1], Trigger: trigger, Proactive: proactive(fields[0])}
	if fields[3] != "" {
		info.Types = strings.Split(fields[3], ", ")
	}
	if fields[4] == "" {
		return info, nil
	}
	for spec := range strings.SplitSeq(fields[4], ", ") {
		p, err := parseParameter(spec)
		if err != nil {
			return Info{}, err
		}
		info.Parameters = append(info.Parameters, p)
	}
	return info, nil
}

// parseParameter reads name[?]:type[=default].
func parseParameter(spec string) (Parameter, error) {
	name, kind, ok := strings.Cut(spec, ":")
	if !ok {
		return Parameter{}, fmt.Errorf("the parameter %q is not name:type", spec)
	}
	var p Parameter
	p.Name, p.Optional = strings.CutSuffix(name, "?")
	p.Kind, p.Default, _ = strings.Cut(kind, "=")
	return p, checkKind(p.Kind)
}
