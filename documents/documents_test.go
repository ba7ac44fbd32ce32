package documents_test

import (
	"testing"

	"plumb/documents"
	"plumb/internal/automation"
)

// One document alone: go test ./documents -run /NAME
func TestDocumentsDoWhatTheirExamplesSay(t *testing.T) {
	folder, err := automation.NewFolder(documents.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range folder.Names() {
		t.Run(name, func(t *testing.T) {
			text, _ := folder.Document(name)
			d, err := automation.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			examples, err := automation.Examples(documents.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			if len(examples) == 0 {
				t.Error("there is no example")
			}
			for _, e := range examples {
				if err := e.Check(d); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
