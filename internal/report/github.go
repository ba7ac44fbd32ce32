package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// GitHub writes what failed as workflow commands, which GitHub shows beside the
// lines of a change.
func GitHub(w io.Writer, r Report) error {
	value := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, c := range r.Cases {
		level := map[Status]string{Failed: "error", Broken: "error", Skipped: "notice"}[c.Status]
		if level == "" {
			continue
		}
		message := c.Name + ": " + c.Message
		if c.Detail != "" {
			message += "\n" + c.Detail
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", level, value.Replace(filepath.ToSlash(Relative(c.Path))),
			max(1, c.Line), value.Replace(c.Suite), text.Replace(message))
		if err != nil {
			return err
		}
	}
	return nil
}
