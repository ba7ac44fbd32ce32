package managed

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"

	"plumb/rules"
)

// ErrNoEvaluator says that Plumb knows a managed rule and cannot judge by it.
var ErrNoEvaluator = errors.New("plumb has no evaluator for this managed rule")

// maxEvaluators bounds the evaluators kept for reuse; with more, all are made
// anew. An account has at most a thousand rules.
const maxEvaluators = 5000

// A Catalogue knows the managed rules. It is safe for concurrent use. Files are
// read and compiled when their rule is first used, so that loading is quick.
type Catalogue struct {
	known  map[string]Info
	order  []string
	source fs.FS
	env    func() (*cel.Env, error)

	files map[string]func() (*File, error) // each reads and compiles once

	mu         sync.Mutex
	evaluators map[string]*Evaluator
}

// Load reads the identifiers; of the rules' files it reads the names.
func Load() (*Catalogue, error) { return load(rules.Files()) }

func load(source fs.FS) (*Catalogue, error) {
	tsv, err := fs.ReadFile(source, "identifiers.tsv")
	if err != nil {
		return nil, fmt.Errorf("load the managed rules: %w", err)
	}
	known, order, err := parseIdentifiers(string(tsv))
	if err != nil {
		return nil, fmt.Errorf("load the managed rules: %w", err)
	}
	templates, err := stencils(source)
	if err != nil {
		return nil, fmt.Errorf("load the managed rules: %w", err)
	}
	for identifier, info := range known {
		if _, err := fs.Stat(source, FileName(identifier)); err == nil {
			info.Evaluated = true
		} else {
			info.stencil = stencilOf(templates, info)
			info.Evaluated = info.stencil.name != ""
		}
		known[identifier] = info
	}
	c := &Catalogue{
		known: known, order: order, source: source, env: sync.OnceValues(newEnv),
		files: map[string]func() (*File, error){}, evaluators: map[string]*Evaluator{},
	}
	for identifier, info := range known {
		if info.Evaluated {
			c.files[identifier] = sync.OnceValues(func() (*File, error) { return c.readFile(identifier) })
		}
	}
	return c, nil
}

// FileName returns the name of an identifier's file in rules/.
func FileName(identifier string) string {
	return strings.ReplaceAll(strings.ToLower(identifier), "_", "-") + ".yaml"
}

// Known returns what is known of an identifier, and whether it is one.
func (c *Catalogue) Known(identifier string) (Info, bool) {
	info, ok := c.known[identifier]
	return info, ok
}

// All returns every managed rule, by identifier.
func (c *Catalogue) All() []Info {
	list := make([]Info, len(c.order))
	for i, identifier := range c.order {
		list[i] = c.known[identifier]
	}
	return list
}

// CheckParameters checks a rule's InputParameters as PutConfigRule does, with
// its texts. The error is a Refusal. The domains of values are those of the rule's
// file, where it has one.
func (c *Catalogue) CheckParameters(identifier, inputParameters string) error {
	info, ok := c.known[identifier]
	if !ok {
		return unknown(identifier)
	}
	declared := info.Parameters
	if info.Evaluated {
		file, err := c.File(identifier)
		if err != nil {
			return err
		}
		declared = file.Parameters
	}
	values, err := readParameters(declared, inputParameters)
	if err != nil {
		return err
	}
	return checkDomains(declared, values)
}

func unknown(identifier string) error {
	return refuse("The sourceIdentifier %s is invalid.  Please refer to the documentation for a list of "+
		"valid sourceIdentifiers that can be used when AWS is the Owner", identifier)
}

// Evaluator returns the rule's evaluator with its InputParameters read. It is
// compiled once, and nobody waits for the compilation of another rule; asking
// again for the same is a look-up. The error is ErrNoEvaluator when the rule has
// no file.
func (c *Catalogue) Evaluator(identifier, inputParameters string) (*Evaluator, error) {
	key := identifier + "\x00" + inputParameters
	c.mu.Lock()
	e, ok := c.evaluators[key]
	c.mu.Unlock()
	if ok {
		return e, nil
	}
	file, err := c.File(identifier)
	if err != nil {
		return nil, err
	}
	if e, err = file.Evaluator(inputParameters); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.evaluators) >= maxEvaluators {
		clear(c.evaluators)
	}
	c.evaluators[key] = e
	return e, nil
}

// File returns the file of a rule, read and compiled.
func (c *Catalogue) File(identifier string) (*File, error) {
	info, ok := c.known[identifier]
	switch {
	case !ok:
		// It was known when the rule was put: the folder of one's own rules has changed.
		return nil, fmt.Errorf("%s: no rule file has this identifier: %w", identifier, ErrNoEvaluator)
	case !info.Evaluated:
		return nil, fmt.Errorf("%s: %w", identifier, ErrNoEvaluator)
	}
	return c.files[identifier]()
}

func (c *Catalogue) readFile(identifier string) (*File, error) {
	content, err := c.Content(identifier)
	if err != nil {
		return nil, err
	}
	return c.ParseFile(FileName(identifier), content)
}

// Content returns the text of a rule's file, or what its template makes.
func (c *Catalogue) Content(identifier string) (content []byte, err error) {
	switch info := c.known[identifier]; {
	case info.own != nil:
		return info.own, nil
	case info.stencil.name != "":
		content, err = info.stencil.fill(c.source, info)
	default:
		content, err = fs.ReadFile(c.source, FileName(identifier))
	}
	if err != nil {
		return nil, fmt.Errorf("read the managed rule %s: %w", identifier, err)
	}
	return content, nil
}

// Template is the name of the template that makes a rule's file; "" for a rule
// that has a file of its own.
func (c *Catalogue) Template(identifier string) string { return c.known[identifier].stencil.name }

// Evaluated returns the identifiers that have an evaluator, sorted.
func (c *Catalogue) Evaluated() []string {
	var list []string
	for identifier, info := range c.known {
		if info.Evaluated {
			list = append(list, identifier)
		}
	}
	slices.Sort(list)
	return list
}
