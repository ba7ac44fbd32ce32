package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"plumb/internal/app"
	"plumb/internal/core"
	"plumb/internal/rule/managed"
)

// The README's figures are true. "More than" is not more than a hundred below.
func TestReadmesFiguresAreTrue(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	known, err := core.LoadCatalogues("")
	if err != nil {
		t.Fatal(err)
	}
	judged, rules := 0, 0
	for _, r := range known.Managed.All() {
		if r.Trigger == managed.None {
			continue // a process check, which is put
		}
		if rules++; r.Evaluated {
			judged++
		}
	}
	var coverage bytes.Buffer
	if err := app.WriteCoverage(&coverage); err != nil {
		t.Fatal(err)
	}
	operations := regexp.MustCompile(`\| AWS Config \| (\d+) \| (\d+) \|`).FindSubmatch(coverage.Bytes())
	if operations == nil || string(operations[1]) != string(operations[2]) {
		t.Errorf("not all operations are built: %s", operations)
	}
	m := regexp.MustCompile(`All (\d+) operations\*\* of AWS Config are built, more than (\d+) of its (\d+) managed rules judge, and more than (\d+) resource types`).FindSubmatch(readme)
	if m == nil {
		t.Fatal("the README has no figures")
	}
	stated := func(i int) int { n, _ := strconv.Atoi(string(m[i])); return n } // digits, and few of them
	if fmt.Sprint(stated(1)) != string(operations[1]) || stated(3) != rules {
		t.Errorf("the README says %d operations and %d rules; there are %s and %d", stated(1), stated(3), operations[1], rules)
	}
	for what, n := range map[string][2]int{"rules that judge": {stated(2), judged}, "types": {stated(4), len(known.Types.Types())}} {
		if n[1] < n[0] || n[1] > n[0]+100 {
			t.Errorf("the README says more than %d %s; there are %d", n[0], what, n[1])
		}
	}
}
