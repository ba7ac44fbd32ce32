// Package typename knows the names of resource types, so that a misspelled one is
// refused where somebody wrote it: a rule of it would look at nothing and pass.
//
//	err := typename.Check("AWS::S3::Buckett") // AWS Config has no resource type AWS::S3::Buckett; is AWS::S3::Bucket meant?
//
// It reads the embedded list of names once and stores nothing.
package typename

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"plumb/internal/settings"
	"plumb/resources"
	"plumb/rules"
)

// account is the type of an account, of which rules speak and no items are.
const account = "AWS::::Account"

// names are all types of AWS Config, and those that are recorded here beyond them.
var names = sync.OnceValues(func() (map[string]bool, error) {
	all := map[string]bool{account: true}
	text, err := fs.ReadFile(resources.FS, "types.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range strings.Fields(string(text)) {
		all[name] = true
	}
	files, err := fs.Glob(resources.FS, "*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(resources.FS, file)
		if err != nil {
			return nil, err
		}
		if name := typeOf(text); name != "" {
			all[name] = true
		}
	}
	return all, nil
})

// typeOf finds the type that a file is about, without decoding it.
func typeOf(text []byte) string {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("type:")); ok {
			rest, _, _ = bytes.Cut(rest, []byte(" #"))
			return string(bytes.TrimSpace(rest))
		}
	}
	return ""
}

// judged are the types that AWS's managed rules speak of: AWS Config's list lacks some
// of them. They are only read for a name that is nowhere else.
var judged = sync.OnceValues(func() (map[string]bool, error) {
	all := map[string]bool{}
	files := rules.Files()
	return all, fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		for _, name := range typeName.FindAll(text, -1) {
			all[string(name)] = true
		}
		return err
	})
})

var typeName = regexp.MustCompile(`AWS::\w+::\w+`)

// Check refuses a type of AWS's that AWS Config does not have, and a type of somebody
// else's that is a misspelled one of AWS's.
func Check(name string) error {
	all, err := names()
	if err != nil || all[name] {
		return err
	}
	if also, err := judged(); err != nil || also[name] {
		return err
	}
	if !strings.HasPrefix(name, "AWS::") && near(maps.Keys(all), name) == "" {
		return nil // of somebody else's registry
	}
	return fmt.Errorf("AWS Config has no resource type %s; %s", name, Meant(slices.Sorted(maps.Keys(all)), name))
}

// near is the name that differs in the case of letters, or in one or two letters;
// empty if there is none.
func near(all func(func(string) bool), wanted string) string {
	for name := range all {
		if strings.EqualFold(name, wanted) {
			return name
		}
	}
	return settings.Nearest(all, wanted)
}

// maxMeant is how many names of a service are proposed.
const maxMeant = 8

// Meant says which of the names is meant by one that is not among them.
func Meant(all []string, wanted string) string {
	if one := near(slices.Values(all), wanted); one != "" {
		return "is " + one + " meant?"
	}
	_, rest, _ := strings.Cut(strings.ToLower(wanted), "::")
	service, _, _ := strings.Cut(rest, "::")
	var same []string
	for _, name := range all {
		lower := strings.ToLower(name)
		if service != "" && strings.HasPrefix(lower, "aws::"+service+"::") || strings.HasSuffix(lower, strings.ToLower(wanted)) {
			same = append(same, name)
		}
	}
	more := ""
	if len(same) > maxMeant {
		same, more = same[:maxMeant], ", ..."
	}
	if len(same) == 0 {
		return "\"plumb docs resource-types\" lists the types that are recorded"
	}
	return "is one of these meant: " + strings.Join(same, ", ") + more + "?"
}
