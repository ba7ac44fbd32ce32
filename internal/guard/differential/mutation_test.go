package differential

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// words are what a rule file is made of.
var words = regexp.MustCompile(`\s+|[\w%]+|'[^']*'|"[^"]*"|/[^/ ]*/|[=!<>:|&]+|.`)

// mutated makes a small change to a rule file that may or may not make it wrong.
func mutated(r *rand.Rand, source string) string {
	parts := words.FindAllString(source, -1)
	for range 1 + r.IntN(2) {
		i, j := r.IntN(len(parts)), r.IntN(len(parts))
		switch r.IntN(6) {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] = parts[j]
		case 2:
			parts[i], parts[j] = parts[j], parts[i]
		case 3:
			parts[i] += []string{" ", "\n", "#x\n", "or ", "not ", "!", "some ", ".", "[*]", "[0]", "%", "<<m>>", "{", "}", "this"}[r.IntN(15)]
		case 4:
			parts[i] = strings.TrimSpace(parts[i])
		default:
			parts[i] = strings.ToUpper(parts[i])
		}
	}
	return strings.Join(parts, "")
}

func TestMutatedRuleFilesAreReadAsTheOriginalReadsThem(t *testing.T) {
	o := startOriginal(t)
	files, err := filepath.Glob("../testdata/cases/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	rounds, seed := settings()
	r := rand.New(rand.NewPCG(seed, 7))
	var errors, panics, differences int
	for range rounds {
		file := files[r.IntN(len(files))]
		if differs(strings.TrimSuffix(filepath.Base(file), ".txt")) != "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(text), "\n---\n")
		q := question{Rules: mutated(r, parts[0]), Data: parts[1]}
		theirs, our := o.ask(t, q), ours(t, q)
		switch {
		case theirs.Panic != "":
			panics++
		case theirs.Error != "" && our.Error != "", functionsAreCheckedLater(our.Error):
			errors++
		case !agree(theirs, our) && strings.TrimSpace(q.Rules) != "":
			if differences++; differences <= 8 {
				t.Errorf("%s\n%s\n--\n%s\n%s", file, q.Rules, q.Data, difference(theirs, our))
			}
		}
	}
	t.Logf("%d rounds: %d errors on both sides, the original broke down in %d, %d differences", rounds, errors, panics, differences)
}

// functionsAreCheckedLater tells the mistakes that the original's build, which is
// older than its source, finds only when a function is called.
func functionsAreCheckedLater(err string) bool {
	return strings.Contains(err, "there is no function") || strings.Contains(err, " arguments, found ")
}
