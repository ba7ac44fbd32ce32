package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"plumb/internal/config"
	"plumb/internal/fixture"
	"plumb/internal/rule"
	"plumb/internal/scaffold"
	"plumb/internal/store"
)

// maxTesting is how long the tests of a draft may take together: somebody waits.
const maxTesting = 30 * time.Second

// A draftAnswer is what a draft said when it was saved, as it is kept.
type draftAnswer struct {
	Compliance string       `json:"compliance,omitempty"`
	Annotation string       `json:"annotation,omitempty"`
	Why        []string     `json:"why,omitempty"`
	Log        string       `json:"log,omitempty"`
	Error      string       `json:"error,omitempty"`
	Trace      []string     `json:"trace,omitempty"`
	Took       float64      `json:"took"` // milliseconds
	Tests      []testAnswer `json:"tests,omitempty"`
}

// A testAnswer is what came of a test.
type testAnswer struct {
	Name string `json:"name"`
	Pass bool   `json:"pass"`
	Said string `json:"said,omitempty"` // where it fails
}

func readAnswer(d store.ConsoleDraft) *draftAnswer {
	if d.Answer == "" {
		return nil
	}
	var a draftAnswer
	_ = json.Unmarshal([]byte(d.Answer), &a) // we wrote it
	return &a
}

func (a *draftAnswer) tests() []testAnswer {
	if a == nil {
		return nil
	}
	return a.Tests
}

// cell is the answer in a table.
func (a *draftAnswer) cell() cell {
	switch {
	case a.Error != "":
		return cell{Text: short(a.Error, 60), Kind: "code"}
	case a.Compliance == "":
		return faint("nothing")
	}
	return verdict(config.Compliance(a.Compliance))
}

func isFunction(language string) bool {
	return language == scaffold.Python || language == scaffold.Node
}

// ruleOf is a draft as a rule.
func ruleOf(d store.ConsoleDraft) config.Rule {
	r := config.Rule{Place: d.Place, Name: d.Name, InputParameters: d.Parameters}
	if len(d.Types) > 0 {
		r.Scope = &config.Scope{Types: d.Types}
	}
	switch {
	case d.Language == scaffold.Guard:
		r.Source = config.Source{Owner: config.OwnerPolicy, Policy: &config.Policy{Text: d.Text}}
	case isFunction(d.Language):
		r.Source = config.Source{Owner: config.OwnerLambda}
	default:
		r.Source = config.Source{Owner: config.OwnerAWS}
	}
	return r
}

// moduleText finds what only a module of ECMAScript has.
var moduleText = regexp.MustCompile(`(?m)^\s*(?:import|export)\b`)

// functionOf is a draft as a function; its parameters are texts or numbers.
func functionOf(d store.ConsoleDraft) (Function, error) {
	f := Function{Name: d.Name, Text: d.Text, Types: d.Types, File: "rule.py"}
	if d.Language == scaffold.Node {
		f.File = "index.js"
		if moduleText.MatchString(d.Text) {
			f.File = "index.mjs"
		}
	}
	if d.Parameters == "" {
		return f, nil
	}
	var given map[string]any
	if err := json.Unmarshal([]byte(d.Parameters), &given); err != nil {
		return f, wrong("The parameters are no JSON object: " + err.Error())
	}
	f.Parameters = map[string]string{}
	for k, v := range given {
		f.Parameters[k] = leaf(v)
	}
	return f, nil
}

// trialOf compiles a draft. A refusal says why it cannot be.
func (v *visit) trialOf(d store.ConsoleDraft) (rule.Trial, error) {
	t := rule.Trial{Rule: ruleOf(d)}
	if isFunction(d.Language) {
		if v.c.Functions == nil {
			return t, wrong("This server was started without a rule bench for functions: plumb serve has one.")
		}
		f, err := functionOf(d)
		if err != nil {
			return t, err
		}
		t.Compiled = rule.Compiled{Types: d.Types, Evaluator: functionEvaluator{v.ctx, v.c.Functions, f}}
		return t, nil
	}
	var err error
	if d.Language == scaffold.CEL {
		t.Compiled, err = rule.CompileFile(v.Known.Managed, d.Text, d.Parameters)
	} else {
		t.Compiled, err = v.Rules.Compile(t.Rule)
	}
	if err != nil {
		t.Compiled = rule.Compiled{}
		return t, wrong(told(err).Error())
	}
	return t, nil
}

// answer asks a draft about its item and about those of its tests.
func (v *visit) answer(d store.ConsoleDraft) (*draftAnswer, error) {
	begun := time.Now()
	t, err := v.trialOf(d)
	a := &draftAnswer{}
	if err == nil && strings.TrimSpace(d.Item) != "" {
		err = v.askDraft(a, d, t, d.Item)
	}
	if told := (*refusal)(nil); errors.As(err, &told) {
		a.Error, err = told.text, nil
	}
	if err != nil {
		return nil, err
	}
	a.Took = float64(time.Since(begun).Microseconds()) / 1000
	begun = time.Now()
	for _, test := range readTests(d) {
		one := draftAnswer{Error: a.Error}
		switch {
		case t.Compiled.Evaluator == nil:
		case time.Since(begun) > maxTesting:
			one.Error = "it was not asked: those before it took too long"
		default:
			one = draftAnswer{}
			if err := v.askDraft(&one, d, t, test.Item); err != nil {
				if told := (*refusal)(nil); !errors.As(err, &told) {
					return nil, err
				}
				one.Error = err.Error()
			}
		}
		a.Tests = append(a.Tests, test.compare(one))
	}
	return a, nil
}

func (t draftTest) compare(a draftAnswer) testAnswer {
	out := testAnswer{Name: t.Name}
	switch {
	case a.Error != "":
		out.Said = a.Error
	case a.Compliance != t.Compliance:
		out.Said = fmt.Sprintf("it says %s, and must say %s", a.Compliance, t.Compliance)
	case a.Annotation != t.Annotation:
		out.Said = fmt.Sprintf("it says %q, and must say %q", a.Annotation, t.Annotation)
	default:
		out.Pass = true
	}
	return out
}

// askDraft asks about one item.
func (v *visit) askDraft(a *draftAnswer, d store.ConsoleDraft, t rule.Trial, item string) error {
	it, err := itemOf(d, item)
	if err != nil {
		return wrong("The item cannot be read: " + err.Error())
	}
	if e, ok := t.Compiled.Evaluator.(functionEvaluator); ok {
		f, err := v.c.Functions.Ask(v.ctx, e.f, it)
		a.Compliance, a.Annotation, a.Log, a.Error, a.Trace = string(f.Compliance), f.Annotation, f.Log, f.Error, f.Trace
		return err
	}
	if it, err = decoded(it); err != nil {
		return wrong("The item's configuration cannot be read: " + err.Error())
	}
	it.Place = d.Place
	decision, err := v.Rules.DecideBy(v.ctx, t.Rule, t.Compiled, it)
	if err != nil {
		a.Error = told(err).Error()
		return nil
	}
	a.Compliance, a.Annotation, a.Why = string(decision.Compliance), config.Annotation(decision.Annotation), decision.Why
	return nil
}

// itemOf reads an item as somebody wrote it.
func itemOf(d store.ConsoleDraft, text string) (config.Item, error) {
	in := fixture.Defaults{Place: d.Place}
	if len(d.Types) > 0 {
		in.Type = d.Types[0]
	}
	return fixture.Read([]byte(text), in)
}

// oneLine is an item of a draft in a line of JSON, for a file of tests.
func oneLine(d store.ConsoleDraft, item string) string {
	it, err := itemOf(d, item)
	if err != nil {
		return jsonText(item)
	}
	text, err := json.Marshal(it)
	if err != nil {
		return jsonText(item)
	}
	return string(text)
}
