// Command chart looks through a chart as "helm lint --strict --set existingSecret=s"
// does, rendered objects among it.
package main

import (
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chart FOLDER")
		os.Exit(2)
	}
	found := lint.AllWithKubeVersion(os.Args[1], map[string]any{"existingSecret": "s"}, "ours", nil)
	for _, m := range found.Messages {
		fmt.Println(m)
	}
	if found.HighestSeverity >= support.WarningSev {
		os.Exit(1)
	}
}
