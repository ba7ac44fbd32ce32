package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
	"plumb/internal/guard/report"
)

// A Validate evaluates rule files on documents.
type Validate struct {
	Rules           []string // files and folders
	Data            []string // files and folders; standard input if there are none
	InputParameters []string // files and folders that are merged into every document
	Format          string
	ShowSummary     []string // all, pass, fail, skip, none
	LastModified    bool     // folders are read by time instead of by name
	Verbose         bool     // every step is shown as well
	PrintJSON       bool     // every step is shown as JSON as well
	Payload         bool     // rules and documents come from standard input
	Structured      bool     // one JSON, YAML, JUnit or SARIF document for everything
	Version         string   // of the program, for SARIF
}

// Run evaluates and writes, and gives the code to exit with.
func (v *Validate) Run(ctx context.Context, s Streams) (int, error) {
	summary, err := v.summary()
	if err != nil {
		return Error, err
	}
	if err := v.check(summary); err != nil {
		return Error, err
	}
	rules, data, err := v.inputs(s)
	if err != nil {
		return Error, err
	}
	parameters, err := v.parameters()
	if err != nil {
		return Error, err
	}
	code := OK
	for _, r := range rules {
		if r.err != nil {
			fmt.Fprintf(s.Err, "Parsing error handling rule file = %s, Error = %v\n---\n", r.name, r.err)
			code = BadRules
		}
	}
	runs, err := v.evaluate(ctx, rules, data, parameters)
	if err != nil {
		return Error, err
	}
	for _, r := range runs {
		if r.Result.Status == guard.Fail {
			code = v.failed(code)
		}
	}
	return code, v.write(s, data, runs, summary)
}

// failed is the code after a document failed a rule.
func (v *Validate) failed(code int) int {
	if v.Format == JUnit && code == BadRules {
		return code
	}
	return RulesFailed
}

// summary reads which verdicts are wanted in the table.
func (v *Validate) summary() (report.Summary, error) {
	var s report.Summary
	for _, word := range v.ShowSummary {
		switch word {
		case "all":
			s = report.Summary{Pass: true, Fail: true, Skip: true}
		case "pass":
			s.Pass = true
		case "fail":
			s.Fail = true
		case "skip":
			s.Skip = true
		case "none":
			s = report.Summary{}
		default:
			return s, fmt.Errorf("--show-summary takes all, pass, fail, skip or none, not %q", word)
		}
	}
	return s, nil
}

// check refuses flags that do not go together.
func (v *Validate) check(s report.Summary) error {
	switch {
	case !slices.Contains(Formats(), v.Format):
		return fmt.Errorf("there is no output format %q", v.Format)
	case len(v.Rules) == 0 && !v.Payload:
		return errors.New("either --rules or --payload is needed")
	case v.Payload && len(v.Rules)+len(v.Data) > 0:
		return errors.New("--payload cannot be used with --rules or --data")
	case v.Structured && !s.Empty():
		return errors.New("--structured needs --show-summary none")
	case v.Structured && v.Format == SingleLine:
		return errors.New("--structured needs --output-format json, yaml, junit or sarif")
	case v.Structured && (v.Verbose || v.PrintJSON):
		return errors.New("--structured cannot be used with --verbose or --print-json")
	case !v.Structured && (v.Format == JUnit || v.Format == SARIF):
		return fmt.Errorf("--output-format %s needs --structured", v.Format)
	}
	return nil
}

func (v *Validate) inputs(s Streams) ([]ruleFile, []dataFile, error) {
	if v.Payload {
		return payload(s.In)
	}
	data, err := v.data(s.In)
	if err != nil {
		return nil, nil, err
	}
	rules, err := v.ruleFiles()
	return rules, data, err
}

// evaluate runs every rule file on every document: rule file by rule file, or
// document by document where the output gathers by document.
func (v *Validate) evaluate(
	ctx context.Context, rules []ruleFile, data []dataFile, parameters *document.Value,
) ([]*report.Run, error) {
	var runs []*report.Run
	for _, d := range data {
		if parameters != nil {
			merged, err := document.Merge(parameters, d.value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			d.value = merged
		}
		for _, r := range rules {
			if r.err != nil || len(r.rules.File().Rules) == 0 {
				continue
			}
			result, err := r.rules.Evaluate(ctx, d.value, guard.Options{Detail: guard.Everything})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			runs = append(runs, &report.Run{
				RulesName: r.name, DataName: d.name, DataText: d.text, Document: d.value, Rules: r.rules, Result: result,
			})
		}
	}
	if !v.Structured {
		runs = byRules(runs, rules)
	}
	return runs, nil
}

// byRules orders runs by their rule files.
func byRules(runs []*report.Run, rules []ruleFile) []*report.Run {
	ordered := make([]*report.Run, 0, len(runs))
	for _, r := range rules {
		for _, run := range runs {
			if run.Rules == r.rules {
				ordered = append(ordered, run)
			}
		}
	}
	return ordered
}

// write writes one document for everything, or one report after the other.
func (v *Validate) write(s Streams, data []dataFile, runs []*report.Run, summary report.Summary) error {
	if v.Structured {
		var names []string
		for _, d := range data {
			names = append(names, d.name)
		}
		switch v.Format {
		case JSON:
			return report.JSON(s.Out, report.FilesOf(names, runs))
		case YAML:
			return report.YAML(s.Out, report.FilesOf(names, runs))
		case SARIF:
			return report.SARIF(s.Out, report.Files(runs), v.Version)
		default:
			return report.JUnit(s.Out, runs)
		}
	}
	for _, r := range runs {
		if err := v.writeOne(s, r, summary); err != nil {
			return err
		}
	}
	return nil
}

// writeOne writes the report of one rule file on one document.
func (v *Validate) writeOne(s Streams, r *report.Run, summary report.Summary) error {
	var err error
	switch v.Format {
	case SingleLine:
		err = report.Text(s.Out, r, summary)
	case JSON:
		if err = report.Table(s.Out, r, summary); err == nil {
			err = report.OneJSON(s.Out, r)
		}
	default:
		if err = report.Table(s.Out, r, summary); err == nil {
			err = report.OneYAML(s.Out, r)
		}
	}
	if err == nil && v.Verbose {
		err = report.Tree(s.Out, r)
	}
	if err == nil && v.PrintJSON {
		err = report.Events(s.Out, r)
	}
	return err
}
