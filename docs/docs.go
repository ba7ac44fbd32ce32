// Package docs is the pages of the documentation, as they stand in the repository:
// people with a binary have no repository.
package docs

import "embed"

// Pages are the files of this folder and of those below it.
//
//go:embed *.md how-to/*.md decisions/*.md plumb.1
var Pages embed.FS
