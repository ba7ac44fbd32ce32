package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/fixture"
	"plumb/internal/scaffold"
	"plumb/internal/store"
)

// maxDraftTests is how many tests a draft has: all are run on each save.
const maxDraftTests = 50

var draftName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// doBegin begins a draft with a rule that works, of what the form names.
func doBegin(v *visit) (string, error) {
	form := v.r.PostForm
	d := store.ConsoleDraft{Name: strings.TrimSpace(form.Get("name")), Language: form.Get("language"), Changed: v.now}
	if !draftName.MatchString(d.Name) {
		return "", wrong("The name of a rule is a letter, then up to 63 letters, digits, - and _.")
	}
	if languageText(d.Language) == d.Language {
		return "", wrong("Choose one of the languages.")
	}
	kind := strings.TrimSpace(form.Get("type"))
	if kind == "" {
		kind = defaultType
	}
	d.Types = []string{kind}
	var err error
	if d.Place, err = v.place(); err != nil {
		return "", err
	}
	if p := (config.Place{Account: form.Get("account"), Region: form.Get("region")}); p.Account != "" && p.Region != "" {
		d.Place = p
	}
	if _, d.Text, err = scaffold.Rule(d.Name, d.Language, kind); err != nil {
		return "", wrong(err.Error())
	}
	if d.Language == scaffold.CEL {
		d.Types = nil // its file names them
	}
	err = v.addDraft(d)
	to := []string{"draft", d.Name}
	if on := form.Get("on"); on != "" {
		to = append(to, "pick", on)
	}
	return v.link("bench", to...), err
}

// addDraft keeps a new draft, unless there is one of its name or there are too many.
func (v *visit) addDraft(d store.ConsoleDraft) error {
	return v.DB.Write(v.ctx, func(tx *db.Tx) error {
		_, err := store.ConsoleDraftByName(v.ctx, tx, d.Name)
		if err == nil {
			return wrong("A rule of that name is being written already.")
		}
		if !isNotFound(err) {
			return err
		}
		all, err := store.ConsoleDrafts(v.ctx, tx, maxDrafts)
		if err != nil {
			return err
		}
		if len(all) >= maxDrafts {
			return wrong(fmt.Sprintf("The bench has %d rules, and takes no more. Delete a draft first.", maxDrafts))
		}
		return store.PutConsoleDraft(v.ctx, tx, d)
	})
}

// doDraft saves a draft and asks it, keeps what it said as a test, or forgets it.
func doDraft(v *visit) (string, error) {
	form := v.r.PostForm
	name := form.Get("draft")
	if form.Get("do") == "delete" {
		err := v.DB.Write(v.ctx, func(tx *db.Tx) error { return store.DeleteConsoleDraft(v.ctx, tx, name) })
		return v.link("bench"), err
	}
	d, err := v.saved(name, form)
	if err != nil {
		return "", err
	}
	answer, err := v.answer(d)
	if err != nil {
		return "", err
	}
	var refused error // to keep a test; what was typed is kept
	err = v.DB.Write(v.ctx, func(tx *db.Tx) error {
		now, err := store.ConsoleDraftByName(v.ctx, tx, name)
		if err != nil {
			return err // it was deleted meanwhile
		}
		d.Tests, refused = now.Tests, nil // tests may have been dropped meanwhile
		a, tests := *answer, readTests(d)
		a.Tests = slices.DeleteFunc(slices.Clone(a.Tests), func(of testAnswer) bool { return !isNamed(tests, of.Name) })
		if form.Get("do") == "keep" {
			refused = keepTest(&d, form.Get("test"), &a)
		}
		text, err := json.Marshal(a)
		if err != nil {
			return err
		}
		d.Answer = string(text)
		return store.PutConsoleDraft(v.ctx, tx, d)
	})
	if err == nil {
		err = refused
	}
	return v.link("bench", "draft", name), err
}

// saved is a draft as the form has it, with the item that it picks.
func (v *visit) saved(name string, form url.Values) (d store.ConsoleDraft, err error) {
	err = v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if d, err = store.ConsoleDraftByName(ctx, tx, name); err != nil {
			return err
		}
		if p := (config.Place{Account: form.Get("account"), Region: form.Get("region")}); p.Account != "" && p.Region != "" {
			d.Place = p
		}
		d.Text, d.Item = unixLines(form.Get("text")), unixLines(form.Get("item"))
		d.Parameters, d.Types, d.Changed = strings.TrimSpace(form.Get("parameters")), strings.Fields(strings.ReplaceAll(form.Get("types"), ",", " ")), v.now
		pick := strings.TrimSpace(form.Get("pick"))
		if pick == "" {
			return nil
		}
		kind, id, ok := strings.Cut(pick, "/")
		if !ok {
			return wrong("A recorded item is named as TYPE/ID, for example AWS::S3::Bucket/reports.")
		}
		it, err := store.AsOfOne(ctx, tx, config.ResourceKey{Place: d.Place, Type: kind, ID: id}, v.now)
		if isNotFound(err) {
			return missing("Nothing is recorded of " + pick + " in " + d.Place.String() + ".")
		}
		if err != nil {
			return err
		}
		text, err := fixture.Text(it)
		d.Item = string(text)
		return err
	})
	return d, err
}

// unixLines is a text of a form, whose lines browsers end as in mail.
func unixLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// keepTest keeps what a draft said of its item as what it must say from now on.
func keepTest(d *store.ConsoleDraft, name string, a *draftAnswer) error {
	tests := readTests(*d)
	switch {
	case a.Error != "" || a.Compliance == "":
		return wrong("It gave no verdict, so there is nothing to keep as a test.")
	case len(tests) >= maxDraftTests:
		return wrong("It has as many tests as a rule on the bench can have. Go on with plumb rule test.")
	}
	if name = strings.TrimSpace(name); name == "" {
		it, err := itemOf(*d, d.Item)
		if err != nil {
			return wrong(err.Error())
		}
		name = it.ID + " is " + verdictWord(a.Compliance)
	}
	for own, n := name, 2; isNamed(tests, name); n++ { // a test is dropped by its name
		name = fmt.Sprintf("%s (%d)", own, n)
	}
	text, err := json.Marshal(append(tests, draftTest{name, d.Item, a.Compliance, a.Annotation}))
	if err != nil {
		return err
	}
	d.Tests = string(text)
	a.Tests = append(a.Tests, testAnswer{Name: name, Pass: true})
	return nil
}

func isNamed(all []draftTest, name string) bool {
	return slices.ContainsFunc(all, func(t draftTest) bool { return t.Name == name })
}

// doDropTest forgets a test of a draft.
func doDropTest(v *visit) (string, error) {
	name, test := v.r.PostForm.Get("draft"), v.r.PostForm.Get("test")
	err := v.DB.Write(v.ctx, func(tx *db.Tx) error {
		d, err := store.ConsoleDraftByName(v.ctx, tx, name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(slices.DeleteFunc(readTests(d), func(t draftTest) bool { return t.Name == test }))
		if err != nil {
			return err
		}
		d.Tests = string(text)
		if a := readAnswer(d); a != nil {
			a.Tests = slices.DeleteFunc(a.Tests, func(t testAnswer) bool { return t.Name == test })
			if text, err = json.Marshal(a); err != nil {
				return err
			}
			d.Answer = string(text)
		}
		return store.PutConsoleDraft(v.ctx, tx, d)
	})
	return v.link("bench", "draft", name), err
}
