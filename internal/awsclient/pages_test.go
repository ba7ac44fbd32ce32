package awsclient

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"plumb/internal/model"
)

// operation makes an operation whose output has the members, strings but for Things (a list) and IsTruncated.
func operation(p *model.Paginator, in, out string) *model.Operation {
	shape := func(names string) *model.Ref {
		s := &model.Shape{Type: "structure"}
		for _, n := range strings.Fields(names) {
			typ := map[string]string{"Things": "list", "IsTruncated": "boolean"}[n]
			s.Members = append(s.Members, &model.Member{Name: n, Ref: model.Ref{Shape: &model.Shape{Type: orElse(typ, "string")}}})
		}
		return &model.Ref{Shape: s}
	}
	return &model.Operation{Paginator: p, Input: shape(in), Output: shape(out)}
}

// pages answers with one page after the other, and checks that each was asked for with the token of the one before.
func pages(t *testing.T, input string, all ...map[string]any) func(map[string]any) (map[string]any, error) {
	n := 0
	var token any
	return func(in map[string]any) (map[string]any, error) {
		if n == len(all) {
			return nil, fmt.Errorf("page %d was asked for", n+1)
		}
		if in[input] != token {
			t.Errorf("page %d was asked for with %v, want %v", n+1, in[input], token)
		}
		page := all[n]
		n++
		for _, k := range []string{"NextToken", "NextMarker", "Marker"} {
			if v := page[k]; v != nil && v != "" {
				token = v
			}
		}
		return page, nil
	}
}

var plain = &model.Paginator{InputToken: []string{"NextToken"}, OutputToken: []string{"NextToken"}, ResultKey: []string{"Things"}}

// readPages reads all pages into one, as All does.
func readPages(op *model.Operation, in map[string]any, call func(map[string]any) (Page, error)) (map[string]any, error) {
	return join(op, func(yield func(Page, error) bool) {
		if err := eachPage(op, in, call, func(page Page) bool { return yield(page, nil) }); err != nil {
			yield(nil, err)
		}
	})
}

func TestAllPagesAreReadIntoOne(t *testing.T) {
	marker := &model.Paginator{
		InputToken: []string{"Marker"}, OutputToken: []string{"Marker"}, ResultKey: []string{"Things"}, MoreResults: "IsTruncated",
	}
	for _, c := range []struct {
		name, input string
		op          *model.Operation
		pages       []map[string]any
	}{
		{"by the model's paginator", "NextToken", operation(plain, "NextToken", "NextToken Things"), []map[string]any{
			{"Things": []any{"a"}, "NextToken": "1"}, {"Things": []any{}, "NextToken": "2"}, {"Things": []any{"b"}, "NextToken": ""},
		}},
		{"with a flag that says whether there is more", "Marker", operation(marker, "Marker", "Marker Things IsTruncated"), []map[string]any{
			{"Things": []any{"a"}, "Marker": "1", "IsTruncated": true}, {"Things": []any{"b"}, "Marker": "1", "IsTruncated": false},
		}},
		{"by the names of the members", "Marker", operation(nil, "Marker", "Marker NextMarker Things"), []map[string]any{
			{"Things": []any{"a"}, "Marker": "", "NextMarker": "1"}, {"Things": []any{"b"}, "Marker": "1"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readPages(c.op, nil, pages(t, c.input, c.pages...))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got["Things"], []any{"a", "b"}) {
				t.Errorf("%v", got)
			}
			for _, k := range []string{"NextToken", "NextMarker", "IsTruncated"} {
				if _, ok := got[k]; ok {
					t.Errorf("%s is still there", k)
				}
			}
		})
	}
}

func TestAPageThatCannotBeHadFailsTheWhole(t *testing.T) {
	for _, c := range []struct {
		name, says string
		op         *model.Operation
		pages      []map[string]any
	}{
		{"a token that comes twice", "twice", operation(plain, "NextToken", "NextToken Things"), []map[string]any{
			{"NextToken": "1"}, {"NextToken": "1"},
		}},
		{"a token that nothing takes", "goes on", operation(nil, "Name", "NextToken Things"), []map[string]any{{"NextToken": "1"}}},
		{"a cut answer without a token", "cut short", operation(nil, "Marker", "IsTruncated Marker"), []map[string]any{{"IsTruncated": true}}},
		{"a page that fails", "page 2", operation(plain, "NextToken", "NextToken Things"), []map[string]any{{"NextToken": "1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readPages(c.op, nil, pages(t, "NextToken", c.pages...))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v; want %q", got, err, c.says)
			}
		})
	}
}

func TestTheFirstPagesOtherMembersStay(t *testing.T) {
	op := operation(plain, "NextToken", "NextToken Things Owner")
	got, err := readPages(op, nil, pages(t, "NextToken",
		map[string]any{"Owner": "me", "Things": []any{"a"}, "NextToken": "1"}, map[string]any{"Owner": "you"}))
	if err != nil || got["Owner"] != "me" {
		t.Errorf("%v %v", got, err)
	}
}

func TestTheCallersInputIsNotChanged(t *testing.T) {
	in := map[string]any{"Name": "x"}
	op := operation(plain, "NextToken Name", "NextToken Things")
	if _, err := readPages(op, in, pages(t, "NextToken", map[string]any{"NextToken": "1"}, map[string]any{})); err != nil {
		t.Fatal(err)
	}
	if len(in) != 1 {
		t.Error(in)
	}
}
