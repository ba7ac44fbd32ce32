package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"plumb/internal/guard"
	"plumb/internal/guard/document"
)

var update = flag.Bool("update", false, "write the golden files anew")

const templateRules = `
let buckets = Resources.*[ Type == 'AWS::S3::Bucket' ]
rule versioned when %buckets !empty {
  %buckets.Properties.Versioning == 'Enabled' <<turn versioning on>>
  %buckets.Properties.Logging exists
}
rule named {
  AWS::S3::Bucket {
    Properties.Name in ['logs', 'audit'] or
    Properties.Name == /^prod-/
    Properties.Rules[*] { size < 3 }
    Properties.Tags { owner exists }
  }
}
rule queues { AWS::SQS::Queue { Properties exists } }
rule referring {
  queues
}
Resources exists
`

const templateText = `Resources:
  logs:
    Type: AWS::S3::Bucket
    Metadata: {"aws:cdk:path": stack/logs}
    Properties:
      Name: data
      Versioning: Suspended
      Rules:
        - size: 5
        - size: 1
`

const itemRules = `
rule owner { tags.owner exists <<no owner>> }
rule size { size < 3
  kind != 'large'
  size in [1, 2]
  size == 'x' }
rule nothing { tags[ this == 'x' ] !empty }
rule kind when size == 1 { kind exists }
rule called(x) { %x == 1 }
rule calls { called(size) <<must be one>> }
`

const itemText = `{"size": 5, "kind": "large", "tags": {"a": "b"}}`

const planRules = `rule acl { resource_changes[*].change.after.acl == 'private'
  resource_changes[*].change.after.acl in ['private'] }`

const planText = `{"resource_changes": [{"address": "aws_s3_bucket.logs", "change": {"after": {"acl": "public-read"}}}]}`

func runOn(t *testing.T, source, text string) *Run {
	t.Helper()
	rules, err := guard.Parse("rules.guard", source)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := document.Parse([]byte(text), document.Template)
	if err != nil {
		t.Fatal(err)
	}
	result, err := rules.Evaluate(t.Context(), doc, guard.Options{Detail: guard.Everything})
	if err != nil {
		t.Fatal(err)
	}
	return &Run{
		RulesName: "rules.guard", DataName: "data", DataText: text, Document: doc, Rules: rules, Result: result,
	}
}

func TestReportsLookAsTheyDid(t *testing.T) {
	template, item, plan := runOn(t, templateRules, templateText), runOn(t, itemRules, itemText), runOn(t, planRules, planText)
	all := Summary{Pass: true, Fail: true, Skip: true}
	for name, write := range map[string]func(w io.Writer) error{
		"template.txt":  func(w io.Writer) error { return Text(w, template, all) },
		"item.txt":      func(w io.Writer) error { return Text(w, item, all) },
		"plan.txt":      func(w io.Writer) error { return Text(w, plan, Summary{Fail: true}) },
		"tree.txt":      func(w io.Writer) error { return Tree(w, template) },
		"events.json":   func(w io.Writer) error { return Events(w, item) },
		"template.json": func(w io.Writer) error { return JSON(w, Files([]*Run{template})) },
		"item.yaml":     func(w io.Writer) error { return YAML(w, Files([]*Run{item})) },
		"all.sarif":     func(w io.Writer) error { return SARIF(w, Files([]*Run{template, item}), "1.2.3") },
		"all.junit":     func(w io.Writer) error { return JUnit(w, []*Run{template, item}) },
		"tree.yaml":     func(w io.Writer) error { return ParseTree(w, "yaml", template.Rules.File()) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s is not what it was (go test -update writes it anew):\n%s", name, b.String())
		}
	}
}

// What is written as YAML must be read as what was meant.
func TestYAMLIsReadBackAsItWasMeant(t *testing.T) {
	for _, s := range []string{
		"", "a", " a", "a ", "a: b", "a #b", "a:", "true", "No", "~", "null", "1", "1.5", "-x", "- x", "[a]", "{a}", "&a", "*a",
		"!a", "'a'", `"a"`, "a\nb", "\n a", "a\tb", "%x == 1", "@a", "`a", "? a", "|", ">", "é", "0x1", "1e3", "nan", ".inf", "=",
		"a\u0085b", "<<", "2001-01-01", "a\x00b",
	} {
		var b bytes.Buffer
		if err := writeYAML(&b, object{{"k", s}, {"l", list{s}}}); err != nil {
			t.Fatal(err)
		}
		for _, flavour := range []document.Flavour{document.Core, document.Template} {
			v, err := document.Parse(b.Bytes(), flavour)
			if err != nil {
				t.Errorf("%q: %v\n%s", s, err, b.String())
				continue
			}
			if got := v.Get("k"); got.Kind() != document.String || got.Text() != s {
				t.Errorf("%q is read as %s %q", s, got.Kind(), got.Text())
			}
		}
	}
}
