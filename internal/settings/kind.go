package settings

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The constructors of this file make rows of the table: how a value is read
// from a node of the file (a flag or variable is turned into one) and shown.

type durationField time.Duration

func text(name, kind string, field func(*Settings) *string, help, example string) Setting {
	return Setting{
		Name: name, Kind: kind, Help: help, Example: example,
		get: func(s *Settings) string { return *field(s) },
		set: func(s *Settings, v *yaml.Node) error { return scalar(v, field(s)) },
	}
}

func secret(name, kind string, field func(*Settings) *string, help, example string) Setting {
	return text(name, kind, field, help, example).hide()
}

func choice[T ~string](name string, field func(*Settings) *T, help string, options ...T) Setting {
	var words []string
	for _, o := range options {
		words = append(words, string(o))
	}
	return Setting{
		Name: name, Kind: strings.Join(words, "|"), Help: help, Example: words[len(words)-1], Choices: words,
		get: func(s *Settings) string { return string(*field(s)) },
		set: func(s *Settings, v *yaml.Node) error {
			var word string
			if err := scalar(v, &word); err != nil {
				return err
			}
			if !slices.Contains(words, word) {
				return fmt.Errorf("%q is none of %s", word, strings.Join(words, ", "))
			}
			*field(s) = T(word)
			return nil
		},
	}
}

func toggle(name string, field func(*Settings) *bool, help string) Setting {
	return Setting{
		Name: name, Kind: "true|false", Help: help, Example: "true", Switch: true, Choices: []string{"true", "false"},
		get: func(s *Settings) string { return strconv.FormatBool(*field(s)) },
		set: parsed(field, strconv.ParseBool, "want true or false"),
	}
}

func number[T int | int64](name string, field func(*Settings) *T, help, example string) Setting {
	parse := func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		return T(n), err
	}
	return Setting{
		Name: name, Kind: "NUMBER", Help: help, Example: example,
		get: func(s *Settings) string { return strconv.FormatInt(int64(*field(s)), 10) },
		set: parsed(field, parse, "want a whole number"),
	}
}

// countOrAuto is a number of 1 or more, or the word auto, which is kept as 0.
func countOrAuto(name string, field func(*Settings) *int, help, example string) Setting {
	parse := func(s string) (int, error) {
		if s == auto {
			return 0, nil
		}
		n, err := strconv.Atoi(s)
		if err == nil && n < 1 {
			err = errors.New("too small")
		}
		return n, err
	}
	return Setting{
		Name: name, Kind: "NUMBER|auto", Help: help, Example: example,
		get: func(s *Settings) string {
			if n := *field(s); n > 0 {
				return strconv.Itoa(n)
			}
			return auto
		},
		set: parsed(field, parse, "want a whole number from 1 on, or auto"),
	}
}

// auto is the value of settings that follow the machine.
const auto = "auto"

func duration(name string, field func(*Settings) *durationField, help, example string) Setting {
	parse := func(s string) (durationField, error) {
		d, err := time.ParseDuration(s)
		return durationField(d), err
	}
	return Setting{
		Name: name, Kind: "DURATION", Help: help, Example: example,
		get: func(s *Settings) string { return shortDuration(time.Duration(*field(s))) },
		set: parsed(field, parse, "want a duration such as 30s, 5m or 1h"),
	}
}

// shortDuration writes 1m for 1m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// structure is a setting with an inside; as a flag or variable it is YAML too.
func structure[T any](name, kind string, field func(*Settings) *[]T, help, example string) Setting {
	return Setting{
		Name: name, Kind: kind, Help: help, Example: example,
		get: func(s *Settings) string {
			if len(*field(s)) == 0 {
				return ""
			}
			return fmt.Sprintf("%d entries", len(*field(s)))
		},
		set: func(s *Settings, v *yaml.Node) error {
			v, err := inside(v)
			if err != nil {
				return fmt.Errorf("want a YAML list such as %s", example)
			}
			return list(v, field(s))
		},
	}
}

var errNoYAML = errors.New("this is no YAML")

// inside reads the YAML of a flag or variable, which has no line, and leaves a node of the file as it is.
func inside(v *yaml.Node) (*yaml.Node, error) {
	if v.Kind != yaml.ScalarNode || v.Line != 0 {
		return v, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(v.Value), &doc); err != nil || len(doc.Content) != 1 {
		return nil, errNoYAML
	}
	return doc.Content[0], nil
}

// list decodes a node strictly: a member that T does not have is an error.
func list[T any](v *yaml.Node, into *[]T) error {
	if v.Kind != yaml.SequenceNode {
		return fmt.Errorf("want a list")
	}
	text, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	var out []T
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&out); err != nil {
		return shift(err, v.Line-1)
	}
	*into = out
	return nil
}

// shift turns the decoder's report, which counts lines from the list's own
// start and names Go types, into one about the file.
func shift(err error, by int) error {
	var t *yaml.TypeError
	if !errors.As(err, &t) || len(t.Errors) == 0 {
		return err
	}
	first := t.Errors[0]
	var line int
	rest := first
	if _, err := fmt.Sscanf(first, "line %d:", &line); err == nil {
		_, rest, _ = strings.Cut(first, ": ")
	}
	if what, _, ok := strings.Cut(rest, " not found in type "); ok {
		rest = strings.Replace(what, "field ", "unknown key ", 1)
	}
	if line > 0 && by >= 0 {
		return lineError{line + by, rest}
	}
	return errors.New(rest)
}

// A lineError knows the line better than the one who passes it on.
type lineError struct {
	line int
	text string
}

// Error is the text with its line.
func (e lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func parsed[T any](field func(*Settings) *T, parse func(string) (T, error), want string) func(*Settings, *yaml.Node) error {
	return func(s *Settings, v *yaml.Node) error {
		var word string
		if err := scalar(v, &word); err != nil {
			return err
		}
		value, err := parse(word)
		if err != nil {
			return fmt.Errorf("%q: %s", word, want)
		}
		*field(s) = value
		return nil
	}
}

// scalar takes the text of a plain value, as written: an account of twelve
// digits keeps its leading zeros.
func scalar(v *yaml.Node, into *string) error {
	if v.Kind != yaml.ScalarNode {
		return fmt.Errorf("want a single value")
	}
	*into = v.Value
	return nil
}
