package console

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda"
	"plumb/internal/rule"
	"plumb/internal/scaffold"
	"plumb/internal/store"
)

// maxCode is how much code of a function the bench takes, in bytes.
const maxCode = 256 << 10

// doCopy puts a rule that is there on the bench, or leads to it if it is on it.
func doCopy(v *visit) (string, error) {
	form := v.r.PostForm
	d := store.ConsoleDraft{Place: config.Place{Account: form.Get("account"), Region: form.Get("region")}, Changed: v.now}
	var r config.Rule
	found := false
	var other store.ConsoleDraft
	err := v.DB.Read(v.ctx, func(tx *db.Tx) (err error) {
		if r, err = store.Rule(v.ctx, tx, d.Place, form.Get("rule")); err != nil {
			return err
		}
		d.Name = benchName(r.Name)
		other, err = store.ConsoleDraftByName(v.ctx, tx, d.Name)
		if found = err == nil; isNotFound(err) {
			err = nil
		}
		return err
	})
	to := v.link("bench", "draft", d.Name)
	if found && other.Place != d.Place {
		return "", wrong("A rule called " + d.Name + " is on the bench already, of " + other.Place.String() + ". Delete that draft first.")
	}
	if err != nil || found {
		return to, err
	}
	d.Parameters = r.InputParameters
	if r.Scope != nil {
		d.Types = r.Scope.Types
	}
	if d.Language, d.Text, err = v.sourceOf(r); err != nil {
		return "", err
	}
	return to, v.addDraft(d)
}

var notOfNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// benchName is a rule's name as the bench can have it.
func benchName(name string) string {
	name = notOfNames.ReplaceAllString(name, "-")
	if !draftName.MatchString(name[:1]) {
		name = "r" + name
	}
	return name[:min(len(name), 64)]
}

// sourceOf returns how a rule decides, in its language.
func (v *visit) sourceOf(r config.Rule) (language, text string, err error) {
	switch {
	case r.Source.Owner == config.OwnerLambda:
		return v.codeOf(r)
	case r.Source.Owner == config.OwnerPolicy && r.Source.Policy != nil:
		return scaffold.Guard, r.Source.Policy.Text, nil
	}
	content, err := v.Known.Managed.Content(r.Source.Identifier)
	if errors.Is(err, rule.ErrNoEvaluator) || err != nil {
		return "", "", wrong("Nothing here evaluates this rule, so there is nothing to edit.")
	}
	return scaffold.CEL, string(content), nil
}

// codeOf returns the code of a rule's function, if it is one file.
func (v *visit) codeOf(r config.Rule) (language, text string, err error) {
	const elsewhere = "Its function is not one file of Python or Node.js that is here: plumb rule dev evaluates such functions."
	ref, err := lambda.ParseARN(r.Source.Identifier)
	if err != nil || !v.allowed(ref.Account) {
		return "", "", wrong(elsewhere)
	}
	f, err := v.Functions.Get(v.ctx, ref)
	if err != nil {
		return "", "", wrong(elsewhere)
	}
	code, ok, err := v.Functions.Code(v.ctx, f.CodeSHA)
	if err != nil {
		return "", "", err
	}
	languages := map[string]string{".py": scaffold.Python, ".js": scaffold.Node, ".mjs": scaffold.Node, ".cjs": scaffold.Node}
	archive, err := zip.NewReader(bytes.NewReader(code), int64(len(code)))
	if !ok || err != nil {
		return "", "", wrong(elsewhere)
	}
	for _, file := range archive.File {
		kind := languages[path.Ext(file.Name)]
		if kind == "" {
			continue
		}
		if language != "" || strings.Contains(file.Name, "/") || file.UncompressedSize64 > maxCode {
			return "", "", wrong(elsewhere)
		}
		in, err := file.Open()
		if err != nil {
			return "", "", wrong(elsewhere)
		}
		content, err := io.ReadAll(io.LimitReader(in, maxCode))
		in.Close()
		if err != nil {
			return "", "", wrong(elsewhere)
		}
		language, text = kind, string(content)
	}
	if language == "" || !validText(text) {
		return "", "", wrong(elsewhere)
	}
	return language, text, nil
}
