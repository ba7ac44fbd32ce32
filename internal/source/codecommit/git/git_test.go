package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// kept are objects in memory.
type kept map[string]Object

func (k kept) Objects(ids []string) (out []Object, err error) {
	for _, id := range ids {
		if o, ok := k[id]; ok {
			out = append(out, o)
		}
	}
	return out, nil
}

func (k kept) Look(ids []string) (map[string]Info, error) {
	out := map[string]Info{}
	for _, id := range ids {
		if o, ok := k[id]; ok {
			out[id] = Info{o.Kind, int64(len(o.Zlib))}
		}
	}
	return out, nil
}

func (k kept) add(o Object) string {
	k[o.ID] = o
	return o.ID
}

// history is a repository of some commits, each with one more line in a file.
func history(t *testing.T, n int) (k kept, commits []string) {
	k = kept{}
	var parents []string
	for i := range n {
		blob := k.add(New(Blob, []byte(strings.Repeat("line\n", i))))
		tree := k.add(NewTree([]Entry{{"f", ModeFile, blob}}))
		c, err := NewCommit(tree, parents, "Ann", "ann@example.com", "m", time.Unix(int64(i), 0))
		if err != nil {
			t.Fatal(err)
		}
		parents = []string{k.add(c)}
		commits = append(commits, c.ID)
	}
	return k, commits
}

var roomy = Limits{Objects: 1000, Object: 1 << 20, Total: 1 << 20, Kept: 1 << 20}

func packOf(t *testing.T, k kept) []byte {
	var ids []string
	for id := range k {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var b bytes.Buffer
	if err := WritePack(&b, ids, k); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPacksAreReadAsTheyWereWritten(t *testing.T) {
	k, _ := history(t, 5)
	got, err := ReadPack(bytes.NewReader(packOf(t, k)), roomy, kept{})
	if err != nil || len(got) != len(k) {
		t.Fatalf("%d objects of %d: %v", len(got), len(k), err)
	}
	for _, o := range got {
		if !bytes.Equal(o.Zlib, k[o.ID].Zlib) || o.Kind != k[o.ID].Kind {
			t.Errorf("%s is another one", o.ID)
		}
	}
	if err := Check(got, kept{}); err != nil {
		t.Error(err)
	}
}

func TestPacksThatAreDamagedAreRefused(t *testing.T) {
	k, _ := history(t, 2)
	whole := packOf(t, k)
	for i := range whole {
		if _, err := ReadPack(bytes.NewReader(whole[:i]), roomy, kept{}); err == nil {
			t.Errorf("a pack of %d bytes is taken for whole", i)
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x11
		if _, err := ReadPack(bytes.NewReader(damaged), roomy, kept{}); err == nil {
			t.Errorf("byte %d may be another one", i)
		}
	}
}

// deltaPack is a pack with one delta of a base that it does not have.
func deltaPack(base string, delta []byte) []byte {
	out := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01")
	id, _ := hex.DecodeString(base)
	out = append(out, entryHead(Object{Kind: 7, Size: int64(len(delta))})...)
	out = append(out, id...)
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(delta)
	w.Close()
	out = append(out, z.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

func TestDeltasAreBounded(t *testing.T) {
	k := kept{}
	base := k.add(New(Blob, []byte(strings.Repeat("x", 1000))))
	copies := func(size uint64, n int) []byte {
		d := binary.AppendUvarint(binary.AppendUvarint(nil, 1000), size)
		for range n {
			d = append(d, 0x80|0x10|0x20, 0xe8, 0x03) // 1000 bytes from the beginning
		}
		return d
	}
	got, err := ReadPack(bytes.NewReader(deltaPack(base, copies(3000, 3))), roomy, k)
	if err != nil || len(got) != 1 || got[0].Size != 3000 {
		t.Errorf("%v %v", got, err)
	}
	for name, c := range map[string]struct {
		delta []byte
		large bool
	}{
		"it says that it makes much":       {copies(1<<40, 1), true},
		"it makes much":                    {copies(2<<20, 2100), true},
		"it makes more than it says":       {copies(1000, 3), false},
		"it makes less than it says":       {copies(3000, 1), false},
		"it has no head":                   {[]byte{0x80}, false},
		"its base is another one":          {append([]byte{5, 5}, 0x05), false},
		"it copies from behind its base's": {append(binary.AppendUvarint([]byte{0xe8, 0x07}, 1000), 0x80|0x01|0x10|0x20, 0x01, 0xe8, 0x03), false},
	} {
		_, err := ReadPack(bytes.NewReader(deltaPack(base, c.delta)), roomy, k)
		if err == nil || errors.Is(err, ErrTooLarge) != c.large {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadPack(bytes.NewReader(deltaPack(Zero, copies(1000, 1))), roomy, k); err == nil {
		t.Error("a base that is nowhere is no fault")
	}
}

func TestPacksAreBounded(t *testing.T) {
	k, _ := history(t, 10)
	pack := packOf(t, k)
	for name, most := range map[string]Limits{
		"objects": {29, 1 << 20, 1 << 20, 1 << 20}, "object": {1000, 40, 1 << 20, 1 << 20}, "total": {1000, 1 << 20, 1000, 1 << 20}, "kept": {1000, 1 << 20, 1 << 20, 1000},
	} {
		if _, err := ReadPack(bytes.NewReader(pack), most, kept{}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestObjectsThatNameWhatIsMissingAreRefused(t *testing.T) {
	k, commits := history(t, 3)
	all := func(without string) (out []Object) {
		for id, o := range k {
			if id != without {
				out = append(out, o)
			}
		}
		return out
	}
	for id, o := range k {
		if err := Check(all(id), kept{}); (err == nil) != (id == commits[2]) {
			t.Errorf("without a %s: %v", o.Kind, err)
		}
		if err := Check(all(id), k); err != nil {
			t.Errorf("without a %s that is there: %v", o.Kind, err)
		}
	}
	blob := k.add(New(Blob, []byte("b")))
	for name, o := range map[string]Object{
		"a folder that is a file": NewTree([]Entry{{"d", ModeFolder, blob}}),
		"a path to git's folder":  NewTree([]Entry{{".GIT", ModeFile, blob}}),
		"a path that leads out":   NewTree([]Entry{{"..", ModeFile, blob}}),
		"a path with a slash":     NewTree([]Entry{{"a/b", ModeFile, blob}}),
		"a tree that is none":     New(Tree, []byte("100644 x")),
		"a commit that is none":   New(Commit, []byte("nothing")),
		"a tag that is none":      New(Tag, []byte("nothing")),
	} {
		if err := Check([]Object{o}, k); err == nil {
			t.Errorf("%s is no fault", name)
		}
	}
	if err := Check([]Object{NewTree([]Entry{{"module", ModeModule, strings.Repeat("1", 40)}})}, k); err != nil {
		t.Errorf("a submodule: %v", err)
	}
}

func TestClientsGetWhatTheyLack(t *testing.T) {
	k, commits := history(t, 6)
	names := func(ids []string) (out []int) {
		for _, id := range ids {
			if i := slices.Index(commits, id); i >= 0 {
				out = append(out, i)
			}
		}
		slices.Sort(out)
		return out
	}
	set := func(i ...int) map[string]bool {
		out := map[string]bool{}
		for _, n := range i {
			out[commits[n]] = true
		}
		return out
	}
	for name, c := range map[string]struct {
		need
		commits []int
		objects int
	}{
		"all":             {need{tips: commits[5:]}, []int{0, 1, 2, 3, 4, 5}, 18},
		"what is new":     {need{tips: commits[5:], common: commits[3:4]}, []int{4, 5}, 6},
		"nothing":         {need{tips: commits[3:4], common: commits[5:]}, nil, 0},
		"a short history": {need{tips: commits[5:], ends: set(4)}, []int{4, 5}, 6},
		"more of it":      {need{tips: commits[5:], common: commits[5:], shallow: set(4), ends: set(2), reached: set(2, 3, 4, 5)}, []int{2, 3}, 6},
		"one tree":        {need{others: []string{NewTree([]Entry{{"f", ModeFile, New(Blob, nil).ID}}).ID}}, nil, 2},
	} {
		got, err := newWalk(k).objects(c.need)
		if err != nil || !slices.Equal(names(got), c.commits) || len(got) != c.objects {
			t.Errorf("%s: commits %v and %d objects, want %v and %d: %v", name, names(got), len(got), c.commits, c.objects, err)
		}
	}
}
