package command

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"plumb/internal/guard/document"
)

// resources is the folder of the original's own expected outputs. The test is
// skipped where no checkout of it is named.
func resources(t *testing.T) string {
	t.Helper()
	for _, f := range filepath.SplitList(os.Getenv("PLUMB_GUARD_FIXTURES")) {
		folder := filepath.Join(f, "guard", "resources")
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
	}
	t.Skip("PLUMB_GUARD_FIXTURES names no checkout of the original")
	return ""
}

func under(folder string, names ...string) []string {
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(folder, n)
	}
	return paths
}

// asExpected compares text as it is and structured output by what it says. Paths of
// this machine are cut to file names, as the original's tests do.
func asExpected(t *testing.T, got, file, format string) {
	t.Helper()
	expected, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(expected)
	got = regexp.MustCompile(`(/[^ \[\]"]+)?/resources/[^ \]"]*/`).ReplaceAllString(got, "")
	switch format {
	case JSON, YAML:
		if !reflect.DeepEqual(parsed(t, got), parsed(t, want)) {
			t.Errorf("%s: got\n%s", file, got)
		}
		if format == JSON && got != want {
			t.Errorf("%s: says the same in another way:\n%s", file, got)
		}
	default:
		// The original shows a value in a reason by its representation in memory.
		inMemory := regexp.MustCompile(`(Type = String, Value = ).*`)
		got, want = inMemory.ReplaceAllString(got, "$1"), inMemory.ReplaceAllString(want, "$1")
		if got != want {
			t.Errorf("%s: first difference at\n%s", file, differing(got, want))
		}
	}
}

func differing(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got:  " + g[i] + "\nwant: " + w[i]
		}
	}
	return "the end of the shorter one"
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	v, err := document.Parse([]byte(text), document.Core)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(j, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestValidateWritesWhatTheOriginalWrites(t *testing.T) {
	folder := filepath.Join(resources(t), "validate")
	public := "rules-dir/s3_bucket_public_read_prohibited.guard"
	lookbehind := "rules-dir/advanced_regex_negative_lookbehind_rule.guard"
	all, fail, none := []string{"all"}, []string{"fail"}, []string{"none"}
	for _, c := range []struct {
		out, rules, data string
		summary          []string
		verbose          bool
		format           string
		structured       bool
		stdin            bool
		code             int
	}{
		{"output-dir/test_single_data_file_single_rules_file_verbose_compliant.out", public,
			"data-dir/s3-public-read-prohibited-template-compliant.yaml", all, true, SingleLine, false, false, OK},
		{"output-dir/test_single_data_file_single_rules_file_verbose_non_compliant.out", public,
			"data-dir/s3-public-read-prohibited-template-non-compliant.yaml", all, true, SingleLine, false, false, RulesFailed},
		{"output-dir/failing_template_without_resources_at_root.out", "workshop.guard",
			"template_where_resources_isnt_root.json", all, true, SingleLine, false, false, RulesFailed},
		{"output-dir/failing_template_with_slash_in_key.out", "rules-dir/s3_bucket_server_side_encryption_enabled.guard",
			"failing_template_with_slash_in_key.yaml", all, true, SingleLine, false, false, RulesFailed},
		{"output-dir/test_single_data_file_single_rules_file_verbose.out", public,
			"data-dir/s3-public-read-prohibited-template-non-compliant.yaml", fail, false, SingleLine, false, false, RulesFailed},
		{"output-dir/advanced_regex_negative_lookbehind_non_compliant.out", lookbehind,
			"data-dir/advanced_regex_negative_lookbehind_non_compliant.yaml", fail, false, SingleLine, false, false, RulesFailed},
		{"output-dir/advanced_regex_negative_lookbehind_compliant.out", lookbehind,
			"data-dir/advanced_regex_negative_lookbehind_compliant.yaml", all, false, SingleLine, false, false, OK},
		{"output-dir/rules_dir_against_data_dir.out", "rules-dir", "data-dir", fail, false, SingleLine, false, false, RulesFailed},
		{"output-dir/payload_verbose_success.out", public,
			"data-dir/s3-server-side-encryption-template-compliant.yaml", fail, true, SingleLine, false, true, OK},
		{"output-dir/payload_verbose_non_compliant.out", public,
			"data-dir/s3-public-read-prohibited-template-non-compliant.yaml", fail, true, SingleLine, false, true, RulesFailed},
		{"output-dir/structured.json", "rules-dir",
			"data-dir/s3-public-read-prohibited-template-non-compliant.yaml", none, false, JSON, true, false, RulesFailed},
		{"output-dir/structured.yaml", "rules-dir",
			"data-dir/s3-public-read-prohibited-template-non-compliant.yaml", none, false, YAML, true, false, RulesFailed},
		{"functions/output/failing_count_show_summary_all.out", "functions/rules/count_with_message.guard",
			"functions/data/template.yaml", all, false, SingleLine, false, false, RulesFailed},
		{"functions/output/failing_complex_rule.out", "functions/rules/failing_complex_rule.guard",
			"functions/data/template.yaml", fail, false, SingleLine, false, false, RulesFailed},
		{"functions/output/failing_join_show_summary_all.out", "functions/rules/join_with_message.guard",
			"functions/data/template.yaml", all, false, SingleLine, false, false, RulesFailed},
	} {
		t.Run(filepath.Base(c.out), func(t *testing.T) {
			v := Validate{
				Rules: under(folder, c.rules), ShowSummary: c.summary, Verbose: c.verbose, Format: c.format,
				Structured: c.structured,
			}
			in := &bytes.Buffer{}
			if c.stdin {
				text, err := os.ReadFile(filepath.Join(folder, c.data))
				if err != nil {
					t.Fatal(err)
				}
				in.Write(text)
			} else {
				v.Data = under(folder, c.data)
			}
			var out, errs bytes.Buffer
			code, err := v.Run(t.Context(), Streams{in, &out, &errs})
			if err != nil || code != c.code {
				t.Fatalf("code %d, want %d; %v; %s", code, c.code, err, errs.String())
			}
			asExpected(t, out.String(), filepath.Join(folder, c.out), c.format)
		})
	}
}

func TestParseTreeWritesWhatTheOriginalWrites(t *testing.T) {
	folder := resources(t)
	for _, c := range []struct{ rules, out, format string }{
		{"parse-tree/rules-dir/rule_with_this_keyword.guard", "test_rule_with_this_keyword.yaml", YAML},
		{"parse-tree/rules-dir/iterate_through_json_list_without_key.guard",
			"test_rule_iterate_through_json_list_without_key.yaml", YAML},
		{"validate/rules-dir/s3_bucket_server_side_encryption_enabled.guard",
			"s3_bucket_server_side_encryption_parse_tree.json", JSON},
		{"validate/functions/rules/string_manipulation.guard", "parse_tree_functions.yaml", YAML},
	} {
		var out bytes.Buffer
		p := ParseTree{Rules: filepath.Join(folder, c.rules), Format: c.format}
		if code, err := p.Run(Streams{Out: &out}); code != OK || err != nil {
			t.Fatal(code, err)
		}
		asExpected(t, out.String(), filepath.Join(folder, "parse-tree/output-dir", c.out), c.format)
	}
}

func TestTestWritesWhatTheOriginalWrites(t *testing.T) {
	folder := resources(t)
	rules := filepath.Join(folder, "validate/rules-dir/s3_bucket_server_side_encryption_enabled.guard")
	tests := filepath.Join(folder, "test-command/data-dir/s3_bucket_server_side_encryption_enabled.yaml")
	for _, c := range []struct {
		out     string
		run     Test
		code    int
		compare string
	}{
		{"test_data_file.out", Test{RulesFile: rules, TestData: tests, Format: SingleLine}, OK, SingleLine},
		{"test_data_file_verbose.out", Test{RulesFile: rules, TestData: tests, Format: SingleLine, Verbose: true}, OK, SingleLine},
		{"structured_single_report_yaml.out", Test{RulesFile: rules, TestData: tests, Format: YAML}, OK, YAML},
		{"structured_single_report_json.out", Test{RulesFile: rules, TestData: tests, Format: JSON}, OK, YAML},
		{"structured_directory_report_json.out",
			Test{Dir: filepath.Join(folder, "test-command/dir"), Format: JSON}, OK, YAML},
	} {
		var out bytes.Buffer
		code, err := c.run.Run(t.Context(), Streams{Out: &out})
		if err != nil || code != c.code {
			t.Errorf("%s: code %d, %v", c.out, code, err)
		}
		// We know the places of values in test files, which the original does not.
		got := regexp.MustCompile(`\[L:\d+,C:\d+\]`).ReplaceAllString(out.String(), "[L:0,C:0]")
		got = strings.ReplaceAll(got, folder, "resources")
		want, err := os.ReadFile(filepath.Join(folder, "test-command/output-dir", c.out))
		if err != nil {
			t.Fatal(err)
		}
		if c.compare == SingleLine && got != string(want) {
			t.Errorf("%s: first difference at\n%s", c.out, differing(got, string(want)))
		}
		if c.compare == YAML && !reflect.DeepEqual(parsed(t, got), parsed(t, string(want))) {
			t.Errorf("%s: got\n%s", c.out, got)
		}
	}
}
