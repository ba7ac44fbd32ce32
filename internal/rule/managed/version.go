package managed

import (
	"cmp"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
)

func versionFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		binary("older", cel.BoolType, func(v, than any) (any, error) { return compareVersions(text(v), text(than)) < 0, nil }),
	}
}

// compareVersions says which of two versions is earlier: negative, the first.
// Their parts stand between characters that are neither letters nor digits.
// Parts that are numbers are compared as numbers, others as text. A part that is
// not there is 0.
func compareVersions(a, b string) int {
	left, right := versionParts(a), versionParts(b)
	for i := range max(len(left), len(right)) {
		if order := comparePart(partAt(left, i), partAt(right, i)); order != 0 {
			return order
		}
	}
	return 0
}

func versionParts(version string) []string {
	return strings.FieldsFunc(version, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func partAt(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}

func comparePart(a, b string) int {
	const digits = "0123456789"
	if strings.Trim(a, digits) != "" || strings.Trim(b, digits) != "" {
		return strings.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0") // they may have more digits than an integer
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
