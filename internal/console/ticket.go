package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/store"
)

// A ticket is failures as Markdown, for whoever has to mend them.
type ticket struct {
	Text  string
	Lines int
	More  bool
	Back  string
}

// showTicket writes what was picked, or all that fails a rule.
func showTicket(v *visit) (*page, error) {
	name := v.q.Get("rule")
	var all []store.Judgment
	more := false
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if picks := v.q["pick"]; len(picks) > 0 {
			all, err = picked(ctx, tx, v, name, picks)
			return err
		}
		all, _, more, err = failuresOf(ctx, tx, v, name, failurePosition{}, maxMarkdown)
		return err
	})
	if err != nil {
		return nil, err
	}
	all = all[:min(len(all), maxMarkdown)]
	return &page{Title: "A ticket on " + name, Template: "ticket", Data: ticket{markdown(v, name, all), len(all), more, v.link("wrong", "rule", name)}}, nil
}

// picked are the verdicts of a rule on resources that the address names.
func picked(ctx context.Context, tx *db.Tx, v *visit, name string, picks []string) ([]store.Judgment, error) {
	var all []store.Judgment
	for _, text := range picks {
		var k config.ResourceKey
		if json.Unmarshal([]byte(text), &k) != nil || !v.allowed(k.Account) {
			continue
		}
		some, err := store.JudgmentsOn(ctx, tx, k, maxVerdicts)
		if err != nil {
			return nil, err
		}
		for _, j := range some {
			if j.Rule == name {
				all = append(all, j)
			}
		}
	}
	return all, nil
}

func markdown(v *visit, name string, all []store.Judgment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s\n\nAs of %s UTC.\n\n", markdownText(name), counted(int64(len(all)), "resource does not comply", "resources do not comply"), shortTime(v.now))
	b.WriteString("| resource | type | account | region | since | rule says |\n|---|---|---|---|---|---|\n")
	for _, j := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", markdownText(j.Key.ID), markdownText(j.Key.Type), j.Key.Account, j.Key.Region,
			shortTime(j.Turned), markdownText(j.Annotation))
	}
	return b.String()
}

// markdownText writes a text that is no markup.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "[", `\[`, "`", "\\`", "*", `\*`).Replace(s)
}
