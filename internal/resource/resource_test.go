package resource

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/fstest"

	"plumb/internal/awsclient"
	"plumb/internal/config"
	"plumb/models"
)

// cloud answers calls with functions, one for each operation.
type cloud map[string]func(in map[string]any) (map[string]any, error)

func (c cloud) All(_ context.Context, _, operation string, in map[string]any) (map[string]any, error) {
	answer, ok := c[operation]
	if !ok {
		return nil, errors.New(operation + " was not expected")
	}
	return answer(in)
}

func (c cloud) Pages(ctx context.Context, service, operation string, in map[string]any) iter.Seq2[awsclient.Page, error] {
	return func(yield func(awsclient.Page, error) bool) { yield(c.All(ctx, service, operation, in)) }
}

func says(out map[string]any) func(map[string]any) (map[string]any, error) {
	return func(map[string]any) (map[string]any, error) { return out, nil }
}

func fails(code string) func(map[string]any) (map[string]any, error) {
	return func(map[string]any) (map[string]any, error) { return nil, &awsclient.Error{Code: code, Status: 400} }
}

// tables is a form with everything that the tests of this file need.
const tables = `
type: AWS::DynamoDB::Table
service: dynamodb
list:
  call: ListTables
  each: "TableNames[].{TableName: @}"
one:
  call: DescribeTable
  with: {TableName: "{id}"}
  each: "[{TableName: Table.TableName}]"
  gone: [ResourceNotFoundException]
calls:
  - as: described
    call: DescribeTable
    with: {TableName: "{TableName}"}
    gone: [ResourceNotFoundException]
    keep: "described.Table.TableStatus != 'ELSEWHERE'"
  - as: ttl
    call: DescribeTimeToLive
    with: {TableName: "{TableName}"}
    missing: {UnknownOperation: {TimeToLiveDescription: {TimeToLiveStatus: "NONE OF {TableName}"}}}
identity:
  id: "{TableName}"
  name: "{TableName}"
  arn: "arn:{place.partition}:dynamodb:{place.region}:{place.account}:table/{TableName}"
  az: Not Applicable
  created: "{described.Table.CreationDateTime}"
configuration: {value: described.Table, shape: TableDescription, keys: jackson, unset: omit}
supplementary:
  TTL: {value: ttl.TimeToLiveDescription.TimeToLiveStatus}
relationships:
  - {type: AWS::KMS::Key, name: "Is associated with ", to: described.Table.SSEDescription.KMSMasterKeyArn}
`

var here = config.Place{Account: "123456789012", Region: "eu-west-1"}

func catalogue(t *testing.T, form string) *Catalogue {
	t.Helper()
	cat, err := load(form)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func load(form string) (*Catalogue, error) {
	cat, err := Load(fstest.MapFS{
		"types.txt":  {Data: []byte("AWS::DynamoDB::Table\nAWS::KMS::Key\n")},
		"table.yaml": {Data: []byte(form)},
	}, awsclient.NewModels(models.FS))
	if err != nil {
		return nil, err
	}
	return cat, cat.Verify("AWS::DynamoDB::Table")
}

func twoTables() cloud {
	return cloud{
		"ListTables": says(map[string]any{"TableNames": []any{"a", "b"}}),
		"DescribeTable": func(in map[string]any) (map[string]any, error) {
			return map[string]any{"Table": map[string]any{
				"TableName": in["TableName"], "CreationDateTime": "2026-01-02T03:04:05.000Z",
				"SSEDescription": map[string]any{"KMSMasterKeyArn": "arn:key"},
			}}, nil
		},
		"DescribeTimeToLive": fails("UnknownOperation"),
	}
}

func TestDiscoverReadsEveryResourceOfTheList(t *testing.T) {
	items, err := Collect(catalogue(t, tables).Discover(t.Context(), twoTables(), here, "AWS::DynamoDB::Table"))
	if err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	b := items[1]
	if b.ID != "b" || b.ARN != "arn:aws:dynamodb:eu-west-1:123456789012:table/b" || b.CreationTime == nil {
		t.Errorf("%+v", b)
	}
	if b.Supplementary["TTL"] != "NONE OF b" {
		t.Errorf("an error that stands for an answer: %v", b.Supplementary)
	}
	want := config.Relationship{Type: "AWS::KMS::Key", Name: "Is associated with ", ID: "arn:key"}
	if len(b.Relationships) != 1 || b.Relationships[0] != want {
		t.Errorf("%v", b.Relationships)
	}
}

// CloudFront writes an empty text where a distribution has no certificate.
func TestAnEmptyTextLeadsNowhere(t *testing.T) {
	c := twoTables()
	c["DescribeTable"] = func(in map[string]any) (map[string]any, error) {
		return map[string]any{"Table": map[string]any{"TableName": in["TableName"], "SSEDescription": map[string]any{"KMSMasterKeyArn": ""}}}, nil
	}
	for items, err := range catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table") {
		if err != nil || len(items) != 2 || len(items[0].Relationships) > 0 {
			t.Errorf("got %v, %v", items, err)
		}
	}
}

func TestAResourceThatVanishesWhileItIsReadIsLeftOut(t *testing.T) {
	c := twoTables()
	describe := c["DescribeTable"]
	c["DescribeTable"] = func(in map[string]any) (map[string]any, error) {
		if in["TableName"] == "a" {
			return fails("ResourceNotFoundException")(in)
		}
		return describe(in)
	}
	items, err := Collect(catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table"))
	if err != nil || len(items) != 1 || items[0].ID != "b" {
		t.Errorf("%v, %v", items, err)
	}
}

func TestAResourceOfAnotherPlaceIsLeftOut(t *testing.T) {
	c := twoTables()
	c["DescribeTable"] = says(map[string]any{"Table": map[string]any{"TableStatus": "ELSEWHERE"}})
	items, err := Collect(catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table"))
	if err != nil || len(items) != 0 {
		t.Errorf("%v, %v", items, err)
	}
}

func TestOneCallThatFailsFailsTheWholeType(t *testing.T) {
	for _, operation := range []string{"ListTables", "DescribeTable", "DescribeTimeToLive"} {
		c := twoTables()
		c[operation] = fails("AccessDeniedException")
		items, err := Collect(catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table"))
		if awsclient.Code(err) != "AccessDeniedException" || items != nil {
			t.Errorf("%s: %v, %v", operation, items, err)
		}
	}
}

func TestAPageThatIsMissingFailsTheWholeType(t *testing.T) {
	cat := catalogue(t, tables)
	ex := Example{Answers: []Recorded{
		{Call: "ListTables", Body: `{"TableNames":["a"],"LastEvaluatedTableName":"a"}`},
		{Call: "DescribeTable", Body: `{"Table":{}}`}, {Call: "DescribeTimeToLive", Error: "UnknownOperation"},
	}}
	if items, err := cat.Run(t.Context(), "AWS::DynamoDB::Table", ex); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("%v, %v", items, err)
	}
}

func TestDescribeReadsOne(t *testing.T) {
	c := twoTables()
	delete(c, "ListTables")
	key := config.ResourceKey{Place: here, Type: "AWS::DynamoDB::Table", ID: "b"}
	it, found, err := catalogue(t, tables).Describe(t.Context(), c, key)
	if err != nil || !found || it.Key() != key {
		t.Errorf("%+v %v %v", it.Key(), found, err)
	}
}

func TestDescribeSaysThatThereIsNone(t *testing.T) {
	c := twoTables()
	c["DescribeTable"] = fails("ResourceNotFoundException")
	key := config.ResourceKey{Place: here, Type: "AWS::DynamoDB::Table", ID: "b"}
	if _, found, err := catalogue(t, tables).Describe(t.Context(), c, key); found || err != nil {
		t.Errorf("%v %v", found, err)
	}
	c["DescribeTable"] = fails("AccessDeniedException")
	if _, _, err := catalogue(t, tables).Describe(t.Context(), c, key); err == nil {
		t.Error("an error that is no absence was taken for one")
	}
}

func TestDescribeLooksThroughTheListWhereThereIsNoCallForOne(t *testing.T) {
	form := tables[:strings.Index(tables, "one:")] + tables[strings.Index(tables, "calls:"):]
	cat := catalogue(t, form)
	for id, want := range map[string]bool{"b": true, "z": false} {
		key := config.ResourceKey{Place: here, Type: "AWS::DynamoDB::Table", ID: id}
		if _, found, err := cat.Describe(t.Context(), twoTables(), key); found != want || err != nil {
			t.Errorf("%s: %v %v", id, found, err)
		}
	}
}

func TestPagesAreHandedOnAsTheyCome(t *testing.T) {
	asked := 0
	c := paged{twoTables(), func() Page {
		asked++
		return Page{"TableNames": []any{fmt.Sprint("t", asked)}}
	}}
	for items, err := range catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table") {
		if err != nil || len(items) != 1 || items[0].ID != fmt.Sprint("t", asked) {
			t.Fatalf("page %d: %v, %v", asked, items, err)
		}
		if asked == 3 {
			break
		}
	}
	if asked != 3 {
		t.Errorf("%d pages were read, and 3 were wanted", asked)
	}
}

type Page = awsclient.Page

// paged answers lists with pages without end.
type paged struct {
	cloud
	next func() Page
}

func (c paged) Pages(context.Context, string, string, map[string]any) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for yield(c.next(), nil) {
		}
	}
}

func TestAPageOfItemsIsBoundedWhateverAServiceAnswersAtOnce(t *testing.T) {
	names := make([]any, 3*perPage+1)
	for i := range names {
		names[i] = fmt.Sprint("t", i)
	}
	c := twoTables()
	c["ListTables"] = says(Page{"TableNames": names})
	total := 0
	for items, err := range catalogue(t, tables).Discover(t.Context(), c, here, "AWS::DynamoDB::Table") {
		if err != nil || len(items) > perPage {
			t.Fatalf("%d items, %v", len(items), err)
		}
		total += len(items)
	}
	if total != len(names) {
		t.Errorf("%d items, want %d", total, len(names))
	}
}

func TestOnlyTheSingleReadSaysThatAResourceIsGone(t *testing.T) {
	last := config.Item{ResourceKey: config.ResourceKey{Place: here, Type: "AWS::DynamoDB::Table", ID: "b"}}
	for _, c := range []struct {
		name   string
		answer func(map[string]any) (map[string]any, error)
		gone   bool
		says   string
	}{
		{"an error code that says so", fails("ResourceNotFoundException"), true, ""},
		{"another error", fails("AccessDeniedException"), false, "AccessDenied"},
		{"the resource", says(Page{"Table": Page{"TableName": "b"}}), false, ""},
		{"another resource", says(Page{"Table": Page{"TableName": "c"}}), false, "neither"},
	} {
		cloud := twoTables()
		cloud["DescribeTable"] = c.answer
		gone, err := catalogue(t, tables).Gone(t.Context(), cloud, last)
		if gone != c.gone || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", c.name, gone, err)
		}
	}
}

func TestATypeWithoutAFileIsAnError(t *testing.T) {
	if _, err := Collect(catalogue(t, tables).Discover(t.Context(), cloud{}, here, "AWS::KMS::Key")); err == nil {
		t.Error("no error")
	}
}

func TestAFormWithAMistakeDoesNotLoad(t *testing.T) {
	for _, c := range []struct{ old, now, says string }{
		{"service: dynamodb", "service: toaster", `"toaster"`},
		{"type: AWS::DynamoDB::Table", "type: AWS::Toaster::Toast", "types.txt"},
		{"call: ListTables", "call: ListToasts", "ListToasts"},
		{"as: ttl", "as: place", `in "as"`},
		{"each: \"TableNames[]", "each: \"TableNames[", "TableNames["},
		{"shape: TableDescription", "shape: Toast", `"Toast"`},
		{"keys: jackson", "keys: loud", `"loud"`},
		{"unset: omit", "unset: maybe", `"maybe"`},
		{"{TableName}\"\n  az", "{TableName\"\n  az", "not closed"},
		{"type: AWS::KMS::Key", "type: AWS::KMS::Lock", "AWS::KMS::Lock"},
		{"configuration: {", "configuration: {steps: [fly], ", `"fly"`},
		{"configuration: {", "configuration: {rename: {Toast: Bread}, ", `"Toast"`},
		{"list:", "lists:", "lists"},
	} {
		if !strings.Contains(tables, c.old) {
			t.Fatalf("%q is not in the form", c.old)
		}
		_, err := load(strings.Replace(tables, c.old, c.now, 1))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.now, err, c.says)
		}
	}
}

func TestBoundedStopsAtTheFirstError(t *testing.T) {
	bad := errors.New("bad")
	err := bounded(t.Context(), 2, 100, func(ctx context.Context, i int) error {
		if i == 3 {
			return bad
		}
		return nil
	})
	if !errors.Is(err, bad) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bounded(ctx, 2, 3, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// indexes is a form whose resources are in others.
const indexes = `
type: AWS::DynamoDB::Table
service: dynamodb
parents:
  - as: table
    call: ListTables
    each: "TableNames[].{name: @}"
list:
  call: DescribeTable
  with: {TableName: "{table.name}"}
  each: "Table.GlobalSecondaryIndexes"
  gone: [ResourceNotFoundException]
one:
  call: DescribeTable
  with: {TableName: "{split(id, '/')[0]}"}
  each: "let $id = id in answer.Table.GlobalSecondaryIndexes[].merge(@, {table: {name: split($id, '/')[0]}})"
  gone: [ResourceNotFoundException]
identity:
  id: "{table.name}/{IndexName}"
configuration: {shape: TableDescription, keys: pascal, unset: omit}
`

func twoIndexes() cloud {
	return cloud{
		"ListTables": says(map[string]any{"TableNames": []any{"a", "b", "c"}}),
		"DescribeTable": func(in map[string]any) (map[string]any, error) {
			if in["TableName"] == "b" { // it vanished after the list
				return nil, &awsclient.Error{Code: "ResourceNotFoundException", Status: 400}
			}
			return map[string]any{"Table": map[string]any{"GlobalSecondaryIndexes": []any{map[string]any{"IndexName": "i"}}}}, nil
		},
	}
}

func TestResourcesAreListedInEveryParent(t *testing.T) {
	cat := catalogue(t, indexes)
	items, err := Collect(cat.Discover(t.Context(), twoIndexes(), here, "AWS::DynamoDB::Table"))
	if err != nil || len(items) != 2 || items[0].ID != "a/i" || items[1].ID != "c/i" {
		t.Fatalf("%v, %v", items, err)
	}
	one, found, err := cat.Describe(t.Context(), twoIndexes(), items[1].ResourceKey)
	if err != nil || !found || one.ID != "c/i" {
		t.Errorf("read alone: %v, %v, %v", one, found, err)
	}
	calls := cat.Calls("AWS::DynamoDB::Table")
	if len(calls) != 3 || !calls[0].List || !calls[1].List {
		t.Errorf("calls: %+v", calls)
	}
}

func TestAParentThatCannotBeReadFailsTheWholeType(t *testing.T) {
	for _, operation := range []string{"ListTables", "DescribeTable"} {
		c := twoIndexes()
		c[operation] = fails("AccessDeniedException")
		items, err := Collect(catalogue(t, indexes).Discover(t.Context(), c, here, "AWS::DynamoDB::Table"))
		if err == nil || items != nil {
			t.Errorf("%s: %v, %v", operation, items, err)
		}
	}
}

func TestParentsWithAMistakeDoNotLoad(t *testing.T) {
	for _, c := range []struct{ old, now, says string }{
		{"as: table", "as: place", `in "as"`},
		{"call: ListTables", "call: ListToasts", "ListToasts"},
		{"    each: \"TableNames[].{name: @}\"\n", "", "each is needed"},
		{"    call: ListTables", "    gone: [X]\n    call: ListTables", "no gone"},
		{"\none:", "\nexists:", "needs one"},
	} {
		if _, err := load(strings.Replace(indexes, c.old, c.now, 1)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.now, err, c.says)
		}
	}
}
