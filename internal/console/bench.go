package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/scaffold"
	"plumb/internal/store"
)

const (
	maxDrafts   = 200
	maxOffered  = 40 // recorded resources that the bench offers
	defaultType = "AWS::S3::Bucket"
)

// The languages of the bench, as people call them.
var languages = []struct{ key, text string }{
	{scaffold.CEL, "rule file (CEL)"}, {scaffold.Guard, "policy (Guard)"}, {scaffold.Python, "function (Python)"}, {scaffold.Node, "function (Node.js)"},
}

// A benchView is the list of drafts, or one of them with what it said last.
type benchView struct {
	One       *draftView // nil for the list
	Drafts    *table
	Languages []choice
	Types     []string
	On        string       // the resource that a draft is to be asked about
	OnPlace   config.Place // where that is
	CSRF      string
	Requests  *requestsView
}

// A draftView is one draft.
type draftView struct {
	Draft      store.ConsoleDraft
	Place      config.Place // of what is picked
	TypesText  string
	Function   bool
	Offered    []string // recorded resources, as TYPE/ID
	Pick       string
	Answer     *draftAnswer
	Failing    int // tests that fail
	TestsText  string
	Spans      []choice
	Tried      *table
	tried      // of the trial
	TrialFault string
	Back       string
	Deployed   string // the page of the rule of the same name; empty if there is none
}

func showBench(v *visit) (*page, error) {
	d := &benchView{CSRF: v.csrf(), Requests: v.requests(benchLive, "")}
	d.Requests.All = v.link("requests")
	p := &page{Title: "Rule bench", Template: "bench", Data: d, Live: Root + "events?of=requests", LivePage: v.link("requests", "on", "bench"),
		AtNote: "Drafts are kept as they are now.", Calls: []call{{"Plumb", "plumb rule new FOLDER --language python\nplumb rule dev FOLDER --watch"}}}
	if v.q.Get("draft") == "" {
		return p, d.list(v)
	}
	err := d.one(v, v.q.Get("draft"))
	if d.One != nil {
		p.Title, p.Table = d.One.Draft.Name, d.One.Tried
	}
	return p, err
}

// list shows the drafts, and the form for a new one.
func (d *benchView) list(v *visit) error {
	d.Drafts = &table{Caption: "Rules that are being written", Empty: "No rule is being written. Begin one below.",
		Columns: []col{{Name: "rule"}, {Name: "language"}, {Name: "types"}, {Name: "it said last"}, {Name: "tests", Num: true}, {Name: "saved"}}}
	for _, l := range languages {
		d.Languages = append(d.Languages, choice{l.text, l.key, l.key == scaffold.CEL})
	}
	var pick []string
	if kind, id := v.q.Get("type"), v.q.Get("id"); kind != "" && id != "" {
		d.On, d.OnPlace = kind+"/"+id, config.Place{Account: v.q.Get("account"), Region: v.q.Get("region")}
		pick = []string{"pick", d.On, "account", v.q.Get("account"), "region", v.q.Get("region")}
	}
	return v.read(func(ctx context.Context, tx *db.Tx) error {
		all, err := store.ConsoleDrafts(ctx, tx, maxDrafts)
		if err != nil {
			return err
		}
		for _, one := range all {
			a, tests := readAnswer(one), readTests(one)
			said := faint("nothing yet")
			if a != nil {
				said = a.cell()
			}
			d.Drafts.Rows = append(d.Drafts.Rows, row{Cells: []cell{
				linked(one.Name, v.link("bench", append([]string{"draft", one.Name}, pick...)...)), plain(languageText(one.Language)), plain(strings.Join(one.Types, " ")),
				said, number(int64(len(tests))), moment(one.Changed, v.now)}})
		}
		d.Types, err = recordedTypes(ctx, tx, v)
		return err
	})
}

func languageText(key string) string {
	for _, l := range languages {
		if l.key == key {
			return l.text
		}
	}
	return key
}

func recordedTypes(ctx context.Context, tx *db.Tx, v *visit) ([]string, error) {
	all, err := store.TallyTypesOf(ctx, tx, v.account())
	seen := map[string]any{}
	for k, n := range all {
		if n.Live > 0 {
			seen[k.Type] = nil
		}
	}
	return sortedKeys(seen), err
}

// one shows a draft.
func (d *benchView) one(v *visit, name string) error {
	o := &draftView{Back: v.link("bench"), Pick: v.q.Get("pick")}
	err := v.read(func(ctx context.Context, tx *db.Tx) (err error) {
		if o.Draft, err = store.ConsoleDraftByName(ctx, tx, name); err != nil {
			return err
		}
		o.Place = o.Draft.Place
		if v.q.Get("account") != "" {
			if o.Place, err = v.place(); err != nil {
				return err
			}
		}
		if o.Offered, err = offered(ctx, tx, o.Place, o.Draft.Types); err != nil {
			return err
		}
		if d.Types, err = recordedTypes(ctx, tx, v); err != nil {
			return err
		}
		_, found, err := ruleIn(ctx, tx, o.Draft.Place, name)
		if found {
			o.Deployed = v.rule(o.Draft.Place, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	d.One = o
	o.TypesText, o.Function = strings.Join(o.Draft.Types, " "), isFunction(o.Draft.Language)
	o.Answer, o.TestsText = readAnswer(o.Draft), testsText(o.Draft)
	for _, t := range o.Answer.tests() {
		if !t.Pass {
			o.Failing++
		}
	}
	for _, s := range trialSpans {
		o.Spans = append(o.Spans, choice{s.text, v.link("bench", "draft", name, "since", s.key) + "#tried", s.key == v.q.Get("since")})
	}
	if since := v.q.Get("since"); since != "" {
		return o.try(v, since)
	}
	return nil
}

// offered are recorded resources of a place that a draft can be asked about.
func offered(ctx context.Context, tx *db.Tx, p config.Place, types []string) (out []string, err error) {
	keys, err := store.LiveKeys(ctx, tx, p, types, config.ResourceKey{}, maxOffered)
	for _, k := range keys {
		out = append(out, k.Type+"/"+k.ID)
	}
	return out, err
}

// try tries the draft on what is recorded.
func (o *draftView) try(v *visit, since string) error {
	t, err := v.trialOf(o.Draft)
	if told := (*refusal)(nil); errors.As(err, &told) {
		o.TrialFault = told.text
		return nil
	}
	if err != nil {
		return err
	}
	if t.Since, err = sinceOf(v, since); err != nil {
		return err
	}
	o.Tried, o.tried, err = v.try(t)
	return err
}

// A draftTest is what a draft must say of an item, as it is kept.
type draftTest struct {
	Name       string `json:"name"`
	Item       string `json:"item"` // as it was written
	Compliance string `json:"compliance"`
	Annotation string `json:"annotation"`
}

func readTests(d store.ConsoleDraft) (out []draftTest) {
	_ = json.Unmarshal([]byte(d.Tests), &out) // nothing is none
	return out
}

// testsText are the tests as plumb-test.yaml has them; YAML takes JSON.
func testsText(d store.ConsoleDraft) string {
	all := readTests(d)
	if len(all) == 0 || d.Language == scaffold.CEL {
		return ""
	}
	var b strings.Builder
	b.WriteString("# Made at the rule bench. \"plumb rule test\" runs this file beside the rule.\n")
	if len(d.Types) > 0 {
		fmt.Fprintf(&b, "types: [%s]\n", strings.Join(d.Types, ", "))
	}
	if d.Parameters != "" {
		fmt.Fprintf(&b, "parameters: %s\n", strings.ReplaceAll(d.Parameters, "\n", " "))
	}
	b.WriteString("tests:\n")
	for _, t := range all {
		fmt.Fprintf(&b, "  - name: %s\n    item: %s\n    compliance: %s\n", jsonText(t.Name), oneLine(d, t.Item), t.Compliance)
		if t.Annotation != "" {
			fmt.Fprintf(&b, "    annotation: %s\n", jsonText(t.Annotation))
		}
	}
	return b.String()
}

func jsonText(s string) string {
	text, _ := json.Marshal(s) // a text cannot fail
	return string(text)
}
