package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// assetPath is where assets are, under Root.
const assetPath = "assets/"

// The assets that there are, with their types.
var assetTypes = map[string]string{
	"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "htmx.min.js": "text/javascript; charset=utf-8",
	"icon.svg": "image/svg+xml",
}

// assets have a digest in their names, so that a browser need never ask again.
type assets struct {
	mu      sync.Mutex
	digests map[string]string
}

func newAssets() *assets { return &assets{digests: map[string]string{}} }

// link returns the address of an asset.
func (a *assets) link(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	digest, ok := a.digests[name]
	if !ok {
		text, _ := assetFiles.ReadFile("assets/" + name) // embedded: it is there
		sum := sha256.Sum256(text)
		digest = hex.EncodeToString(sum[:6])
		a.digests[name] = digest
	}
	kind := path.Ext(name)
	return Root + assetPath + strings.TrimSuffix(name, kind) + "." + digest + kind
}

// serve answers with the asset of a name that link made.
func (a *assets) serve(w http.ResponseWriter, r *http.Request, asked string) {
	for name, kind := range assetTypes {
		if a.link(name) != Root+assetPath+asked {
			continue
		}
		text, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			break
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if r.Method == http.MethodGet {
			w.Write(text)
		}
		return
	}
	http.Error(w, "There is no such file.", http.StatusNotFound)
}
