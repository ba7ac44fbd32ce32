package resource_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"plumb/internal/awsclient"
	"plumb/internal/resource"
	"plumb/models"
	"plumb/resources"
)

// copies makes a folder of at least n types from those that there are.
func copies(t *testing.T, n int) fstest.MapFS {
	t.Helper()
	files, err := fs.Glob(resources.FS, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.ReadFile(resources.FS, "types.txt")
	if err != nil {
		t.Fatal(err)
	}
	types := strings.Builder{}
	types.Write(names)
	out := fstest.MapFS{}
	for i := 0; len(out) < n; i++ {
		for _, file := range files {
			b, err := fs.ReadFile(resources.FS, file)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(string(b), "\nbeyond: true\n", "\n", 1)
			if i == 0 && text != string(b) { // relationships lead to types beyond AWS's as well
				fmt.Fprintln(&types, typeLine.FindStringSubmatch(text)[1])
			}
			name := fmt.Sprintf("%s%d", typeLine.FindStringSubmatch(text)[1], i)
			fmt.Fprintln(&types, name)
			text = strings.Replace(text, typeLine.FindString(text), "type: "+name, 1)
			out[fmt.Sprintf("%d-%s", i, file)] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	out["types.txt"] = &fstest.MapFile{Data: []byte(types.String())}
	return out
}

var typeLine = regexp.MustCompile(`(?m)^type: (\S+)$`)

// A start reads heads alone. What it allocates is counted, because time depends on what else the machine does.
func TestThreeHundredTypesCostAStartLittle(t *testing.T) {
	folder := copies(t, 300)
	opened := 0
	m := awsclient.NewModels(counting{models.FS, &opened})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	cat, err := resource.Load(folder, m)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	kept, made := after.HeapAlloc-before.HeapAlloc, after.Mallocs-before.Mallocs
	t.Logf("%d types in %v, %.1f MB kept, %d allocations", len(cat.Types()), took, float64(kept)/1e6, made)
	if opened > 0 {
		t.Errorf("%d files of models were read", opened)
	}
	if perType := made / uint64(len(cat.Types())); perType > 40 {
		t.Errorf("%d allocations a type", perType)
	}
	if perType := kept / uint64(len(cat.Types())); perType > 1_500 {
		t.Errorf("%d bytes a type are kept", perType)
	}
	runtime.KeepAlive(cat)
}

type counting struct {
	fs.FS
	opened *int
}

func (c counting) Open(name string) (fs.File, error) {
	*c.opened++
	return c.FS.Open(name)
}

func TestWrongFileIsToldWhenItsTypeIsFirstRead(t *testing.T) {
	good, err := fs.ReadFile(resources.FS, "sqs-queue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for want, edit := range map[string][2]string{
		"field kinds not found":          {"\nlist:", "\nkinds: x\nlist:"},
		"list.each and identity.id":      {"\n  each: \"QueueUrls", "\n  expect: \"QueueUrls"},
		"is not an operation":            {"call: ListQueues", "call: ListCues"},
		"at the beginning of a line":     {"service: sqs", "\"service\": sqs"},
		"AWS::SQS::Cue\" is not in type": {"type: AWS::SQS::Queue", "type: AWS::SQS::Cue"},
	} {
		text := strings.Replace(string(good), edit[0], edit[1], 1)
		if text == string(good) {
			t.Fatalf("nothing is replaced by %q", edit[1])
		}
		folder := fstest.MapFS{
			"types.txt":      {Data: []byte("AWS::SQS::Queue\nAWS::KMS::Key\n")},
			"sqs-queue.yaml": {Data: []byte(text)},
		}
		cat, err := resource.Load(folder, awsclient.NewModels(models.FS))
		if err == nil {
			err = cat.Verify("AWS::SQS::Queue")
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sqs-queue.yaml") {
			t.Errorf("%q: %v", edit[1], err)
		}
	}
}
